import { type Context, Hono } from 'hono'
import {
  type AuditAction,
  type AuditEntry,
  type AuditFilter,
  auditActions,
  listAudit,
  streamAudit,
} from '../../../domain/audit/log.ts'
import { findCampaign } from '../../../domain/campaigns/campaigns.ts'
import { findWorkshop } from '../../../domain/workshops/workshops.ts'
import { csvRow } from '../../../http/attendee-export.ts'
import { audit } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { isUuid } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { attachment, streamBody } from '../../../http/responses.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { localize } from '../../../i18n/format.ts'
import { reportMessages } from '../../../i18n/reports.ts'
import type { Locale } from '../../../lib/config.ts'
import { parseSearch } from '../../../lib/text.ts'
import { formatMinute, localDate, localDateTime, parseDateTime } from '../../../lib/time-zones.ts'
import { consolePage } from '../layout.tsx'
import { ErrorSummary, Field, type FieldError, Select } from '../ui/fields.tsx'
import { cityAndDayLabel } from '../ui/workshop-labels.ts'

/** The audit log. It names attendees, so viewers cannot open it. */
export const auditLogPages = new Hono<App>()

auditLogPages.get('/console/audit', async (c) => {
  const parsed = await parseAuditFilter(c)
  if (!parsed) return c.notFound()
  const { filter, problems, scopeLabel } = parsed
  const { deps } = c.env
  const locale = c.get('locale')
  const t = reportMessages(locale).audit
  const { entries, next } = problems.length > 0 ? { entries: [], next: undefined } : await listAudit(deps, filter)
  const currentUrl = new URL(c.req.url).pathname + new URL(c.req.url).search
  const isFiltered = Object.values(readFilterParams(c)).some(Boolean)
  return consolePage(
    c,
    { title: t.title, section: 'audit', status: problems.length > 0 ? 422 : 200 },
    <>
      <h1>{t.title}</h1>
      <p class="lead">{t.lead(deps.config.retentionDays)}</p>
      <ErrorSummary problems={problems} t={consoleMessages(locale)} />
      <FilterForm c={c} problems={problems} scopeLabel={scopeLabel} isFiltered={isFiltered} />
      {problems.length === 0 && (entries.length === 0 ? <p>{t.none}</p> : <AuditTable c={c} entries={entries} />)}
      <p class="actions">
        {next !== undefined && (
          <a class="button second" rel="next" href={withQuery(currentUrl, { before: String(next), lang: undefined })}>
            {t.older}
          </a>
        )}
        {filter.before !== undefined && (
          <a href={withQuery(currentUrl, { before: undefined, lang: undefined })}>{t.newest}</a>
        )}
        {entries.length > 0 && <a href={withQuery(paths.auditCsv(), readFilterParams(c))}>{t.export}</a>}
      </p>
    </>,
  )
})

auditLogPages.get('/console/audit.csv', async (c) => {
  const parsed = await parseAuditFilter(c)
  if (!parsed || parsed.problems.length > 0) return c.notFound()
  const { deps } = c.env
  const locale = c.get('locale')
  const t = reportMessages(locale).audit
  // Written before the log is read, so that the export contains itself. Without the actor filter, which may name an attendee.
  const { actor: _, ...filter } = readFilterParams(c)
  await audit(c, {
    action: 'audit.exported',
    payload: { format: 'csv', filter: new URLSearchParams(filter).toString() },
  })
  const csv = generateAuditCsv(streamAudit(deps, { ...parsed.filter, before: undefined }), locale, deps.config.timeZone)
  return c.body(await streamBody(deps, csv), 200, {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': attachment('audit.csv', `${t.file} ${localDate(deps.now(), deps.config.timeZone)}.csv`),
    'Cache-Control': 'no-store',
  })
})

/** Starts with a byte order mark; without it Excel assumes the system's legacy encoding. */
async function* generateAuditCsv(
  pages: AsyncIterable<AuditEntry[]>,
  locale: Locale,
  timeZone: string,
): AsyncGenerator<string> {
  const t = reportMessages(locale).audit
  yield `\uFEFF${csvRow([t.when, t.actor, t.action, t.about, t.details])}`
  for await (const entries of pages) {
    yield entries
      .map((entry) =>
        csvRow([
          localDateTime(entry.at, timeZone),
          entry.actor,
          t.actions[entry.action] ?? entry.action,
          subjectLinks(entry, locale)
            .map(({ text }) => text)
            .join(t.between),
          formatDetails(entry, locale),
        ]),
      )
      .join('')
  }
}

type ParsedAuditFilter = { filter: AuditFilter; problems: FieldError[]; scopeLabel: string | undefined }

