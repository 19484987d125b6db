import type { Context } from 'hono'
import type { Board, BoardPlace } from '../../../domain/boards/inventory.ts'
import type { App } from '../../../http/context.ts'
import { paths } from '../../../http/links.ts'
import type { BoardMessages } from '../../../i18n/boards.ts'
import { eventLabel } from '../ui/workshop-labels.ts'

/** Boards with checkboxes. On a workshop's page (`forWorkshop`) without the workshop's name and the notes. */
export function BoardTable({
  boards,
  forWorkshop = false,
  c,
  t,
}: {
  boards: Board[]
  forWorkshop?: boolean
  c: Context<App>
  t: BoardMessages
}) {
  return (
    <div class="people-frame boards">
      <table>
        <thead>
          <tr>
            <th class="choose" scope="col">
              <input type="checkbox" data-choose-all="" hidden aria-label={t.list.chooseAll} />
            </th>
            <th scope="col">{t.fields.serial}</th>
            <th scope="col">{t.fields.kind}</th>
            <th scope="col">{t.list.where}</th>
            {!forWorkshop && <th scope="col">{t.fields.note}</th>}
          </tr>
        </thead>
        <tbody>
          {boards.map((board) => (
            <tr class={board.place === 'retired' ? 'gone' : undefined}>
              <td class="choose">
                <input
                  type="checkbox"
                  name="id"
                  value={board.id}
                  aria-label={t.list.choose(t.named(board.kind, board.serial))}
                />
              </td>
              <td class="of-name" data-head={t.fields.serial}>
                <a href={paths.board(board.id)}>{board.serial}</a>
              </td>
              <td data-head={t.fields.kind}>{board.kind}</td>
              <td data-head={t.list.where}>
                <span>
                  <PlaceBadge place={board.place} t={t} />{' '}
                  {(board.holder || !forWorkshop) && <BoardLocation board={board} c={c} />}
                </span>
              </td>
              {!forWorkshop && <td data-head={t.fields.note}>{board.note ?? ''}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

export function PlaceBadge({ place, t }: { place: BoardPlace; t: BoardMessages }) {
  const modifier = { free: '', packed: '', lent: '', broken: 'warn', retired: 'off' }[place]
  return <span class={`mark ${modifier}`}>{t.places[place]}</span>
}

/** The borrower of a board, or the workshop it is allocated to. */
export function BoardLocation({ board: { holder, packedFor }, c }: { board: Board; c: Context<App> }) {
  if (holder) {
    return (
      <>
        <a href={paths.person(holder.registrationId)}>{holder.name}</a>
        {' · '}
        <a class="quiet" href={paths.workshopBoards(holder.workshop.slug)}>
          {eventLabel(holder.workshop, c)}
        </a>
      </>
    )
  }
  if (packedFor) return <a href={paths.workshopBoards(packedFor.slug)}>{eventLabel(packedFor, c)}</a>
  return null
}
