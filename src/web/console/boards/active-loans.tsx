import type { Context } from 'hono'
import { type ActiveLoan, canRequestReturn } from '../../../domain/boards/loans.ts'
import { listDoorPeople } from '../../../domain/door/check-ins.ts'
import type { Workshop } from '../../../domain/workshops/workshops.ts'
import type { App } from '../../../http/context.ts'
import { paths } from '../../../http/links.ts'
import type { BoardMessages } from '../../../i18n/boards.ts'
import { formatDateTime } from '../../../i18n/format.ts'
import { Select } from '../ui/fields.tsx'

/** The active loans of a workshop, each with a return button. */
export function ActiveLoans({
  c,
  workshop,
  loans,
  t,
}: {
  c: Context<App>
  workshop: Workshop
  loans: ActiveLoan[]
  t: BoardMessages
}) {
  const { deps } = c.env
  const words = t.workshop
  const requestableCount = loans.filter((loan) => canRequestReturn(loan, deps.now())).length
  if (loans.length === 0) return <p>{words.allBack}</p>
  const formatMoment = (at: Date) => formatDateTime(at, workshop.timeZone, c.var.locale)
  return (
    <>
      <ul class="rows">
        {loans.map(({ board, registrationId, name, tail, hasEmail, lentAt, lentBy, returnRequestedAt }) => (
          <li>
            <span>
              <a href={paths.person(registrationId)}>{name}</a> ·{' '}
              <a href={paths.board(board.id)}>{t.named(board.kind, board.serial)}</a>
              <small>
                {[
                  ...(tail ? [words.tail(tail)] : []),
                  ...(hasEmail ? [] : [words.noEmail]),
                  words.lentSince(formatMoment(lentAt), lentBy || t.board.nobody),
                  ...(returnRequestedAt ? [words.asked(formatMoment(returnRequestedAt))] : []),
                ].join(' · ')}
              </small>
            </span>
            <form method="post" action={paths.returnBoard(workshop.slug)}>
              <input type="hidden" name="nonce" value={deps.newId()} />
              <input type="hidden" name="board" value={board.id} />
              <button type="submit" class="small second" aria-label={`${t.board.return}: ${name}`}>
                {t.board.return}
              </button>
            </form>
          </li>
        ))}
      </ul>
      <p class="actions">
        {requestableCount > 0 ? (
          <a class="button second" href={paths.requestBoardReturns(workshop.slug)}>
            {words.ask(requestableCount)}
          </a>
        ) : (
          <span class="hint">{words.askNobody}</span>
        )}
      </p>
    </>
  )
}

/** A select of more options is unusable; the door has a search. */
const maxBorrowers = 500

/** Confirmed attendees without a board, for the lend form. */
export async function listBorrowers(c: Context<App>, workshop: Workshop) {
  const people = await listDoorPeople(c.env.deps, workshop)
  return people.filter(({ status, board }) => status === 'confirmed' && !board).slice(0, maxBorrowers)
}

/** Lends a board from the console, for workshops without a door session. */
export function LendForm({
  c,
  workshop,
  free,
  people,
  t,
}: {
  c: Context<App>
  workshop: Workshop
  free: { id: string; kind: string; serial: string }[]
  people: { id: string; name: string; seq: number; tail: string }[]
  t: BoardMessages
}) {
  const words = t.workshop
  return (
    <details>
      <summary>{words.lend}</summary>
      {people.length === 0 || free.length === 0 ? (
        <p>{people.length === 0 ? words.lendNobody : words.lendNone}</p>
      ) : (
        <form class="narrow" method="post" action={paths.lendBoard(workshop.slug)}>
          <input type="hidden" name="nonce" value={c.env.deps.newId()} />
          <Select
            name="board"
            label={words.lendBoard}
            value=""
            options={free.map(({ id, kind, serial }) => ({ value: id, text: t.named(kind, serial) }))}
          />
          <Select
            name="person"
            label={words.lendPerson}
            value=""
            options={people.map(({ id, name, seq, tail }) => ({
              value: id,
              text: [`#${seq}`, name, ...(tail ? [words.tail(tail)] : [])].join(' '),
            }))}
          />
          <p class="actions">
            <button type="submit">{words.lendSubmit}</button>
          </p>
        </form>
      )}
    </details>
  )
}
