import { type Context, Hono } from 'hono'
import { attachment, streamOf } from '../answer.ts'
import { audited } from '../audited.ts'
import type { Locale } from '../config.ts'
import type { App } from '../context.ts'
import {
  type AuditAction,
  type AuditEntry,
  type AuditFilter,
  auditActions,
  listAudit,
  wholeAudit,
} from '../domain/audit.ts'
import { findCampaign } from '../domain/campaigns.ts'
import { readSearch } from '../domain/plain-text.ts'
import { clockIn, dateIn, minuteIn, readMoment } from '../domain/time-zones.ts'
import { findWorkshop } from '../domain/workshops.ts'
import { isId } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { figureMessagesFor } from '../messages/figures.ts'
import { pick } from '../messages/text.ts'
import { csvLine } from '../roster-files.ts'
import { nameOfWorkshop } from './attention.tsx'
import { Choice, Field, type Problem, Problems } from './fields.tsx'
import { consolePage } from './layout.tsx'

/** Who changed, exported or looked up what. It names attendees, so that viewers do not see it. */
export const auditPages = new Hono<App>()

auditPages.get('/console/audit', async (c) => {
  const asked = await readFilter(c)
  if (!asked) return c.notFound()
  const { filter, problems, about } = asked
  const { deps } = c.env
  const locale = c.get('locale')
  const t = figureMessagesFor(locale).audit
  const { entries, next } = problems.length > 0 ? { entries: [], next: undefined } : await listAudit(deps, filter)
  const here = new URL(c.req.url).pathname + new URL(c.req.url).search
  const isFiltered = Object.values(queryOf(c)).some(Boolean)
  return consolePage(
    c,
    { title: t.title, section: 'audit', status: problems.length > 0 ? 422 : 200 },
    <>
      <h1>{t.title}</h1>
      <p class="lead">{t.lead(deps.config.retentionDays)}</p>
      <Problems problems={problems} t={consoleMessagesFor(locale)} />
      <FilterForm c={c} problems={problems} about={about} isFiltered={isFiltered} />
      {problems.length === 0 && (entries.length === 0 ? <p>{t.none}</p> : <Entries c={c} entries={entries} />)}
      <p class="actions">
        {next !== undefined && (
          <a class="button second" rel="next" href={withQuery(here, { before: String(next), lang: undefined })}>
            {t.older}
          </a>
        )}
        {filter.before !== undefined && (
          <a href={withQuery(here, { before: undefined, lang: undefined })}>{t.newest}</a>
        )}
        {entries.length > 0 && <a href={withQuery(paths.auditCsv(), queryOf(c))}>{t.export}</a>}
      </p>
    </>,
  )
})

auditPages.get('/console/audit.csv', async (c) => {
  const asked = await readFilter(c)
  if (!asked || asked.problems.length > 0) return c.notFound()
  const { deps } = c.env
  const locale = c.get('locale')
  const t = figureMessagesFor(locale).audit
  // Before it is read, so that it is in it. What was asked for may name an attendee.
  const { actor: _, ...filter } = queryOf(c)
  await audited(c, {
    action: 'audit.exported',
    facts: { format: 'csv', filter: new URLSearchParams(filter).toString() },
  })
  const csv = auditCsv(wholeAudit(deps, { ...asked.filter, before: undefined }), locale, deps.config.timeZone)
  return c.body(await streamOf(deps, csv), 200, {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': attachment('audit.csv', `${t.file} ${dateIn(deps.now(), deps.config.timeZone)}.csv`),
    'Cache-Control': 'no-store',
  })
})

/** With a byte order mark, without which Excel takes it for the system's own encoding. */
async function* auditCsv(pages: AsyncIterable<AuditEntry[]>, locale: Locale, timeZone: string): AsyncGenerator<string> {
  const t = figureMessagesFor(locale).audit
  yield `\uFEFF${csvLine([t.when, t.actor, t.action, t.about, t.details])}`
  for await (const entries of pages) {
    yield entries
      .map((entry) =>
        csvLine([
          clockIn(entry.at, timeZone),
          entry.actor,
          t.actions[entry.action] ?? entry.action,
          aboutOf(entry, locale)
            .map(({ text }) => text)
            .join(t.between),
          detailsOf(entry, locale),
        ]),
      )
      .join('')
  }
}

type Asked = { filter: AuditFilter; problems: Problem[]; about: string | undefined }

/** What the query asks for; undefined if it names a campaign, workshop or person that is none. */
async function readFilter(c: Context<App>): Promise<Asked | undefined> {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = figureMessagesFor(locale).audit
  const { actor, action, from, to, workshop, campaign, person } = queryOf(c)
  const filter: AuditFilter = {
    actor,
    action: auditActions.find((one) => one === action),
    before: /^\d{1,15}$/.test(c.req.query('before') ?? '') ? Number(c.req.query('before')) : undefined,
  }
  const problems: Problem[] = []
  const midnight = (field: 'from' | 'to', typed: string | undefined, daysLater = 0) => {
    if (!typed) return undefined
    const day = /^\d{4}-\d\d-\d\d$/.test(typed) ? readMoment(`${typed}T00:00`, 'UTC') : undefined
    if (!day) {
      problems.push({ field, text: t.dateInvalid(t[field]) })
      return undefined
    }
    const then = new Date(day.getTime() + daysLater * 24 * 3600 * 1000).toISOString().slice(0, 10)
    return readMoment(`${then}T00:00`, deps.config.timeZone)
  }
  filter.from = midnight('from', from)
  // The last day counts.
  filter.to = midnight('to', to, 1)
  if (filter.from && filter.to && filter.from >= filter.to) problems.push({ field: 'from', text: t.fromAfterTo })
  let about: string | undefined
  if (workshop) {
    const found = await findWorkshop(deps, workshop)
    if (!found) return undefined
    filter.workshopId = found.id
    about = nameOfWorkshop(found, locale)
  }
  if (campaign) {
    const found = await findCampaign(deps, campaign)
    if (!found) return undefined
    filter.campaignId = found.id
    about = pick(found.title, locale)
  }
  if (person) {
    if (!isId(person)) return undefined
    filter.registrationId = person
    about = t.actions['person.looked_up']
  }
  return { filter, problems, about }
}

