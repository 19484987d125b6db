import { type Context, Hono } from 'hono'
import { audited } from '../audited.ts'
import type { App } from '../context.ts'
import type { Deps } from '../deps.ts'
import { findCampaign } from '../domain/campaigns.ts'
import { findRegistrations, type Registration } from '../domain/registrations.ts'
import { listRoster } from '../domain/roster.ts'
import { cancelWorkshop } from '../domain/seats.ts'
import {
  changesTimeOrPlace,
  changeWorkshop,
  createWorkshop,
  findWorkshop,
  seatsLeft,
  timeAndPlace,
  type Workshop,
  type WorkshopChanges,
  type WorkshopDraft,
} from '../domain/workshops.ts'
import { readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { draftOf } from '../mail/message.ts'
import { afterwardsMessagesFor } from '../messages/afterwards.ts'
import { boardMessagesFor } from '../messages/boards.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { doorMessagesFor } from '../messages/door.ts'
import { mailingMessagesFor } from '../messages/mailing.ts'
import { readinessMessagesFor } from '../messages/readiness.ts'
import { pick, placeOf } from '../messages/text.ts'
import { Items, mayChange, State, Warnings, whenOf } from './campaigns.tsx'
import { rearranged } from './checklist.tsx'
import { ConfirmField, isConfirmed } from './confirmation.tsx'
import { problemsOf, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { Form } from './read-form.ts'
import { backTo, formPage, readFacts, refusedOf, shownAgain, shownOf } from './workshop-form.tsx'

/** A workshop: how it stands, changing it, publishing, closing and cancelling it. */
export const workshopPages = new Hono<App>()

workshopPages.get('/console/workshops/:slug', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  return workshop ? workshopPage(c, workshop) : c.notFound()
})

/** Publishes, closes, opens again or takes back, by the button that was pressed. */
workshopPages.post('/console/workshops/:slug/state', async (c) => {
  const { deps } = c.env
  const t = consoleMessagesFor(c.get('locale'))
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  const asked = typed(await readFormBody(c), 'state')
  const state = (['draft', 'published', 'closed'] as const).find((state) => state === asked)
  if (!workshop || !state) return c.notFound()
  const changed = await changeWorkshop(deps, workshop.slug, { state })
  if (changed.kind === 'refused') {
    const [problem] = problemsOf([refusedOf(changed)], t, {})
    return consolePage(
      c,
      { title: placeOf(workshop, c.get('locale')), section: 'campaigns', back: backTo(workshop, c), status: 409 },
      <div class="alert" role="alert">
        <p>{problem?.text}</p>
      </div>,
    )
  }
  const what =
    state === 'draft'
      ? 'unpublished'
      : state === 'closed'
        ? 'closed'
        : workshop.state === 'closed'
          ? 'reopened'
          : 'published'
  await audited(c, { action: `workshop.${what}`, workshopId: workshop.id, facts: { slug: workshop.slug } })
  return c.redirect(withQuery(paths.consoleWorkshop(workshop.slug), { done: what }), 303)
})

workshopPages.get('/console/workshops/:slug/cancel', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  return workshop ? cancelPage(c, workshop) : c.notFound()
})

async function cancelPage(c: Context<App>, workshop: Workshop) {
  const { deps } = c.env
  const t = consoleMessagesFor(c.get('locale')).workshops
  const someone = await someoneOf(deps, workshop)
  const mail =
    someone && draftOf(deps, { kind: 'cancelled', facts: { by: 'workshop' } }, { ...someone, status: 'cancelled' })
  return consolePage(
    c,
    { title: t.cancelTitle, section: 'campaigns', back: backTo(workshop, c) },
    <>
      <h1>{t.cancelTitle}</h1>
      <p class="lead">
        {placeOf(workshop, c.get('locale'))} · {whenOf(workshop, c)}
        <br />
        {t.cancelLead(workshop.taken + workshop.waitlisted)}
      </p>
      {mail && <Letter mail={mail} />}
      <form class="actions" method="post" action={paths.cancelWorkshop(workshop.slug)}>
        <ConfirmField />
        <button class="warn" type="submit">
          {t.cancelButton}
        </button>
        <a class="button second" href={paths.consoleWorkshop(workshop.slug)}>
          {consoleMessagesFor(c.get('locale')).back}
        </a>
      </form>
    </>,
  )
}

