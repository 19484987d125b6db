import { type Context, Hono } from 'hono'
import { actorOf } from '../audited.ts'
import type { App } from '../context.ts'
import { readBoards } from '../domain/board-serials.ts'
import { allBoards, type Board, countBoards } from '../domain/boards.ts'
import { askForBoards, doorBoards, lendBoard, listBoardsOut, mayBeAsked, returnBoard } from '../domain/loans.ts'
import { mayBePacked, packBoards, unpackBoards } from '../domain/packing.ts'
import { findRegistrations } from '../domain/registrations.ts'
import { findWorkshop, type Workshop } from '../domain/workshops.ts'
import { isId, readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { draftOf } from '../mail/message.ts'
import { boardMessagesFor } from '../messages/boards.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { number, placeOf } from '../messages/text.ts'
import { readNonce } from './board.tsx'
import { sayBoardProblems } from './boards.tsx'
import { ConfirmField, isConfirmed } from './confirmation.tsx'
import { type Problem, Problems, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { borrowers, LendForm, Out } from './lent-boards.tsx'
import { Packed, PackForm, type PackTyped } from './packed-boards.tsx'

/** The boards of a workshop: packing them, who has one, asking for those that did not come back. */
export const workshopBoardPages = new Hono<App>()

workshopBoardPages.get('/console/workshops/:slug/boards', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  return workshop ? boardsPage(c, workshop) : c.notFound()
})

workshopBoardPages.post('/console/workshops/:slug/boards/pack', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const t = boardMessagesFor(c.var.locale)
  const body = await readFormBody(c)
  const shown = { kind: typed(body, 'kind'), count: typed(body, 'count'), serials: typed(body, 'serials') }
  const refuse = (field: string, text: string, status: 409 | 422 = 422) =>
    boardsPage(c, workshop, { shown, problems: [{ field, text }], status })
  const pack = async (which: Parameters<typeof packBoards>[3]) => {
    const packed = await packBoards(deps, actorOf(c), workshop, which)
    if (packed === 'over') return refuse('out', t.workshop.packOver, 409)
    return packed > 0 || 'ids' in which
      ? done(c, workshop, `packed-${packed}`)
      : refuse('count', t.workshop.packNone, 409)
  }

  if (shown.serials.trim()) {
    const { kind, serials, problems } = readBoards(shown)
    if (problems.length > 0)
      return boardsPage(c, workshop, { shown, problems: sayBoardProblems(problems, t), status: 422 })
    const boards = await allBoards(deps, { kind })
    const named = new Map(boards.map((board) => [board.serial, board]))
    const unknown = serials.filter((serial) => named.get(serial)?.state !== 'usable')
    if (unknown.length > 0) return refuse('serials', t.workshop.packUnknown(unknown.slice(0, 20)), 409)
    const ids = serials.flatMap((serial) => named.get(serial)?.id ?? [])
    return pack({ ids })
  }
  const count = Number(/^\d{1,4}$/.exec(shown.count.trim())?.[0] ?? 0)
  if (count === 0) return refuse('count', t.workshop.packMissing)
  const beside = /^\d{1,6}$/.exec(typed(body, `packed.${shown.kind}`))?.[0]
  return pack({ kind: shown.kind, count, ...(beside && { beside: Number(beside) }) })
})

workshopBoardPages.post('/console/workshops/:slug/boards/unpack', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const body = await readFormBody(c, { all: true })
  const ids = [body.id].flat().filter(isId)
  const unpacked = await unpackBoards(deps, actorOf(c), workshop, body.do === 'all' ? undefined : ids)
  return done(c, workshop, `unpacked-${unpacked}`)
})

workshopBoardPages.post('/console/workshops/:slug/boards/lend', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const { lendRefusals } = boardMessagesFor(c.var.locale)
  const body = await readFormBody(c)
  const { board: boardId, person: registrationId } = body
  const refuse = (text: string) => boardsPage(c, workshop, { problems: [{ field: 'board', text }], status: 409 })
  if (!isId(boardId) || !isId(registrationId)) return refuse(lendRefusals.not_found())
  const lent = await lendBoard(deps, actorOf(c), {
    ...{ id: readNonce(body) ?? deps.newId(), boardId, registrationId },
    ...{ workshopId: workshop.id, at: deps.now() },
  })
  switch (lent.outcome) {
    case 'lent':
      return done(c, workshop, 'lent')
    case 'board_taken':
      return refuse(lendRefusals.board_taken(lent.by ?? ''))
    case 'has_board':
      return refuse(lendRefusals.has_board(lent.serial))
    case 'unusable':
    case 'not_found':
      return refuse(lendRefusals[lent.outcome]())
  }
})

workshopBoardPages.post('/console/workshops/:slug/boards/return', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const { returnRefusals } = boardMessagesFor(c.var.locale)
  const body = await readFormBody(c)
  const { board: boardId } = body
  const returned = isId(boardId)
    ? await returnBoard(deps, actorOf(c), { id: readNonce(body) ?? deps.newId(), boardId, at: deps.now() })
    : ({ outcome: 'not_found' } as const)
  if (returned.outcome === 'returned') return done(c, workshop, 'returned')
  return boardsPage(c, workshop, {
    problems: [{ field: 'out', text: returnRefusals[returned.outcome] }],
    status: 409,
  })
})

workshopBoardPages.get('/console/workshops/:slug/boards/ask', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  return workshop ? askPage(c, workshop) : c.notFound()
})

