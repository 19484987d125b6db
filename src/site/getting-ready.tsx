import type { Context } from 'hono'
import type { App } from '../context.ts'
import { isAskedToCome, maySayComing, saidComing } from '../domain/coming.ts'
import { askedOf, maySayReady } from '../domain/readiness.ts'
import type { Registration } from '../domain/registrations.ts'
import { paths } from '../links.ts'
import { tagOf } from '../messages/items.ts'
import { messagesFor } from '../messages/messages.ts'
import { readinessMessagesFor } from '../messages/readiness.ts'
import { pick } from '../messages/text.ts'
import { Checklist, Facts } from './facts.tsx'
import { Done, page } from './layout.tsx'

/** The name of the box of a checklist item on the ticket. */
export const boxOf = (item: string) => `ready.${item}`

/** The checklist on a ticket: what is to be confirmed has a box, and is stored with a button, or at once with a script. */
export function Preparation({ c, registration }: { c: Context<App>; registration: Registration }) {
  const { locale } = c.var
  const { workshop, ready, ticket } = registration
  const t = readinessMessagesFor(locale).ticket
  const { itemTags, workshop: words } = messagesFor(locale)
  if (askedOf(workshop).length === 0 || !maySayReady(registration, c.env.deps.now())) {
    return <Checklist items={workshop.items} answers={ready} locale={locale} />
  }
  return (
    <form
      method="post"
      action={paths.ticketReady(ticket)}
      class="ready"
      data-ready=""
      data-saved={t.saved}
      data-failed={t.failed}
    >
      <p>{t.tick}</p>
      <ul class="list">
        {workshop.items.map((item) => {
          const tag = tagOf(item)
          return (
            <li>
              <span class={tag === 'provided' ? 'tag' : 'tag yours'}>{itemTags[tag]}</span>
              <span>
                {item.mustConfirm ? (
                  <label class="check">
                    <input type="checkbox" name={boxOf(item.id)} value="yes" checked={ready[item.id] === true} />
                    <span>{pick(item.text, locale)}</span>
                  </label>
                ) : (
                  pick(item.text, locale)
                )}
                {item.url && (
                  <small>
                    <a href={item.url} rel="noopener noreferrer">
                      {words.install}
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

/** How to get in, for those who have a seat. */
export function Entry({ c, registration }: { c: Context<App>; registration: Registration }) {
  const entry = pick(registration.workshop.entry, c.var.locale)
  if (!entry || registration.status !== 'confirmed') return null
  return (
    <section class="panel">
      <h2>{readinessMessagesFor(c.var.locale).ticket.entry}</h2>
      <p class="lines">{entry}</p>
    </section>
  )
}

/** On a ticket: whether they come, from the time of the reminder on until the start. */
export function Coming({ c, registration }: { c: Context<App>; registration: Registration }) {
  const now = c.env.deps.now()
  const { workshop, ticket } = registration
  const { coming: t } = readinessMessagesFor(c.var.locale).ticket
  if (!maySayComing(registration, now)) return null
  if (saidComing(registration, workshop)) return <Done>{t.said}</Done>
  if (!isAskedToCome(registration, now)) return null
  return (
    <section class="panel">
      <h2>{t.title}</h2>
      <p>{t.lead}</p>
      <form method="post" action={paths.ticketComing(ticket)}>
        <button type="submit">{t.yes}</button>
      </form>
      <a class="button second" href={paths.ticketComing(ticket)}>
        {t.no}
      </a>
    </section>
  )
}

/** What the mail leads to that asks who comes: both answers, each one press away. */
export function comingPage(c: Context<App>, registration: Registration) {
  const { locale } = c.var
  const { workshop, ticket } = registration
  const { coming: t } = readinessMessagesFor(locale).ticket
  const said = saidComing(registration, workshop)
  return page(
    c,
    { title: t.title, back: { href: paths.ticket(ticket), text: messagesFor(locale).ticket.title } },
    <>
      <h1>{t.title}</h1>
      <p class="lead">{pick(workshop.title, locale)}</p>
      <Facts workshop={workshop} locale={locale} />
      <p>{said ? t.saidSo : t.lead}</p>
      {!said && (
        <form method="post" action={paths.ticketComing(ticket)}>
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
