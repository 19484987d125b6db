import { type Context, Hono } from 'hono'
import { allocateBoards, canAllocateBoards, releaseBoards } from '../../../domain/boards/allocation.ts'
import { type Board, countBoards, listAllBoards } from '../../../domain/boards/inventory.ts'
import {
  canRequestReturn,
  lendBoard,
  listActiveLoans,
  listDoorBoards,
  requestReturns,
  returnBoard,
} from '../../../domain/boards/loans.ts'
import { parseBoards } from '../../../domain/boards/serials.ts'
import { findRegistrations } from '../../../domain/registrations/registrations.ts'
import { findWorkshop, type Workshop } from '../../../domain/workshops/workshops.ts'
import { previewMessage } from '../../../email/message.ts'
import { currentActor } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { isUuid, parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { boardMessages } from '../../../i18n/boards.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatPlace } from '../../../i18n/format.ts'
import { consolePage } from '../layout.tsx'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import { EmailPreview } from '../ui/email-preview.tsx'
import { ErrorSummary, type FieldError, optionalUuid, stringField } from '../ui/fields.tsx'
import { KeyNumbers } from '../ui/numbers.tsx'
import { ActiveLoans, LendForm, listBorrowers } from './active-loans.tsx'
import { AllocateForm, type AllocateFormValues, Allocations } from './allocations.tsx'
import { boardFieldErrors } from './form-fields.ts'

/** The boards of a workshop: allocation, loans, asking for overdue ones. */
export const workshopBoardPages = new Hono<App>()

workshopBoardPages.get('/console/workshops/:slug/boards', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  return workshop ? workshopBoardsPage(c, workshop) : c.notFound()
})

workshopBoardPages.post('/console/workshops/:slug/boards/pack', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const t = boardMessages(c.var.locale)
  const body = await parseFormBody(c)
  const values = {
    kind: stringField(body, 'kind'),
    count: stringField(body, 'count'),
    serials: stringField(body, 'serials'),
  }
  const refuse = (field: string, text: string, status: 409 | 422 = 422) =>
    workshopBoardsPage(c, workshop, { values, problems: [{ field, text }], status })
  const allocate = async (selection: Parameters<typeof allocateBoards>[3]) => {
    const allocated = await allocateBoards(deps, currentActor(c), workshop, selection)
    if (allocated === 'over') return refuse('out', t.workshop.packOver, 409)
    return allocated > 0 || 'ids' in selection
      ? redirectToWorkshopBoards(c, workshop, `packed-${allocated}`)
      : refuse('count', t.workshop.packNone, 409)
  }

  if (values.serials.trim()) {
    const { kind, serials, problems } = parseBoards(values)
    if (problems.length > 0)
      return workshopBoardsPage(c, workshop, { values, problems: boardFieldErrors(problems, t), status: 422 })
    const boards = await listAllBoards(deps, { kind })
    const bySerial = new Map(boards.map((board) => [board.serial, board]))
    const unknown = serials.filter((serial) => bySerial.get(serial)?.state !== 'usable')
    if (unknown.length > 0) return refuse('serials', t.workshop.packUnknown(unknown.slice(0, 20)), 409)
    const ids = serials.flatMap((serial) => bySerial.get(serial)?.id ?? [])
    return allocate({ ids })
  }
  const count = Number(/^\d{1,4}$/.exec(values.count.trim())?.[0] ?? 0)
  if (count === 0) return refuse('count', t.workshop.packMissing)
  const allocatedBefore = /^\d{1,6}$/.exec(stringField(body, `packed.${values.kind}`))?.[0]
  return allocate({ kind: values.kind, count, ...(allocatedBefore && { alreadyAllocated: Number(allocatedBefore) }) })
})

workshopBoardPages.post('/console/workshops/:slug/boards/unpack', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const body = await parseFormBody(c, { all: true })
  const ids = [body.id].flat().filter(isUuid)
  const released = await releaseBoards(deps, currentActor(c), workshop, body.do === 'all' ? undefined : ids)
  return redirectToWorkshopBoards(c, workshop, `unpacked-${released}`)
})

workshopBoardPages.post('/console/workshops/:slug/boards/lend', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const { loanRefusals } = boardMessages(c.var.locale)
  const body = await parseFormBody(c)
  const { board: boardId, person: registrationId } = body
  const refuse = (text: string) =>
    workshopBoardsPage(c, workshop, { problems: [{ field: 'board', text }], status: 409 })
  if (!isUuid(boardId) || !isUuid(registrationId)) return refuse(loanRefusals.not_found())
  const result = await lendBoard(deps, currentActor(c), {
    ...{ id: optionalUuid(body, 'nonce') ?? deps.newId(), boardId, registrationId },
    ...{ workshopId: workshop.id, at: deps.now() },
  })
  switch (result.outcome) {
    case 'lent':
      return redirectToWorkshopBoards(c, workshop, 'lent')
    case 'board_taken':
      return refuse(loanRefusals.board_taken(result.by ?? ''))
    case 'has_board':
      return refuse(loanRefusals.has_board(result.serial))
    case 'unusable':
    case 'not_found':
      return refuse(loanRefusals[result.outcome]())
  }
})

workshopBoardPages.post('/console/workshops/:slug/boards/return', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const { returnRefusals } = boardMessages(c.var.locale)
  const body = await parseFormBody(c)
  const { board: boardId } = body
  const result = isUuid(boardId)
    ? await returnBoard(deps, currentActor(c), {
        id: optionalUuid(body, 'nonce') ?? deps.newId(),
        boardId,
        at: deps.now(),
      })
    : ({ outcome: 'not_found' } as const)
  if (result.outcome === 'returned') return redirectToWorkshopBoards(c, workshop, 'returned')
  return workshopBoardsPage(c, workshop, {
    problems: [{ field: 'out', text: returnRefusals[result.outcome] }],
    status: 409,
  })
})

