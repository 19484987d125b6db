import { type Context, Hono } from 'hono'
import { cancelWorkshop } from '../../../domain/registrations/seats.ts'
import { changeWorkshop, findWorkshop, seatsLeft, type Workshop } from '../../../domain/workshops/workshops.ts'
import { previewMessage } from '../../../email/message.ts'
import { audit } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { boardMessages } from '../../../i18n/boards.ts'
import { broadcastMessages } from '../../../i18n/broadcasts.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { doorMessages } from '../../../i18n/door.ts'
import { formatPlace, localize } from '../../../i18n/format.ts'
import { postEventMessages } from '../../../i18n/post-event.ts'
import { readinessMessages } from '../../../i18n/readiness.ts'
import { RefusalNotice } from '../../ui/notices.tsx'
import { consolePage } from '../layout.tsx'
import { canEdit } from '../permissions.ts'
import { ChecklistItems } from '../ui/checklist.tsx'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import { EmailPreview } from '../ui/email-preview.tsx'
import { stringField, translateFormErrors } from '../ui/fields.tsx'
import { KeyNumbers } from '../ui/numbers.tsx'
import { Warnings } from '../ui/publish-warnings.tsx'
import { StatusBadge } from '../ui/status-badges.tsx'
import { dateLabel, workshopBackLink } from '../ui/workshop-labels.ts'
import { findSampleRegistration } from './sample-registration.ts'
import { refusalToFormError } from './workshop-form.ts'

/** A workshop: detail page, state changes, cancelling, preview. */
export const workshopPages = new Hono<App>()

workshopPages.get('/console/workshops/:slug', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  return workshop ? workshopPage(c, workshop) : c.notFound()
})

/** Publishes, closes, reopens or unpublishes, by the clicked button. */
workshopPages.post('/console/workshops/:slug/state', async (c) => {
  const { deps } = c.env
  const t = consoleMessages(c.get('locale'))
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  const requested = stringField(await parseFormBody(c), 'state')
  const state = (['draft', 'published', 'closed'] as const).find((known) => known === requested)
  if (!workshop || !state) return c.notFound()
  const changed = await changeWorkshop(deps, workshop.slug, { state })
  if (changed.kind === 'refused') {
    const [problem] = translateFormErrors([refusalToFormError(changed)], t, {})
    return consolePage(
      c,
      {
        title: formatPlace(workshop, c.get('locale')),
        section: 'campaigns',
        back: workshopBackLink(workshop, c),
        status: 409,
      },
      <RefusalNotice>{problem?.text}</RefusalNotice>,
    )
  }
  const change =
    state === 'draft'
      ? 'unpublished'
      : state === 'closed'
        ? 'closed'
        : workshop.state === 'closed'
          ? 'reopened'
          : 'published'
  await audit(c, { action: `workshop.${change}`, workshopId: workshop.id, payload: { slug: workshop.slug } })
  return c.redirect(withQuery(paths.consoleWorkshop(workshop.slug), { done: change }), 303)
})

workshopPages.get('/console/workshops/:slug/cancel', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  return workshop ? cancelWorkshopPage(c, workshop) : c.notFound()
})

async function cancelWorkshopPage(c: Context<App>, workshop: Workshop) {
  const { deps } = c.env
  const t = consoleMessages(c.get('locale')).workshops
  const sample = await findSampleRegistration(deps, workshop)
  const mail =
    sample &&
    previewMessage(deps, { kind: 'cancelled', payload: { by: 'workshop' } }, { ...sample, status: 'cancelled' })
  return consolePage(
    c,
    { title: t.cancelTitle, section: 'campaigns', back: workshopBackLink(workshop, c) },
    <>
      <h1>{t.cancelTitle}</h1>
      <p class="lead">
        {formatPlace(workshop, c.get('locale'))} · {dateLabel(workshop, c)}
        <br />
        {t.cancelLead(workshop.taken + workshop.waitlisted)}
      </p>
      {mail && <EmailPreview mail={mail} />}
      <form class="actions" method="post" action={paths.cancelWorkshop(workshop.slug)}>
        <ConfirmField />
        <button class="warn" type="submit">
          {t.cancelButton}
        </button>
        <a class="button second" href={paths.consoleWorkshop(workshop.slug)}>
          {consoleMessages(c.get('locale')).back}
        </a>
      </form>
    </>,
  )
}

workshopPages.post('/console/workshops/:slug/cancel', async (c) => {
  const { deps } = c.env
  const t = consoleMessages(c.get('locale'))
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return cancelWorkshopPage(c, workshop)
  const cancelled = await cancelWorkshop(deps, workshop.slug)
  if (cancelled.kind === 'changed') {
    const { id, slug } = cancelled.workshop
    await audit(c, { action: 'workshop.cancelled', workshopId: id, payload: { slug } })
    return c.redirect(withQuery(paths.consoleWorkshop(slug), { done: 'cancelled' }), 303)
  }
  if (cancelled.refusal === 'not_found') return c.notFound()
  const [problem] = translateFormErrors([refusalToFormError(cancelled)], t, {})
  return consolePage(
    c,
    { title: t.workshops.cancelTitle, section: 'campaigns', status: 409 },
    <RefusalNotice>{problem?.text}</RefusalNotice>,
  )
})

