import { Hono } from 'hono'
import { type Board, findBoards, listAllBoards } from '../../../domain/boards/inventory.ts'
import type { App } from '../../../http/context.ts'
import { isUuid } from '../../../http/form-body.ts'
import { absoluteUrl, paths } from '../../../http/links.ts'
import { boardMessages } from '../../../i18n/boards.ts'
import { qrPath } from '../../../lib/qr.ts'
import { chunk, printPage } from '../ui/print-page.tsx'
import { parseBoardFilter } from './filter.ts'

/** Printable board labels: of the selected boards, or of all that match the filter. */
export const boardLabelPages = new Hono<App>()

/** A4 fits four columns of eight labels of 46 × 34 mm. */
const labelsPerPage = 32

boardLabelPages.get('/console/boards/labels', async (c) => {
  const { deps } = c.env
  const ids = (c.req.queries('id') ?? []).filter(isUuid)
  const boards = c.req.query('chosen')
    ? await findBoards(deps, ids)
    : (await listAllBoards(deps, parseBoardFilter(c))).filter(({ state }) => state !== 'retired')
  const t = boardMessages(c.var.locale)
  const { privacyContact, baseUrl } = deps.config
  return printPage(
    c,
    {
      title: t.labels.title,
      subject: t.list.title,
      back: { href: paths.boards(), text: t.labels.back },
      hint: boards.length > 0 ? t.labels.print : t.labels.nothing,
    },
    chunk(boards, labelsPerPage).map((page) => (
      <section class="board-labels">
        {page.map((board) => (
          <BoardLabel
            board={board}
            url={absoluteUrl(baseUrl, paths.boardLabel(board.code))}
            alt={t.labels.alt(t.named(board.kind, board.serial))}
            owner={t.labels.owner(privacyContact || new URL(baseUrl).host)}
          />
        ))}
      </section>
    )),
  )
})

/** The QR has a white quiet zone of four modules, whatever the background. */
function BoardLabel({ board, url, alt, owner }: { board: Board; url: string; alt: string; owner: string }) {
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