workshopBoardPages.post('/console/workshops/:slug/boards/ask', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return askPage(c, workshop)
  return done(c, workshop, `asked-${await askForBoards(deps, actorOf(c), workshop)}`)
})

function done(c: Context<App>, { slug }: Workshop, what: string): Response {
  return c.redirect(withQuery(paths.workshopBoards(slug), { done: what }), 303)
}

/** What was done just now, by the name and number that the address carries. */
function doneJustNow(c: Context<App>): string | undefined {
  const { board, workshop } = boardMessagesFor(c.var.locale)
  const [, what = '', n = '0'] =
    /^(packed|unpacked|asked|lent|returned)(?:-(\d{1,6}))?$/.exec(c.req.query('done') ?? '') ?? []
  const said: Record<string, string | undefined> = {
    packed: workshop.packDone(Number(n)),
    unpacked: workshop.unpackDone(Number(n)),
    asked: workshop.askDone(Number(n)),
    lent: workshop.lendDone,
    returned: board.returned,
  }
  return said[what]
}

type Again = {
  shown?: PackTyped
  problems: Problem[]
  status: 409 | 422
}

async function boardsPage(c: Context<App>, workshop: Workshop, again?: Again): Promise<Response> {
  const { deps } = c.env
  const { locale } = c.var
  const t = boardMessagesFor(locale)
  const words = t.workshop
  const [boards, out, atDoor, counts] = await Promise.all([
    allBoards(deps, { workshopId: workshop.id }),
    listBoardsOut(deps, workshop.id),
    doorBoards(deps, workshop.id),
    countBoards(deps),
  ])
  const free = atDoor.filter(({ registration }) => registration === null)
  const packed = boards.filter(({ packedFor }) => packedFor?.id === workshop.id)
  const problems = again?.problems ?? []
  const packable = mayBePacked(deps, workshop)
  const numbers: [number, string][] = [
    [workshop.boards, words.planned],
    [packed.length, words.packed],
    [out.length, words.lent],
    [free.length, words.free],
  ]
  return consolePage(
    c,
    {
      title: `${words.title} · ${placeOf(workshop, locale)}`,
      section: 'campaigns',
      back: { href: paths.consoleWorkshop(workshop.slug), text: placeOf(workshop, locale) },
      scripts: ['people'],
      done: doneJustNow(c),
      status: again?.status,
    },
    <>
      <Problems problems={problems} t={consoleMessagesFor(locale)} />
      <h1>{words.title}</h1>
      <ul class="numbers">
        {numbers.map(([n, text]) => (
          <li>
            <b>{number(n)}</b>
            <small>{text}</small>
          </li>
        ))}
      </ul>
      <h2 id="out">{words.out}</h2>
      <Out c={c} workshop={workshop} out={out} t={t} />
      {counts.length === 0 ? (
        <p>
          {words.inventoryEmpty} <a href={paths.addBoards()}>{t.list.add}</a>
        </p>
      ) : (
        <>
          <LendForm c={c} workshop={workshop} free={free} t={t} people={await borrowers(c, workshop)} />
          <h2>{words.list}</h2>
          {!packable && <p>{words.packOver}</p>}
          {packable &&
            (packed.length === 0 ? (
              <p>{words.listHint}</p>
            ) : (
              <Packed c={c} workshop={workshop} packed={packed} t={t} />
            ))}
          {packable && (
            <PackForm
              workshop={workshop}
              packed={packed}
              kinds={counts.map(({ kind }) => kind)}
              shown={again?.shown ?? { kind: '', count: missingOf(workshop, packed), serials: '' }}
              problems={problems}
              t={t}
            />
          )}
        </>
      )}
      <p class="links">
        <a href={paths.boards()}>{words.toInventory}</a>
      </p>
    </>,
  )
}

/** As many as are still to be packed, or nothing. */
function missingOf({ boards }: Workshop, packed: Board[]): string {
  return boards > packed.length ? String(boards - packed.length) : ''
}

/** The mail as the first of them would get it, before anything is sent. */
async function askPage(c: Context<App>, workshop: Workshop): Promise<Response> {
  const { deps } = c.env
  const { locale } = c.var
  const t = boardMessagesFor(locale).workshop
  const asked = (await listBoardsOut(deps, workshop.id)).filter((loan) => mayBeAsked(loan, deps.now()))
  const [first] = asked
  const [registration] = first ? await findRegistrations(deps, [first.registrationId]) : []
  const mail =
    first &&
    registration &&
    draftOf(deps, { kind: 'board_due', facts: { board: first.board, from: workshop.id } }, registration)
  return consolePage(
    c,
    {
      title: t.askTitle,
      section: 'campaigns',
      back: { href: paths.workshopBoards(workshop.slug), text: t.title },
    },
    <>
      <h1>{t.askTitle}</h1>
      <p class="lead">{mail ? t.askLead(asked.length) : t.askNobody}</p>
      {mail && (
        <>
          <article class="panel letter">
            <h2>{mail.subject}</h2>
            <p class="source">{mail.text}</p>
          </article>
          <form class="actions" method="post" action={paths.askForBoards(workshop.slug)}>
            <ConfirmField />
            <button type="submit">{t.askSubmit(asked.length)}</button>
            <a class="button second" href={paths.workshopBoards(workshop.slug)}>
              {t.askBack}
            </a>
          </form>
        </>
      )}
    </>,
  )
}