/** The public page in a frame of a phone's size; drafts too. */
workshopPages.get('/console/workshops/:slug/preview', async (c) => {
  const t = consoleMessages(c.get('locale')).workshops
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  return consolePage(
    c,
    { title: t.preview, section: 'campaigns', back: workshopBackLink(workshop, c, true) },
    <>
      <h1>{t.preview}</h1>
      <p class="lead">{t.previewLead}</p>
      <iframe class="phone" src={paths.previewPage(workshop.slug)} title={t.preview} />
    </>,
  )
})

function workshopPage(c: Context<App>, workshop: Workshop) {
  const locale = c.get('locale')
  const t = consoleMessages(locale)
  const { slug, state } = workshop
  const over = workshop.status === 'over'
  return consolePage(
    c,
    {
      title: formatPlace(workshop, locale),
      section: 'campaigns',
      back: workshopBackLink(workshop, c),
      flash: flashMessage(c),
    },
    <>
      <h1>
        {formatPlace(workshop, locale)} <StatusBadge state={state} t={t} />
      </h1>
      <p class="lead">
        {dateLabel(workshop, c)}
        <br />
        {localize(workshop.address, locale)}
      </p>
      <KeyNumbers
        numbers={[
          [String(workshop.capacity), t.workshops.seats],
          [String(workshop.taken), t.workshops.taken],
          [String(seatsLeft(workshop)), t.workshops.left],
          [String(workshop.waitlisted), t.workshops.waiting],
        ]}
      />
      {canEdit(c) && state === 'draft' && <Warnings workshops={[workshop]} c={c} />}
      {canEdit(c) && state !== 'cancelled' && (
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
            <a class="button second" href={paths.workshopPromotion(slug)}>
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
      <WorkshopNav workshop={workshop} c={c} />
      {workshop.items.length > 0 && <h2>{t.items.title}</h2>}
      <ChecklistItems items={workshop.items} t={t} c={c} />
    </>,
  )
}

/** Links to the other pages of a workshop, grouped by phase. */
function WorkshopNav({ workshop, c }: { workshop: Workshop; c: Context<App> }) {
  const locale = c.get('locale')
  const t = consoleMessages(locale)
  const { slug, state, campaign } = workshop
  const postEvent = postEventMessages(locale)
  const editable = canEdit(c)
  const isPublic = state !== 'draft'
  const links: Record<keyof typeof t.workshops.course, (false | { href: string; text: string })[]> = {
    before: [
      { href: paths.workshopStats(slug), text: t.workshops.figures },
      { href: paths.workshopReadiness(slug), text: readinessMessages(locale).console.link },
      editable && isPublic && { href: paths.workshopBroadcasts(slug), text: broadcastMessages(locale).list.link },
      editable && isPublic && { href: paths.chatGroup(slug), text: t.workshops.group },
    ],
    day: [
      editable && isPublic && { href: paths.consoleDoor(slug), text: doorMessages(locale).console.title },
      editable && { href: paths.workshopBoards(slug), text: boardMessages(locale).workshop.link },
    ],
    after: [
      editable && isPublic && { href: paths.attendance(slug), text: postEvent.attendance.link },
      editable && { href: paths.materials(slug), text: postEvent.materials.link },
    ],
    itself: [
      isPublic && { href: paths.workshop(slug), text: t.campaigns.page },
      { href: paths.previewWorkshop(slug), text: t.workshops.preview },
      editable &&
        campaign !== null && {
          href: withQuery(paths.addWorkshop(campaign.slug), { from: slug }),
          text: t.workshops.duplicate,
        },
      editable &&
        state !== 'cancelled' &&
        workshop.status !== 'over' && { href: paths.cancelWorkshop(slug), text: t.workshops.cancel },
    ],
  }
  return (
    <nav class="course">
      {(['before', 'day', 'after', 'itself'] as const).map((part) => {
        const visibleLinks = links[part].filter((link) => link !== false)
        return (
          visibleLinks.length > 0 && (
            <section>
              <h2>{t.workshops.course[part]}</h2>
              {visibleLinks.map(({ href, text }) => (
                <a href={href}>{text}</a>
              ))}
            </section>
          )
        )
      })}
    </nav>
  )
}

function flashMessage(c: Context<App>): string | undefined {
  const { workshops } = consoleMessages(c.get('locale'))
  const { saved, created, published, closed, reopened, unpublished, cancelled, told } = workshops
  const flashMessages = { saved, created, published, closed, reopened, unpublished, cancelled, told }
  return flashMessages[c.req.query('done') as keyof typeof flashMessages]
}