workshopPages.post('/console/workshops/:slug/cancel', async (c) => {
  const { deps } = c.env
  const t = consoleMessagesFor(c.get('locale'))
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return cancelPage(c, workshop)
  const cancelled = await cancelWorkshop(deps, workshop.slug)
  if (cancelled.kind === 'changed') {
    const { id, slug } = cancelled.workshop
    await audited(c, { action: 'workshop.cancelled', workshopId: id, facts: { slug } })
    return c.redirect(withQuery(paths.consoleWorkshop(slug), { done: 'cancelled' }), 303)
  }
  if (cancelled.refusal === 'not_found') return c.notFound()
  const [problem] = problemsOf([refusedOf(cancelled)], t, {})
  return consolePage(
    c,
    { title: t.workshops.cancelTitle, section: 'campaigns', status: 409 },
    <div class="alert" role="alert">
      <p>{problem?.text}</p>
    </div>,
  )
})

/** A further city of a campaign; `?from=` names one to copy. */
workshopPages.get('/console/campaigns/:slug/workshops', async (c) => {
  const { deps } = c.env
  const campaign = await findCampaign(deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  const like = await findWorkshop(deps, c.req.query('from') ?? campaign.workshops.at(-1)?.slug ?? '')
  return formPage(c, { campaign }, shownOf(like, campaign, deps.config.timeZone, Boolean(c.req.query('from'))))
})

workshopPages.post('/console/campaigns/:slug/workshops', async (c) => {
  const { deps } = c.env
  const campaign = await findCampaign(deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  const form = new Form(await readFormBody(c))
  const facts = readFacts(form, deps.config.timeZone)
  const shown = shownAgain(form, facts.items)
  const action = typed(form.body, 'do')
  if (action) return formPage(c, { campaign }, { ...shown, items: rearranged(facts.items, action), pressed: action })
  if (form.refused.length > 0) return formPage(c, { campaign }, shown, form.refused)
  // A campaign that is published is what people read: its new city is too once an organiser says so.
  const created = await createWorkshop(deps, { ...facts, campaignId: campaign.id } as WorkshopDraft)
  if (created.kind === 'refused') return formPage(c, { campaign }, shown, [refusedOf(created)])
  const { id, slug } = created.workshop
  await audited(c, { action: 'workshop.created', workshopId: id, facts: { slug } })
  return c.redirect(withQuery(paths.consoleWorkshop(slug), { done: 'created' }), 303)
})

workshopPages.get('/console/workshops/:slug/edit', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  return formPage(c, { workshop }, shownOf(workshop, undefined, workshop.timeZone, true))
})

workshopPages.post('/console/workshops/:slug/edit', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const form = new Form(await readFormBody(c))
  const facts = readFacts(form, workshop.timeZone)
  const shown = shownAgain(form, facts.items)
  const action = typed(form.body, 'do')
  if (action) return formPage(c, { workshop }, { ...shown, items: rearranged(facts.items, action), pressed: action })
  if (form.refused.length > 0) return formPage(c, { workshop }, shown, form.refused)
  const changes = facts as WorkshopChanges
  const registered = workshop.taken + workshop.waitlisted
  const tell = typed(form.body, 'tell')
  const tells = registered > 0 && workshop.status !== 'over' && changesTimeOrPlace(workshop, changes)
  if (tells && !tell) return tellPage(c, workshop, changes, form)
  const changed = await changeWorkshop(deps, workshop.slug, changes, { tell: tells && tell === 'yes' })
  if (changed.kind === 'refused') return formPage(c, { workshop }, shown, [refusedOf(changed)])
  const told = tells && tell === 'yes'
  await audited(c, {
    action: 'workshop.changed',
    workshopId: workshop.id,
    facts: { slug: changed.workshop.slug, told },
  })
  return c.redirect(withQuery(paths.consoleWorkshop(changed.workshop.slug), { done: told ? 'told' : 'saved' }), 303)
})

