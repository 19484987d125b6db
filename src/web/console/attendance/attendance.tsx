import { type Context, Hono } from 'hono'
import {
  type AttendanceRefusal,
  canReopenAttendance,
  closeAttendance,
  countAttendance,
  countEligibleForThankYou,
  listNoShows,
  listPastAttendances,
  type NoShow,
  reopenAttendance,
  suggestOverbooking,
} from '../../../domain/attendance/attendance.ts'
import { feedbackResults } from '../../../domain/attendance/feedback.ts'
import { findRegistrations } from '../../../domain/registrations/registrations.ts'
import { listMaterials } from '../../../domain/workshops/materials.ts'
import { findWorkshop, type Workshop } from '../../../domain/workshops/workshops.ts'
import { previewMessage } from '../../../email/message.ts'
import { audit, currentActor } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { formatDateTime, formatPlace } from '../../../i18n/format.ts'
import { postEventMessages } from '../../../i18n/post-event.ts'
import type { Locale } from '../../../lib/config.ts'
import { RefusalNotice } from '../../ui/notices.tsx'
import { consolePage } from '../layout.tsx'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import { EmailPreview } from '../ui/email-preview.tsx'
import { Checkbox } from '../ui/fields.tsx'
import { dateLabel } from '../ui/workshop-labels.ts'
import { AttendanceSummary } from './attendance-summary.tsx'
import { FeedbackResults } from './feedback-results.tsx'
import { OverbookingAdvice } from './overbooking.tsx'

/** Attendance of a workshop: closing its check-in, no-shows, feedback results, overbooking suggestion. */
export const attendancePages = new Hono<App>()

attendancePages.get('/console/workshops/:slug/attendance', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop || workshop.state === 'draft') return c.notFound()
  return attendancePage(c, workshop)
})

attendancePages.post('/console/workshops/:slug/attendance/close', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return attendancePage(c, workshop)
  const { thank } = await parseFormBody(c)
  const outcome = await closeAttendance(c.env.deps, currentActor(c), workshop, { thank: thank === 'yes' })
  if (outcome.kind === 'refused') return renderRefusal(c, workshop, outcome.refusal)
  const done = { done: 'closed', thanked: outcome.thanked > 0 ? String(outcome.thanked) : undefined }
  return c.redirect(withQuery(paths.attendance(workshop.slug), done), 303)
})

attendancePages.post('/console/workshops/:slug/attendance/reopen', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return attendancePage(c, workshop)
  const outcome = await reopenAttendance(c.env.deps, currentActor(c), workshop)
  if (outcome.kind === 'refused') return renderRefusal(c, workshop, outcome.refusal)
  return c.redirect(withQuery(paths.attendance(workshop.slug), { done: 'reopened' }), 303)
})

function renderRefusal(c: Context<App>, workshop: Workshop, refusal: AttendanceRefusal) {
  return refusal === 'not_found' ? c.notFound() : attendancePage(c, workshop, refusal)
}

async function attendancePage(c: Context<App>, workshop: Workshop, refusal?: AttendanceRefusal) {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = postEventMessages(locale).attendance
  const hasStarted = deps.now() >= workshop.startsAt
  const [attendance, pastAttendance, results] = await Promise.all([
    countAttendance(deps, workshop),
    listPastAttendances(deps),
    feedbackResults(deps, workshop),
  ])
  const noShows = hasStarted ? await listNoShows(deps, workshop) : []
  // The page shows names.
  if (noShows.length > 0) {
    const payload = { filter: 'no_shows', count: noShows.length }
    await audit(c, { action: 'list.looked_up', workshopId: workshop.id, payload })
  }
  return consolePage(
    c,
    {
      title: `${t.title} · ${formatPlace(workshop, locale)}`,
      section: 'campaigns',
      back: { href: paths.consoleWorkshop(workshop.slug), text: formatPlace(workshop, locale) },
      flash: flashMessage(c),
      status: refusal ? 409 : 200,
    },
    <>
      <h1>{t.title}</h1>
      <p class="lead">
        {dateLabel(workshop, c)}
        <br />
        {t.lead}
      </p>
      {refusal && <RefusalNotice>{t.refusals[refusal]}</RefusalNotice>}
      {hasStarted && workshop.state !== 'cancelled' ? (
        <>
          <AttendanceSummary attendance={attendance} locale={locale} />
          <CloseAttendanceForm c={c} workshop={workshop} />
          <NoShowTable people={noShows} locale={locale} />
          <FeedbackResults results={results} came={attendance.came} workshop={workshop} withTexts locale={locale} />
        </>
      ) : (
        <p>{workshop.state === 'cancelled' ? t.refusals.cancelled : t.notStarted}</p>
      )}
      <h2 id="overbook">{t.overbook}</h2>
      <OverbookingAdvice suggestion={suggestOverbooking(pastAttendance, workshop, workshop.capacity)} locale={locale} />
    </>,
  )
}