const asked = ['actor', 'action', 'from', 'to', 'workshop', 'campaign', 'person'] as const

/** What of the query filters, without what is empty. */
function queryOf(c: Context<App>): Partial<Record<(typeof asked)[number], string>> {
  return Object.fromEntries(
    asked.flatMap((name) => {
      const value = readSearch(c.req.query(name))
      return value ? [[name, value]] : []
    }),
  )
}

function FilterForm({
  c,
  problems,
  about,
  isFiltered,
}: {
  c: Context<App>
  problems: Problem[]
  about: string | undefined
  isFiltered: boolean
}) {
  const t = figureMessagesFor(c.get('locale')).audit
  const query = queryOf(c)
  const actions: { value: AuditAction | ''; text: string }[] = [
    { value: '', text: t.anyAction },
    ...auditActions.map((action) => ({ value: action, text: t.actions[action] })),
  ]
  return (
    <form class="audit-filter" method="get" action={paths.audit()}>
      {(['workshop', 'campaign', 'person'] as const).map(
        (name) => query[name] && <input type="hidden" name={name} value={query[name]} />,
      )}
      {about && <p>{t.only(about)}</p>}
      <div class="pairs">
        <Field name="actor" label={t.actor} type="search" placeholder={t.actorHint} value={query.actor ?? ''} />
        <Choice name="action" label={t.action} options={actions} value={query.action ?? ''} />
        <Field name="from" label={t.from} type="date" value={query.from ?? ''} problems={problems} />
        <Field name="to" label={t.to} type="date" value={query.to ?? ''} problems={problems} />
      </div>
      <p class="actions">
        <button class="small" type="submit">
          {t.apply}
        </button>
        {isFiltered && <a href={paths.audit()}>{t.clear}</a>}
      </p>
    </form>
  )
}

function Entries({ c, entries }: { c: Context<App>; entries: AuditEntry[] }) {
  const locale = c.get('locale')
  const t = figureMessagesFor(locale).audit
  const { timeZone } = c.env.deps.config
  return (
    <div class="table" tabindex={0}>
      <table class="audit">
        <thead>
          <tr>
            {[t.when, t.actor, t.action, t.about, t.details].map((head) => (
              <th scope="col">{head}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr>
              <td class="moment">
                <time datetime={entry.at.toISOString()}>{minuteIn(entry.at, timeZone)}</time>
              </td>
              <td>
                {entry.actor}
                {entry.by === 'token' && <small>{t.byToken}</small>}
              </td>
              <td>{t.actions[entry.action] ?? entry.action}</td>
              <td>
                {aboutOf(entry, locale).map(({ text, href }) => (
                  <div>{href ? <a href={href}>{text}</a> : text}</div>
                ))}
              </td>
              <td>{detailsOf(entry, locale)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** What an entry was about, as it is called now. */
function aboutOf({ campaign, workshop, registration }: AuditEntry, locale: Locale): { text: string; href?: string }[] {
  const t = figureMessagesFor(locale).audit
  return [
    ...(campaign ? [{ text: pick(campaign.title, locale), href: paths.consoleCampaign(campaign.slug) }] : []),
    ...(workshop ? [{ text: nameOfWorkshop(workshop, locale), href: paths.consoleWorkshop(workshop.slug) }] : []),
    ...(registration
      ? [
          {
            text: `${registration.erased ? t.erased : registration.name} (${t.number(registration.seq)})`,
            href: paths.person(registration.id),
          },
        ]
      : []),
  ]
}

/** Facts as `name: value`; those of attendees too, as long as they are kept. What is named beside them is not said again. */
function detailsOf({ facts, personal, campaign, workshop, registration }: AuditEntry, locale: Locale): string {
  const t = figureMessagesFor(locale).audit
  const named: unknown[] = [campaign?.slug, workshop?.slug, registration?.name, null, '']
  return Object.entries({ ...facts, ...personal })
    .filter(([, value]) => !named.includes(value))
    .map(([name, value]) =>
      t.fact(t.facts[name] ?? name, saidOf(name === 'changed' ? fieldsOf(value, locale) : value, locale)),
    )
    .join(t.between)
}

/** The fields that were changed, as they are called here. */
function fieldsOf(value: unknown, locale: Locale): unknown {
  const { facts } = figureMessagesFor(locale).audit
  return Array.isArray(value) ? value.map((field) => facts[String(field)] ?? field) : value
}

function saidOf(value: unknown, locale: Locale): string {
  const t = figureMessagesFor(locale).audit
  if (Array.isArray(value)) return value.map((one) => saidOf(one, locale)).join(t.list)
  if (typeof value === 'boolean') return value ? t.yes : t.no
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