/** As on a phone: the page itself in a frame, drawn for whoever may see drafts. */
workshopPages.get('/console/workshops/:slug/preview', async (c) => {
  const t = consoleMessagesFor(c.get('locale')).workshops
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  return consolePage(
    c,
    { title: t.preview, section: 'campaigns', back: backTo(workshop, c, true) },
    <>
      <h1>{t.preview}</h1>
      <p class="lead">{t.previewLead}</p>
      <iframe class="phone" src={paths.previewPage(workshop.slug)} title={t.preview} />
    </>,
  )
})

/** How a workshop stands, and what can be done with it. */
function workshopPage(c: Context<App>, workshop: Workshop) {
  const locale = c.get('locale')
  const t = consoleMessagesFor(locale)
  const { slug, state } = workshop
  const over = workshop.status === 'over'
  return consolePage(
    c,
    { title: placeOf(workshop, locale), section: 'campaigns', back: backTo(workshop, c), done: doneJustNow(c) },
    <>
      <h1>
        {placeOf(workshop, locale)} <State state={state} t={t} />
      </h1>
      <p class="lead">
        {whenOf(workshop, c)}
        <br />
        {pick(workshop.address, locale)}
      </p>
      <ul class="numbers">
        <li>
          <b>{workshop.capacity}</b>
          <small>{t.workshops.seats}</small>
        </li>
        <li>
          <b>{workshop.taken}</b>
          <small>{t.workshops.taken}</small>
        </li>
        <li>
          <b>{seatsLeft(workshop)}</b>
          <small>{t.workshops.left}</small>
        </li>
        <li>
          <b>{workshop.waitlisted}</b>
          <small>{t.workshops.waiting}</small>
        </li>
      </ul>
      {mayChange(c) && state === 'draft' && <Warnings workshops={[workshop]} c={c} />}
      {mayChange(c) && state !== 'cancelled' && (
        <form class="actions" method="post" action={paths.setWorkshopState(slug)}>
          {state === 'draft' && (
            <button type="submit" name="state" value="published">
              {t.workshops.publish}
            </button>
          )}
          {state !== 'draft' && (
            <a class="button" href={paths.workshopPeople(slug)}>
              {t.workshops.people}
            </a>
          )}
          <a class="button second" href={paths.editWorkshop(slug)}>
            {t.workshops.edit}
          </a>
          {state !== 'draft' && (
            <a class="button second" href={paths.spreadWorkshop(slug)}>
              {t.workshops.spread}
            </a>
          )}
          {state === 'published' && !over && (
            <button class="second" type="submit" name="state" value="closed" title={t.workshops.closeHint}>
              {t.workshops.close}
            </button>
          )}
          {state === 'closed' && (
            <button class="second" type="submit" name="state" value="published">
              {t.workshops.reopen}
            </button>
          )}
          {state !== 'draft' && workshop.taken + workshop.waitlisted === 0 && (
            <button class="second" type="submit" name="state" value="draft">
              {t.workshops.unpublish}
            </button>
          )}
        </form>
      )}
      <Course workshop={workshop} c={c} />
      {workshop.items.length > 0 && <h2>{t.items.title}</h2>}
      <Items items={workshop.items} t={t} c={c} />
    </>,
  )
}