function flashMessage(c: Context<App>): string | undefined {
  const t = postEventMessages(c.get('locale')).attendance
  const thanked = Number(c.req.query('thanked'))
  switch (c.req.query('done')) {
    case 'closed':
      return thanked > 0 && thanked < 1e6 ? t.closedAndThanked(Math.floor(thanked)) : t.closed
    case 'reopened':
      return t.reopened
    default:
      return undefined
  }
}

/** Closes the check-in, with a preview of the thank-you mail, or reopens it. */
async function CloseAttendanceForm({ c, workshop }: { c: Context<App>; workshop: Workshop }) {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = postEventMessages(locale).attendance
  const { slug, attendanceClosedAt } = workshop
  if (attendanceClosedAt) {
    return (
      <section class="panel">
        <p>{t.closedAt(formatDateTime(attendanceClosedAt, workshop.timeZone, locale))}</p>
        {canReopenAttendance(deps, workshop) && (
          <form method="post" action={paths.reopenAttendance(slug)}>
            <ConfirmField />
            <p class="hint">{t.reopenHint}</p>
            <button class="second" type="submit">
              {t.reopen}
            </button>
          </form>
        )}
      </section>
    )
  }
  const { people, someone } = await countEligibleForThankYou(deps, workshop)
  const [sample] = someone ? await findRegistrations(deps, [someone]) : []
  const materials = (await listMaterials(deps, workshop)).length > 0
  const mail = sample && previewMessage(deps, { kind: 'afterwards', payload: materials ? { materials } : {} }, sample)
  return (
    <form class="panel" method="post" action={paths.closeAttendance(slug)}>
      <ConfirmField />
      <p>{t.closeLead}</p>
      {mail ? (
        <>
          <Checkbox name="thank" label={t.thank(people)} checked={false} />
          <details>
            <summary>{t.preview}</summary>
            <EmailPreview mail={mail} />
          </details>
        </>
      ) : (
        <p class="hint">{t.thankNobody}</p>
      )}
      <button type="submit">{t.close}</button>
    </form>
  )
}

function NoShowTable({ people, locale }: { people: NoShow[]; locale: Locale }) {
  const t = postEventMessages(locale).attendance
  return (
    <>
      <h2>{t.list}</h2>
      {people.length === 0 ? (
        <p>{t.nobody}</p>
      ) : (
        <div class="table" tabindex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col" class="number">
                  {t.number}
                </th>
                <th scope="col">{t.name}</th>
                <th scope="col">{t.company}</th>
                <th scope="col">{t.how}</th>
              </tr>
            </thead>
            <tbody>
              {people.map(({ id, seq, name, company, cancelledBy, erased }) => (
                <tr>
                  <td class="number">{seq}</td>
                  <th scope="row">{erased ? t.erased : <a href={paths.person(id)}>{name}</a>}</th>
                  <td>{company}</td>
                  <td>{cancelledBy === 'absence' ? t.seatPassedOn : t.stayedAway}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  )
}
