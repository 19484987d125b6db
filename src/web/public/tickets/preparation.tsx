import type { Context } from 'hono'
import {
  canConfirmAttendance,
  hasConfirmedAttendance,
  isPromptedToConfirm,
} from '../../../domain/registrations/attendance-confirmation.ts'
import { canUpdateReadiness, requiredItems } from '../../../domain/registrations/readiness.ts'
import type { Registration } from '../../../domain/registrations/registrations.ts'
import type { App } from '../../../http/context.ts'
import { paths } from '../../../http/links.ts'
import { localize } from '../../../i18n/format.ts'
import { itemTag } from '../../../i18n/item-tags.ts'
import { publicMessages } from '../../../i18n/public.ts'
import { readinessMessages } from '../../../i18n/readiness.ts'
import { Flash } from '../../ui/notices.tsx'
import { renderPage } from '../layout.tsx'
import { Checklist, WorkshopSummary } from '../workshop-summary.tsx'

export const checkboxName = (item: string) => `ready.${item}`

/**
 * The checklist on a ticket, with checkboxes for required items. A script saves changes at once; otherwise there is a
 * button.
 */
export function Preparation({ c, registration }: { c: Context<App>; registration: Registration }) {
  const { locale } = c.var
  const { workshop, ready, ticket } = registration
  const t = readinessMessages(locale).ticket
  const { itemTags, workshop: workshopTexts } = publicMessages(locale)
  if (requiredItems(workshop).length === 0 || !canUpdateReadiness(registration, c.env.deps.now())) {
    return <Checklist items={workshop.items} answers={ready} locale={locale} />
  }
  return (
    <form
      method="post"
      action={paths.ticketReadiness(ticket)}
      class="ready"
      data-ready=""
      data-saved={t.saved}
      data-failed={t.failed}
    >
      <p>{t.tick}</p>
      <ul class="list">
        {workshop.items.map((item) => {
          const tag = itemTag(item)
          return (
            <li>
              <span class={tag === 'provided' ? 'tag' : 'tag yours'}>{itemTags[tag]}</span>
              <span>
                {item.mustConfirm ? (
                  <label class="check">
                    <input type="checkbox" name={checkboxName(item.id)} value="yes" checked={ready[item.id] === true} />
                    <span>{localize(item.text, locale)}</span>
                  </label>
                ) : (
                  localize(item.text, locale)
                )}
                {item.url && (
                  <small>
                    <a href={item.url} rel="noopener noreferrer">
                      {workshopTexts.install}
                    </a>
                  </small>
                )}
              </span>
            </li>
          )
        })}
      </ul>
      <p class="note" role="status">
        {c.req.query('done') === 'ready' && t.saved}
      </p>
      <button type="submit" class="second">
        {t.save}
      </button>
    </form>
  )
}

/** How to enter the venue, for confirmed attendees. */
export function EntryInstructions({ c, registration }: { c: Context<App>; registration: Registration }) {
  const entry = localize(registration.workshop.entry, c.var.locale)
  if (!entry || registration.status !== 'confirmed') return null
  return (
    <section class="panel">
      <h2>{readinessMessages(c.var.locale).ticket.entry}</h2>
      <p class="lines">{entry}</p>
    </section>
  )
}

/** Asks on the ticket to confirm attendance, from the reminder until the start. */
export function AttendanceConfirmation({ c, registration }: { c: Context<App>; registration: Registration }) {
  const now = c.env.deps.now()
  const { workshop, ticket } = registration
  const { coming: t } = readinessMessages(c.var.locale).ticket
  if (!canConfirmAttendance(registration, now)) return null
  if (hasConfirmedAttendance(registration, workshop)) return <Flash>{t.confirmed}</Flash>
  if (!isPromptedToConfirm(registration, now)) return null
  return (
    <section class="panel">
      <h2>{t.title}</h2>
      <p>{t.lead}</p>
      <form method="post" action={paths.ticketAttendance(ticket)}>
        <button type="submit">{t.yes}</button>
      </form>
      <a class="button second" href={paths.ticketAttendance(ticket)}>
        {t.no}
      </a>
    </section>
  )
}

/** Landing page of the mail that asks to confirm attendance: both answers, one click each. */
export function attendancePage(c: Context<App>, registration: Registration) {
  const { locale } = c.var
  const { workshop, ticket } = registration
  const { coming: t } = readinessMessages(locale).ticket
  const confirmed = hasConfirmedAttendance(registration, workshop)
  return renderPage(
    c,
    { title: t.title, back: { href: paths.ticket(ticket), text: publicMessages(locale).ticket.title } },
    <>
      <h1>{t.title}</h1>
      <p class="lead">{localize(workshop.title, locale)}</p>
      <WorkshopSummary workshop={workshop} locale={locale} />
      <p>{confirmed ? t.alreadyConfirmed : t.lead}</p>
      {!confirmed && (
        <form method="post" action={paths.ticketAttendance(ticket)}>
          <button type="submit">{t.yes}</button>
        </form>
      )}
      <form method="post" action={paths.ticketCancel(ticket)}>
        <button type="submit" class="second">
          {t.giveBack}
        </button>
      </form>
      <p class="note">{t.warning}</p>
    </>,
  )
}