/** Where else one goes from a workshop, in the order of its course. */
function Course({ workshop, c }: { workshop: Workshop; c: Context<App> }) {
  const locale = c.get('locale')
  const t = consoleMessagesFor(locale)
  const { slug, state, campaign } = workshop
  const afterwards = afterwardsMessagesFor(locale)
  const may = mayChange(c)
  const announced = state !== 'draft'
  const links: Record<keyof typeof t.workshops.course, (false | { href: string; text: string })[]> = {
    before: [
      { href: paths.workshopFigures(slug), text: t.workshops.figures },
      { href: paths.workshopReadiness(slug), text: readinessMessagesFor(locale).console.link },
      may && announced && { href: paths.workshopMessages(slug), text: mailingMessagesFor(locale).list.link },
      may && announced && { href: paths.group(slug), text: t.workshops.group },
    ],
    day: [
      may && announced && { href: paths.consoleDoor(slug), text: doorMessagesFor(locale).console.title },
      may && { href: paths.workshopBoards(slug), text: boardMessagesFor(locale).workshop.link },
    ],
    after: [
      may && announced && { href: paths.attendance(slug), text: afterwards.attendance.link },
      may && { href: paths.materials(slug), text: afterwards.materials.link },
    ],
    itself: [
      announced && { href: paths.workshop(slug), text: t.campaigns.page },
      { href: paths.previewWorkshop(slug), text: t.workshops.preview },
      may &&
        campaign !== null && {
          href: withQuery(paths.addWorkshop(campaign.slug), { from: slug }),
          text: t.workshops.duplicate,
        },
      may &&
        state !== 'cancelled' &&
        workshop.status !== 'over' && { href: paths.cancelWorkshop(slug), text: t.workshops.cancel },
    ],
  }
  return (
    <nav class="course">
      {(['before', 'day', 'after', 'itself'] as const).map((part) => {
        const some = links[part].filter((link) => link !== false)
        return (
          some.length > 0 && (
            <section>
              <h2>{t.workshops.course[part]}</h2>
              {some.map(({ href, text }) => (
                <a href={href}>{text}</a>
              ))}
            </section>
          )
        )
      })}
    </nav>
  )
}

/** What was done just now, by the name that the address carries. */
function doneJustNow(c: Context<App>): string | undefined {
  const { workshops } = consoleMessagesFor(c.get('locale'))
  const { saved, created, published, closed, reopened, unpublished, cancelled, told } = workshops
  const all = { saved, created, published, closed, reopened, unpublished, cancelled, told }
  return all[c.req.query('done') as keyof typeof all]
}

/** Somebody who is registered, to show a mail by: with a seat, if anybody has one. */
async function someoneOf(deps: Deps, workshop: Workshop): Promise<Registration | undefined> {
  const {
    lines: [first],
  } = await listRoster(deps, workshop, { status: workshop.taken > 0 ? 'confirmed' : 'waitlisted', limit: 1 })
  return first && (await findRegistrations(deps, [first.id]))[0]
}

/** A mail as it would be sent, in plain text. */
export function Letter({ mail }: { mail: { subject: string; text: string } }) {
  return (
    <article class="panel">
      <h2>{mail.subject}</h2>
      <p class="source">{mail.text}</p>
    </article>
  )
}

/** Asks whether those who are registered are to be told, and shows what they would be. */
async function tellPage(c: Context<App>, workshop: Workshop, changes: WorkshopChanges, form: Form) {
  const { deps } = c.env
  const t = consoleMessagesFor(c.get('locale')).workshops
  const registration = await someoneOf(deps, workshop)
  const changed = { ...workshop, ...Object.fromEntries(Object.entries(changes).filter(([name]) => name !== 'items')) }
  const mail =
    registration &&
    draftOf(
      deps,
      { kind: 'changed', facts: { before: timeAndPlace(workshop) } },
      { ...registration, workshop: changed },
    )
  return consolePage(
    c,
    { title: t.tellTitle, section: 'campaigns', back: backTo(workshop, c, true) },
    <>
      <h1>{t.tellTitle}</h1>
      <p class="lead">{t.tellLead(workshop.taken + workshop.waitlisted)}</p>
      {mail && <Letter mail={mail} />}
      <form class="actions" method="post" action={paths.editWorkshop(workshop.slug)}>
        {Object.entries(form.body).map(([name, value]) =>
          name === 'tell' || typeof value !== 'string' ? null : <input type="hidden" name={name} value={value} />,
        )}
        <button type="submit" name="tell" value="yes">
          {t.tell}
        </button>
        <button class="second" type="submit" name="tell" value="no">
          {t.tellNot}
        </button>
        {/* A link would lose what was typed. */}
        <button class="second" type="submit" name="do" value="again">
          {t.editAgain}
        </button>
      </form>
    </>,
  )
}
