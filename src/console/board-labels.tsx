import { Hono } from 'hono'
import type { App } from '../context.ts'
import { allBoards, type Board, findBoards } from '../domain/boards.ts'
import { isId } from '../form-body.ts'
import { paths, urlOf } from '../links.ts'
import { boardMessagesFor } from '../messages/boards.ts'
import { qrPath } from '../qr.ts'
import { readFilter } from './boards.tsx'
import { onPages, sheetPage } from './sheet.tsx'

/** Labels to stick on boards: those of chosen ones, or of all that a filter lets through. */
export const boardLabels = new Hono<App>()

/** On an A4 page there is room for four columns of eight labels of 46 by 34 mm. */
const labelsPerPage = 32

boardLabels.get('/console/boards/labels', async (c) => {
  const { deps } = c.env
  const ids = (c.req.queries('id') ?? []).filter(isId)
  const boards = c.req.query('chosen')
    ? await findBoards(deps, ids)
    : (await allBoards(deps, readFilter(c))).filter(({ state }) => state !== 'retired')
  const t = boardMessagesFor(c.var.locale)
  const { privacyContact, baseUrl } = deps.config
  return sheetPage(
    c,
    {
      title: t.labels.title,
      of: t.list.title,
      back: { href: paths.boards(), text: t.labels.back },
      hint: boards.length > 0 ? t.labels.print : t.labels.nothing,
    },
    onPages(boards, labelsPerPage).map((some) => (
      <section class="board-labels">
        {some.map((board) => (
          <Label
            board={board}
            url={urlOf(baseUrl, paths.boardLabel(board.code))}
            alt={t.labels.alt(t.named(board.kind, board.serial))}
            owner={t.labels.owner(privacyContact || new URL(baseUrl).host)}
          />
        ))}
      </section>
    )),
  )
})

/** The QR stands in its own white, four modules wide, whatever is around it. */
function Label({ board, url, alt, owner }: { board: Board; url: string; alt: string; owner: string }) {
  const { side, dark } = qrPath(url)
  return (
    <div class="board-label">
      <svg viewBox={`0 0 ${side} ${side}`} shape-rendering="crispEdges" role="img" aria-label={alt}>
        <path class="light" d={`M0 0h${side}v${side}H0z`} />
        <path class="dark" d={dark} />
      </svg>
      <p>
        <b>{board.serial}</b>
        <span>{board.kind}</span>
      </p>
      <small>{owner}</small>
    </div>
  )
}