workshopBoardPages.get('/console/workshops/:slug/boards/ask', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  return workshop ? requestReturnsPage(c, workshop) : c.notFound()
})

workshopBoardPages.post('/console/workshops/:slug/boards/ask', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return requestReturnsPage(c, workshop)
  return redirectToWorkshopBoards(c, workshop, `asked-${await requestReturns(deps, currentActor(c), workshop)}`)
})

function redirectToWorkshopBoards(c: Context<App>, { slug }: Workshop, flash: string): Response {
  return c.redirect(withQuery(paths.workshopBoards(slug), { done: flash }), 303)
}

function flashMessage(c: Context<App>): string | undefined {
  const { board, workshop } = boardMessages(c.var.locale)
  const [, code = '', n = '0'] =
    /^(packed|unpacked|asked|lent|returned)(?:-(\d{1,6}))?$/.exec(c.req.query('done') ?? '') ?? []
  const messages: Record<string, string | undefined> = {
    packed: workshop.packDone(Number(n)),
    unpacked: workshop.unpackDone(Number(n)),
    asked: workshop.askDone(Number(n)),
    lent: workshop.lendDone,
    returned: board.returned,
  }
  return messages[code]
}

type RejectedAllocateForm = {
  values?: AllocateFormValues
  problems: FieldError[]
  status: 409 | 422
}

async function workshopBoardsPage(
  c: Context<App>,
  workshop: Workshop,
  rejected?: RejectedAllocateForm,
): Promise<Response> {
  const { deps } = c.env
  const { locale } = c.var
  const t = boardMessages(locale)
  const words = t.workshop
  const [boards, loans, doorInventory, counts] = await Promise.all([
    listAllBoards(deps, { workshopId: workshop.id }),
    listActiveLoans(deps, workshop.id),
    listDoorBoards(deps, workshop.id),
    countBoards(deps),
  ])
  const free = doorInventory.filter(({ registration }) => registration === null)
  const allocated = boards.filter(({ packedFor }) => packedFor?.id === workshop.id)
  const problems = rejected?.problems ?? []
  const canAllocate = canAllocateBoards(deps, workshop)
  return consolePage(
    c,
    {
      title: `${words.title} · ${formatPlace(workshop, locale)}`,
      section: 'campaigns',
      back: { href: paths.consoleWorkshop(workshop.slug), text: formatPlace(workshop, locale) },
      scripts: ['people'],
      flash: flashMessage(c),
      status: rejected?.status,
    },
    <>
      <ErrorSummary problems={problems} t={consoleMessages(locale)} />
      <h1>{words.title}</h1>
      <KeyNumbers
        numbers={[
          [workshop.boards, words.planned],
          [allocated.length, words.packed],
          [loans.length, words.lent],
          [free.length, words.free],
        ]}
      />
      <h2 id="out">{words.out}</h2>
      <ActiveLoans c={c} workshop={workshop} loans={loans} t={t} />
      {counts.length === 0 ? (
        <p>
          {words.inventoryEmpty} <a href={paths.addBoards()}>{t.list.add}</a>
        </p>
      ) : (
        <>
          <LendForm c={c} workshop={workshop} free={free} t={t} people={await listBorrowers(c, workshop)} />
          <h2>{words.list}</h2>
          {!canAllocate && <p>{words.packOver}</p>}
          {canAllocate &&
            (allocated.length === 0 ? (
              <p>{words.listHint}</p>
            ) : (
              <Allocations c={c} workshop={workshop} allocated={allocated} t={t} />
            ))}
          {canAllocate && (
            <AllocateForm
              workshop={workshop}
              allocated={allocated}
              kinds={counts.map(({ kind }) => kind)}
              values={rejected?.values ?? { kind: '', count: boardsToAllocate(workshop, allocated), serials: '' }}
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

/** How many boards are still to be allocated, as a form value. */
function boardsToAllocate({ boards }: Workshop, allocated: Board[]): string {
  return boards > allocated.length ? String(boards - allocated.length) : ''
}

/** Asks for confirmation, with a preview of the mail to the first borrower. */
async function requestReturnsPage(c: Context<App>, workshop: Workshop): Promise<Response> {
  const { deps } = c.env
  const { locale } = c.var
  const t = boardMessages(locale).workshop
  const loans = (await listActiveLoans(deps, workshop.id)).filter((loan) => canRequestReturn(loan, deps.now()))
  const [first] = loans
  const [registration] = first ? await findRegistrations(deps, [first.registrationId]) : []
  const mail =
    first &&
    registration &&
    previewMessage(deps, { kind: 'board_due', payload: { board: first.board, from: workshop.id } }, registration)
  return consolePage(
    c,
    {
      title: t.askTitle,
      section: 'campaigns',
      back: { href: paths.workshopBoards(workshop.slug), text: t.title },
    },
    <>
      <h1>{t.askTitle}</h1>
      <p class="lead">{mail ? t.askLead(loans.length) : t.askNobody}</p>
      {mail && (
        <>
          <EmailPreview mail={mail} />
          <form class="actions" method="post" action={paths.requestBoardReturns(workshop.slug)}>
            <ConfirmField />
            <button type="submit">{t.askSubmit(loans.length)}</button>
            <a class="button second" href={paths.workshopBoards(workshop.slug)}>
              {t.askBack}
            </a>
          </form>
        </>
      )}
    </>,
  )
}