/** Parses the query; undefined if it names an unknown campaign or workshop, or an invalid person id. */
async function parseAuditFilter(c: Context<App>): Promise<ParsedAuditFilter | undefined> {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = reportMessages(locale).audit
  const { actor, action, from, to, workshop, campaign, person } = readFilterParams(c)
  const filter: AuditFilter = {
    actor,
    action: auditActions.find((known) => known === action),
    before: /^\d{1,15}$/.test(c.req.query('before') ?? '') ? Number(c.req.query('before')) : undefined,
  }
  const problems: FieldError[] = []
  const parseMidnight = (field: 'from' | 'to', input: string | undefined, daysLater = 0) => {
    if (!input) return undefined
    const day = /^\d{4}-\d\d-\d\d$/.test(input) ? parseDateTime(`${input}T00:00`, 'UTC') : undefined
    if (!day) {
      problems.push({ field, text: t.dateInvalid(t[field]) })
      return undefined
    }
    const shiftedDay = new Date(day.getTime() + daysLater * 24 * 3600 * 1000).toISOString().slice(0, 10)
    return parseDateTime(`${shiftedDay}T00:00`, deps.config.timeZone)
  }
  filter.from = parseMidnight('from', from)
  // Inclusive: up to the midnight after the last day.
  filter.to = parseMidnight('to', to, 1)
  if (filter.from && filter.to && filter.from >= filter.to) problems.push({ field: 'from', text: t.fromAfterTo })
  let scopeLabel: string | undefined
  if (workshop) {
    const match = await findWorkshop(deps, workshop)
    if (!match) return undefined
    filter.workshopId = match.id
    scopeLabel = cityAndDayLabel(match, locale)
  }
  if (campaign) {
    const match = await findCampaign(deps, campaign)
    if (!match) return undefined
    filter.campaignId = match.id
    scopeLabel = localize(match.title, locale)
  }
  if (person) {
    if (!isUuid(person)) return undefined
    filter.registrationId = person
    scopeLabel = t.actions['person.looked_up']
  }
  return { filter, problems, scopeLabel }
}

const filterParamNames = ['actor', 'action', 'from', 'to', 'workshop', 'campaign', 'person'] as const

/** The query parameters that filter, without empty ones. */
function readFilterParams(c: Context<App>): Partial<Record<(typeof filterParamNames)[number], string>> {
  return Object.fromEntries(
    filterParamNames.flatMap((name) => {
      const value = parseSearch(c.req.query(name))
      return value ? [[name, value]] : []
    }),
  )
}

function FilterForm({
  c,
  problems,
  scopeLabel,
  isFiltered,
}: {
  c: Context<App>
  problems: FieldError[]
  scopeLabel: string | undefined
  isFiltered: boolean
}) {
  const t = reportMessages(c.get('locale')).audit
  const query = readFilterParams(c)
  const actions: { value: AuditAction | ''; text: string }[] = [
    { value: '', text: t.anyAction },
    ...auditActions.map((action) => ({ value: action, text: t.actions[action] })),
  ]
  return (
    <form class="audit-filter" method="get" action={paths.audit()}>
      {(['workshop', 'campaign', 'person'] as const).map(
        (name) => query[name] && <input type="hidden" name={name} value={query[name]} />,
      )}
      {scopeLabel && <p>{t.only(scopeLabel)}</p>}
      <div class="pairs">
        <Field name="actor" label={t.actor} type="search" placeholder={t.actorHint} value={query.actor ?? ''} />
        <Select name="action" label={t.action} options={actions} value={query.action ?? ''} />
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

function AuditTable({ c, entries }: { c: Context<App>; entries: AuditEntry[] }) {
  const locale = c.get('locale')
  const t = reportMessages(locale).audit
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
                <time datetime={entry.at.toISOString()}>{formatMinute(entry.at, timeZone)}</time>
              </td>
              <td>
                {entry.actor}
                {entry.by === 'token' && <small>{t.byToken}</small>}
              </td>
              <td>{t.actions[entry.action] ?? entry.action}</td>
              <td>
                {subjectLinks(entry, locale).map(({ text, href }) => (
                  <div>{href ? <a href={href}>{text}</a> : text}</div>
                ))}
              </td>
              <td>{formatDetails(entry, locale)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** The subjects of an entry under their current names. */
function subjectLinks(
  { campaign, workshop, registration }: AuditEntry,
  locale: Locale,
): { text: string; href?: string }[] {
  const t = reportMessages(locale).audit
  return [
    ...(campaign ? [{ text: localize(campaign.title, locale), href: paths.consoleCampaign(campaign.slug) }] : []),
    ...(workshop ? [{ text: cityAndDayLabel(workshop, locale), href: paths.consoleWorkshop(workshop.slug) }] : []),
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

/** Facts as `name: value`, including personal ones until they are erased. Skips values already shown as subjects. */
function formatDetails({ payload, pii, campaign, workshop, registration }: AuditEntry, locale: Locale): string {
  const t = reportMessages(locale).audit
  const alreadyShown: unknown[] = [campaign?.slug, workshop?.slug, registration?.name, null, '']
  return Object.entries({ ...payload, ...pii })
    .filter(([, value]) => !alreadyShown.includes(value))
    .map(([name, value]) =>
      t.fact(
        t.facts[name] ?? name,
        formatValue(name === 'changed' ? translateFieldNames(value, locale) : value, locale),
      ),
    )
    .join(t.between)
}

function translateFieldNames(value: unknown, locale: Locale): unknown {
  const { facts } = reportMessages(locale).audit
  return Array.isArray(value) ? value.map((field) => facts[String(field)] ?? field) : value
}

function formatValue(value: unknown, locale: Locale): string {
  const t = reportMessages(locale).audit
  if (Array.isArray(value)) return value.map((element) => formatValue(element, locale)).join(t.list)
  if (typeof value === 'boolean') return value ? t.yes : t.no
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
