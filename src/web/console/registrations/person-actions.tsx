import { type Context, Hono } from 'hono'
import type { Child } from 'hono/jsx'
import {
  cancelPerson,
  erasePerson,
  movePerson,
  type Person,
  promotePerson,
} from '../../../domain/registrations/admin.ts'
import type { EraseRefusal } from '../../../domain/registrations/seats.ts'
import { currentActor } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { joinSentences } from '../../../i18n/format.ts'
import { registrationMessages } from '../../../i18n/registrations.ts'
import { ConflictNotice } from '../../ui/notices.tsx'
import { consolePage } from '../layout.tsx'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import { MoveTargets, PromotionFields, parsePromotionForm } from './action-fields.tsx'
import { listCampaignWorkshops, loadPerson, redirectToPerson } from './current-person.ts'

/** Actions on one person with a confirmation page: cancel, move, promote, erase. */
export const personActionPages = new Hono<App>()

personActionPages.get('/console/people/:id/cancel', async (c) => {
  const person = await loadPerson(c)
  if (!person) return c.notFound()
  return person.status === 'cancelled' ? c.redirect(paths.person(person.id)) : cancelPage(c, person)
})

personActionPages.post('/console/people/:id/cancel', async (c) => {
  const person = await loadPerson(c)
  if (!person) return c.notFound()
  if (!(await isConfirmed(c))) return cancelPage(c, person)
  const outcome = await cancelPerson(c.env.deps, currentActor(c), person)
  if (outcome === 'cancelled' || outcome === 'already_cancelled') return redirectToPerson(c, person.id, 'cancelled')
  return cancelPage(c, person, registrationMessages(c.var.locale).cancelRefusals[outcome])
})

personActionPages.get('/console/people/:id/move', async (c) => {
  const person = await loadPerson(c)
  return person ? movePage(c, person) : c.notFound()
})

personActionPages.post('/console/people/:id/move', async (c) => {
  const person = await loadPerson(c)
  if (!person) return c.notFound()
  const { to } = await parseFormBody(c)
  const outcome = await movePerson(c.env.deps, currentActor(c), person, typeof to === 'string' ? to : '')
  if (outcome.kind === 'moved') return redirectToPerson(c, person.id, 'moved')
  return movePage(c, person, registrationMessages(c.var.locale).moveRefusals[outcome.refusal])
})

personActionPages.get('/console/people/:id/promote', async (c) => {
  const person = await loadPerson(c)
  return person ? promotePage(c, person) : c.notFound()
})

personActionPages.post('/console/people/:id/promote', async (c) => {
  const person = await loadPerson(c)
  if (!person) return c.notFound()
  const t = registrationMessages(c.var.locale)
  const form = parsePromotionForm(await parseFormBody(c))
  if (form.problem) return promotePage(c, person, { ...form, status: 422, problem: t.promote[form.problem] })
  const outcome = await promotePerson(c.env.deps, currentActor(c), person, form)
  if (outcome.kind === 'promoted') return redirectToPerson(c, person.id, 'promoted')
  const { refusal, taken, capacity } = outcome
  return promotePage(c, person, { ...form, status: 409, problem: t.promoteRefusals[refusal](taken, capacity) })
})

personActionPages.get('/console/people/:id/erase', async (c) => {
  const person = await loadPerson(c)
  return person ? erasePage(c, person) : c.notFound()
})

personActionPages.post('/console/people/:id/erase', async (c) => {
  const person = await loadPerson(c)
  if (!person) return c.notFound()
  if (!(await isConfirmed(c))) return erasePage(c, person)
  const outcome = await erasePerson(c.env.deps, currentActor(c), person)
  if (outcome === 'not_found') return c.notFound()
  if (outcome === 'board_not_returned') return erasePage(c, person, outcome)
  return c.redirect(withQuery(paths.workshopPeople(person.workshop.slug), { done: 'erased' }), 303)
})

function cancelPage(c: Context<App>, person: Person, refusal?: string) {
  const t = registrationMessages(c.var.locale)
  return confirmPage(c, person, {
    title: t.cancel.title(person.name),
    action: paths.personCancel(person.id),
    content: <p>{t.cancel.warning}</p>,
    submit: t.cancel.submit,
    dangerous: true,
    back: t.cancel.back,
    refusal,
  })
}

async function movePage(c: Context<App>, person: Person, refusal?: string) {
  const t = registrationMessages(c.var.locale)
  const others = (await listCampaignWorkshops(c, person)).filter(({ id }) => id !== person.workshop.id)
  return confirmPage(c, person, {
    title: t.move.title(person.name),
    action: paths.personMove(person.id),
    content: (
      <>
        <p>{others.length > 0 ? t.move.warning : t.move.none}</p>
        <MoveTargets c={c} workshops={others} t={t} />
      </>
    ),
    submit: others.length > 0 ? t.move.submit : undefined,
    back: t.move.back,
    refusal,
  })
}

type RejectedPromotion = { reason: string; addSeat: boolean; status: 409 | 422; problem: string }

function promotePage(c: Context<App>, person: Person, rejected?: RejectedPromotion) {
  const t = registrationMessages(c.var.locale)
  const { taken, capacity } = person.workshop
  return confirmPage(c, person, {
    title: t.promote.title(person.name),
    action: paths.personPromote(person.id),
    content: (
      <>
        <p>{joinSentences(t.promote.warning, t.promote.seats(taken, capacity))}</p>
        <div class="narrow">
          <PromotionFields reason={rejected?.reason} addSeat={rejected?.addSeat} label={t.promote.addSeat} t={t} />
        </div>
      </>
    ),
    submit: t.promote.submit,
    back: t.promote.back,
    refusal: rejected?.problem,
    status: rejected?.status,
  })
}

function erasePage(c: Context<App>, person: Person, refusal?: Exclude<EraseRefusal, 'not_found'>) {
  const t = registrationMessages(c.var.locale)
  return confirmPage(c, person, {
    title: t.erase.title(person.name),
    action: paths.personErase(person.id),
    content: <p>{t.erase.warning}</p>,
    submit: t.erase.submit,
    dangerous: true,
    back: t.erase.back,
    refusal: refusal && t.erase.refusals[refusal],
  })
}

/** Confirmation page for an action on a person. Without `submit` it has no submit button. */
function confirmPage(
  c: Context<App>,
  person: Person,
  options: {
    title: string
    action: string
    content: Child
    submit: string | undefined
    dangerous?: boolean
    back: string
    refusal?: string | undefined
    status?: 409 | 422 | undefined
  },
) {
  const t = registrationMessages(c.var.locale)
  const { title, refusal, status = 409 } = options
  return consolePage(
    c,
    {
      title,
      section: 'campaigns',
      back: { href: paths.person(person.id), text: person.name },
      status: refusal ? status : undefined,
    },
    <>
      {refusal && <ConflictNotice title={t.person.refused}>{refusal}</ConflictNotice>}
      <h1>{title}</h1>
      <form method="post" action={options.action} novalidate>
        <ConfirmField />
        {options.content}
        <div class="actions">
          {options.submit && (
            <button type="submit" class={options.dangerous ? 'warn' : undefined}>
              {options.submit}
            </button>
          )}
          <a class="button second" href={paths.person(person.id)}>
            {options.back}
          </a>
        </div>
      </form>
    </>,
  )
}
