import { type Context, Hono } from 'hono'
import { reminderKinds } from '../../../db/schema.ts'
import { planReminders } from '../../../domain/mails/reminders.ts'
import {
  type ConfirmationStatus,
  confirmationStatuses,
  countConfirmations,
} from '../../../domain/registrations/attendance-confirmation.ts'
import { countAnswers, type ItemAnswers } from '../../../domain/registrations/readiness.ts'
import { countReminders, type MailCount } from '../../../domain/reports/statistics.ts'
import { findWorkshop, type Workshop } from '../../../domain/workshops/workshops.ts'
import type { App } from '../../../http/context.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatDateRange, formatDateTime, formatNumber, formatPlace, localize } from '../../../i18n/format.ts'
import { readinessMessages } from '../../../i18n/readiness.ts'
import { registrationMessages } from '../../../i18n/registrations.ts'
import { reportMessages } from '../../../i18n/reports.ts'
import { consolePage } from '../layout.tsx'
import { canEdit } from '../permissions.ts'
import { BarChart, Figure } from '../ui/charts.tsx'
import { NumberTable } from '../ui/numbers.tsx'
import { ReadinessChart } from '../ui/statistics-charts.tsx'
import { dateLabel, workshopBackLink } from '../ui/workshop-labels.ts'

/** Readiness of a workshop: required items, attendance confirmations, reminders. */
export const readinessPages = new Hono<App>()

readinessPages.get('/console/workshops/:slug/readiness', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const [answers, confirmations, mails] = await Promise.all([
    countAnswers(deps, [workshop], ['confirmed']),
    countConfirmations(deps, workshop),
    countReminders(deps, workshop),
  ])
  const { console: t } = readinessMessages(c.get('locale'))
  const people = confirmationStatuses.reduce((sum, status) => sum + confirmations[status], 0)
  return consolePage(
    c,
    {
      title: `${t.title} · ${formatPlace(workshop, c.get('locale'))}`,
      section: 'campaigns',
      back: workshopBackLink(workshop, c, true),
    },
    <>
      <h1>{t.title}</h1>
      <p class="lead">
        {formatPlace(workshop, c.get('locale'))} · {dateLabel(workshop, c)}
        <br />
        {people === 0 ? t.nobody : t.lead(people)}
      </p>
      {people > 0 && <RequiredItems c={c} workshop={workshop} answers={answers} />}
      {people > 0 && <AttendanceConfirmations c={c} workshop={workshop} counts={confirmations} />}
      <ReminderTable c={c} workshop={workshop} mails={mails} />
    </>,
  )
})

function RequiredItems({ c, workshop, answers }: { c: Context<App>; workshop: Workshop; answers: ItemAnswers[] }) {
  const locale = c.get('locale')
  const { console: t } = readinessMessages(locale)
  const listHref = (ready: string) => withQuery(paths.workshopPeople(workshop.slug), { status: 'confirmed', ready })
  if (answers.length === 0) return <p>{t.nothingAsked}</p>
  return (
    <>
      <h2>{t.items}</h2>
      <ReadinessChart answers={answers} locale={locale} />
      {canEdit(c) && (
        <ul class="rows">
          {answers.map(({ item, ready, notYet, noAnswer }) => (
            <li>
              {localize(item.text, locale)}{' '}
              <span class="links">
                <a href={listHref(`${item.id}.not`)}>{t.whoMissing(notYet + noAnswer)}</a>
                <a href={listHref(`${item.id}.ready`)}>{t.whoReady(ready)}</a>
              </span>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function AttendanceConfirmations({
  c,
  workshop,
  counts,
}: {
  c: Context<App>
  workshop: Workshop
  counts: Record<ConfirmationStatus, number>
}) {
  const locale = c.get('locale')
  const { console: t } = readinessMessages(locale)
  const { attendanceConfirmations: words, list: labels } = registrationMessages(locale)
  const listHref = (status: ConfirmationStatus) => withQuery(paths.workshopPeople(workshop.slug), { coming: status })
  return (
    <>
      <h2>{t.coming}</h2>
      <Figure
        caption={t.comingNote}
        tableLabel={reportMessages(locale).figures.numbers}
        table={{
          heads: [t.coming, t.people],
          rows: confirmationStatuses.map((status) => [words[status], counts[status]]),
        }}
      >
        <BarChart
          id="coming"
          title={t.coming}
          description={confirmationStatuses
            .map((status) => `${words[status]}: ${formatNumber(counts[status])}`)
            .join(', ')}
          max={Math.max(1, counts.yes + counts.asked + counts.not_asked)}
          rows={confirmationStatuses.map((status) => ({
            label: words[status],
            parts: [{ tone: status === 'yes' ? 'accent' : 'grey', value: counts[status] }],
            valueText: formatNumber(counts[status]),
          }))}
        />
      </Figure>
      {canEdit(c) && (
        <p class="links">
          {confirmationStatuses.map((status) => (
            <a href={listHref(status)}>{labels.of(words[status], counts[status])}</a>
          ))}
        </p>
      )}
    </>
  )
}

/** When each reminder is sent, in the workshop's time zone, and how many were sent. */
function ReminderTable({ c, workshop, mails }: { c: Context<App>; workshop: Workshop; mails: MailCount[] }) {
  const locale = c.get('locale')
  const { console: t } = readinessMessages(locale)
  const { mailKinds } = consoleMessages(locale)
  const { timeZone, state } = workshop
  const plan = planReminders(workshop)
  const sendsReminders = state === 'published' || state === 'closed'
  return (
    <>
      <h2>{t.reminders}</h2>
      {!sendsReminders && <p>{t.none}</p>}
      <NumberTable
        heads={[t.heads.kind, t.heads.at, t.heads.sent, t.heads.queued, t.heads.failed, t.heads.pointless]}
        rows={reminderKinds.map((kind) => {
          const planned = plan.find((reminder) => reminder.kind === kind)
          const { sent, queued, failed, obsolete } = mails.find((count) => count.kind === kind) ?? {
            ...{ sent: 0, queued: 0, failed: 0, obsolete: 0 },
          }
          return [
            <>
              {mailKinds[kind]}
              <small>{t.whoGets[kind]}</small>
            </>,
            planned ? (
              <>
                <time datetime={planned.at.toISOString()}>{formatDateTime(planned.at, timeZone, locale)}</time>
                <small>{t.until(formatDateTime(planned.until, timeZone, locale))}</small>
              </>
            ) : (
              t.off
            ),
            ...[sent, queued, failed, obsolete],
          ]
        })}
      />
      <p class="hint">{t.zone(formatDateRange(workshop, locale).zone)}</p>
      {canEdit(c) && state !== 'cancelled' && (
        <p class="links">
          <a href={`${paths.editWorkshop(workshop.slug)}#reminders`}>{t.change}</a>
        </p>
      )}
    </>
  )
}
