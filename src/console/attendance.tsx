import { type Context, Hono } from 'hono'
import { actorOf, audited } from '../audited.ts'
import type { Locale } from '../config.ts'
import type { App } from '../context.ts'
import {
  type Attendance,
  type AttendanceRefusal,
  attendanceOf,
  closeAttendance,
  mayReopen,
  type NoShow,
  noShowsOf,
  pastAttendances,
  reopenAttendance,
  suggestOverbooking,
  thankable,
} from '../domain/attendance.ts'
import { feedbackResults } from '../domain/feedback.ts'
import { listMaterials } from '../domain/materials.ts'
import { findRegistrations } from '../domain/registrations.ts'
import { findWorkshop, type Workshop } from '../domain/workshops.ts'
import { readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { draftOf } from '../mail/message.ts'
import { afterwardsMessagesFor } from '../messages/afterwards.ts'
import { figureMessagesFor } from '../messages/figures.ts'
import { moment, number, placeOf } from '../messages/text.ts'
import { whenOf } from './campaigns.tsx'
import { Figure, Rows } from './charts.tsx'
import { ConfirmField, isConfirmed } from './confirmation.tsx'
import { FeedbackResults } from './feedback.tsx'
import { Check } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { Overbooking, percent } from './overbooking.tsx'
import { Letter } from './workshops.tsx'

/** Who came to a workshop: closing its check-in, who did not come, what they thought of it, how many seats to give next time. */
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
  const { thank } = await readFormBody(c)
  const outcome = await closeAttendance(c.env.deps, actorOf(c), workshop, { thank: thank === 'yes' })
  if (outcome.kind === 'refused') return refused(c, workshop, outcome.refusal)
  const done = { done: 'closed', thanked: outcome.thanked > 0 ? String(outcome.thanked) : undefined }
  return c.redirect(withQuery(paths.attendance(workshop.slug), done), 303)
})

attendancePages.post('/console/workshops/:slug/attendance/reopen', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return attendancePage(c, workshop)
  const outcome = await reopenAttendance(c.env.deps, actorOf(c), workshop)
  if (outcome.kind === 'refused') return refused(c, workshop, outcome.refusal)
  return c.redirect(withQuery(paths.attendance(workshop.slug), { done: 'reopened' }), 303)
})

function refused(c: Context<App>, workshop: Workshop, refusal: AttendanceRefusal) {
  return refusal === 'not_found' ? c.notFound() : attendancePage(c, workshop, refusal)
}

async function attendancePage(c: Context<App>, workshop: Workshop, refusal?: AttendanceRefusal) {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = afterwardsMessagesFor(locale).attendance
  const begun = deps.now() >= workshop.startsAt
  const [attendance, past, results] = await Promise.all([
    attendanceOf(deps, workshop),
    pastAttendances(deps),
    feedbackResults(deps, workshop),
  ])
  const missing = begun ? await noShowsOf(deps, workshop) : []
  // Whoever looks sees names.
  if (missing.length > 0) {
    const facts = { filter: 'no_shows', count: missing.length }
    await audited(c, { action: 'list.looked_up', workshopId: workshop.id, facts })
  }
  return consolePage(
    c,
    {
      title: `${t.title} · ${placeOf(workshop, locale)}`,
      section: 'campaigns',
      back: { href: paths.consoleWorkshop(workshop.slug), text: placeOf(workshop, locale) },
      done: doneJustNow(c),
      status: refusal ? 409 : 200,
    },
    <>
      <h1>{t.title}</h1>
      <p class="lead">
        {whenOf(workshop, c)}
        <br />
        {t.lead}
      </p>
      {refusal && (
        <div class="alert" role="alert">
          <p>{t.refusals[refusal]}</p>
        </div>
      )}
      {begun && workshop.state !== 'cancelled' ? (
        <>
          <AttendanceNumbers attendance={attendance} locale={locale} />
          <CloseForm c={c} workshop={workshop} />
          <NoShows people={missing} locale={locale} />
          <FeedbackResults results={results} came={attendance.came} workshop={workshop} withTexts locale={locale} />
        </>
      ) : (
        <p>{workshop.state === 'cancelled' ? t.refusals.cancelled : t.notStarted}</p>
      )}
      <h2 id="overbook">{t.overbook}</h2>
      <Overbooking suggestion={suggestOverbooking(past, workshop, workshop.capacity)} locale={locale} />
    </>,
  )
}

function doneJustNow(c: Context<App>): string | undefined {
  const t = afterwardsMessagesFor(c.get('locale')).attendance
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

/** Who came and who did not, as numbers and as a bar with its table behind. */
export function AttendanceNumbers({ attendance, locale }: { attendance: Attendance; locale: Locale }) {
  const t = afterwardsMessagesFor(locale).attendance
  const figures = figureMessagesFor(locale)
  const { expected, came, walkIns, noShows, passedOn, lateCancellations } = attendance
  const said: [number, string][] = [
    [came, t.came],
    [expected, t.expected],
    [noShows, t.noShows],
    [walkIns, t.walkIns],
    [lateCancellations, t.late],
  ]
  const all = came + noShows
  return (
    <>
      <ul class="numbers">
        {said.map(([n, what]) => (
          <li>
            <b>{number(n)}</b>
            <small>{what}</small>
          </li>
        ))}
      </ul>
      <p class="hint">{t.lateHint}</p>
      <Figure
        keys={[
          { tone: 'accent', text: t.came },
          { tone: 'grey', text: t.walkIns },
          { tone: 'pale', text: t.noShows },
        ]}
        open={figures.figures.numbers}
        numbers={{
          heads: [t.how, figures.figures.all],
          rows: [
            [t.expected, expected],
            [t.came, came],
            [t.walkIns, walkIns],
            [t.noShows, noShows],
            [t.passedOn, passedOn],
            [t.late, lateCancellations],
          ],
        }}
      >
        <Rows
          id="attendance"
          title={t.chart}
          description={t.chartSaid(came, expected, noShows, walkIns)}
          most={Math.max(1, all)}
          rows={[
            {
              label: t.chart,
              parts: [
                { tone: 'accent', value: came - walkIns },
                { tone: 'grey', value: walkIns },
                { tone: 'pale', value: noShows },
              ],
              said: all > 0 ? figures.pair(`${number(came)} / ${number(all)}`, percent(came / all, locale)) : '0',
            },
          ]}
        />
      </Figure>
    </>
  )
}

/** Closing the check-in, with the mail of thanks to look at, or opening it again. */
async function CloseForm({ c, workshop }: { c: Context<App>; workshop: Workshop }) {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = afterwardsMessagesFor(locale).attendance
  const { slug, attendanceClosedAt } = workshop
  if (attendanceClosedAt) {
    return (
      <section class="panel">
        <p>{t.closedAt(moment(attendanceClosedAt, workshop.timeZone, locale))}</p>
        {mayReopen(deps, workshop) && (
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
  const { people, someone } = await thankable(deps, workshop)
  const [shown] = someone ? await findRegistrations(deps, [someone]) : []
  const materials = (await listMaterials(deps, workshop)).length > 0
  const mail = shown && draftOf(deps, { kind: 'afterwards', facts: materials ? { materials } : {} }, shown)
  return (
    <form class="panel" method="post" action={paths.closeAttendance(slug)}>
      <ConfirmField />
      <p>{t.closeLead}</p>
      {mail ? (
        <>
          <Check name="thank" label={t.thank(people)} checked={false} />
          <details>
            <summary>{t.preview}</summary>
            <Letter mail={mail} />
          </details>
        </>
      ) : (
        <p class="hint">{t.thankNobody}</p>
      )}
      <button type="submit">{t.close}</button>
    </form>
  )
}

function NoShows({ people, locale }: { people: NoShow[]; locale: Locale }) {
  const t = afterwardsMessagesFor(locale).attendance
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
