import { type Context, Hono } from 'hono'
import { audited } from '../audited.ts'
import type { App } from '../context.ts'
import { type RegistrationStatus, registrationStatuses } from '../db/schema.ts'
import { comings, saidComing } from '../domain/coming.ts'
import { countPeople, listPeople, type PeopleCounts, peoplePerPage } from '../domain/people.ts'
import { askedOf, readinesses, readinessOf } from '../domain/readiness.ts'
import type { RosterLine } from '../domain/roster.ts'
import { dateIn, minuteIn } from '../domain/time-zones.ts'
import type { Workshop } from '../domain/workshops.ts'
import { paths, withQuery } from '../links.ts'
import { doorMessagesFor } from '../messages/door.ts'
import { mailingMessagesFor } from '../messages/mailing.ts'
import { type PeopleMessages, peopleMessagesFor } from '../messages/people.ts'
import { pick } from '../messages/text.ts'
import { Choice } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { type ColumnName, Columns, columnNames, Head, rememberColumns } from './people-columns.tsx'
import {
  findWhose,
  listPath,
  newMessagePath,
  type PeopleQuery,
  readPeopleQuery,
  type Whose,
  writePeopleQuery,
} from './people-query.ts'

/** The attendee list of a workshop, or of all workshops of a campaign. */
export const peoplePages = new Hono<App>()

peoplePages.get('/console/workshops/:slug/people', (c) => showPeople(c, 'workshop'))
peoplePages.get('/console/campaigns/:slug/people', (c) => showPeople(c, 'campaign'))

async function showPeople(c: Context<App>, of: Whose['of']): Promise<Response> {
  const { deps } = c.env
  const whose = await findWhose(c, of)
  if (!whose) return c.notFound()
  const query = readPeopleQuery(c)
  const columns = rememberColumns(c)
  if (columns === 'remembered') {
    return c.redirect(withQuery(listPath(whose), { ...writePeopleQuery(query), page: c.req.query('page') }), 303)
  }
  const { workshops } = whose
  const counts = await countPeople(deps, workshops)
  const found = await listPeople(deps, workshops, query.filter, query.order, query.page)
  if (query.filter.search) {
    await audited(c, {
      action: 'list.looked_up',
      ...whoseIds(whose),
      facts: { count: found.total },
      personal: { search: query.filter.search },
    })
  }
  const t = peopleMessagesFor(c.var.locale)
  const shown = columnNames.filter((name) => columns.includes(name) && (name !== 'workshop' || whose.of === 'campaign'))
  return consolePage(
    c,
    {
      title: `${t.list.title} · ${nameOf(c, whose)}`,
      section: 'campaigns',
      back: { href: consolePath(whose), text: nameOf(c, whose) },
      scripts: ['people'],
      done: c.req.query('done') === 'erased' ? t.person.erased : undefined,
    },
    <>
      <h1>{t.list.title}</h1>
      <Ways c={c} whose={whose} query={query} t={t} />
      <Filter c={c} whose={whose} query={query} counts={counts} t={t} />
      <p class="count" role="status">
        {sayTotal(found.total, counts, query, t)}
      </p>
      {found.lines.length > 0 && (
        <form method="post" action={paths.chosenPeople()} class="people">
          <input type="hidden" name="back" value={addressOf(whose, query)} />
          <Chosen t={t} />
          <section class="people-frame" tabindex={0} aria-label={t.list.title}>
            <table class="people">
              <thead>
                <tr>
                  <th class="choose">
                    <input type="checkbox" data-choose-all="" aria-label={t.list.chooseAll} hidden />
                  </th>
                  {shown.map((name) => (
                    <Head name={name} whose={whose} query={query} t={t} />
                  ))}
                </tr>
              </thead>
              <tbody>
                {found.lines.map((line) => (
                  <Line c={c} line={line} workshops={workshops} shown={shown} t={t} />
                ))}
              </tbody>
            </table>
          </section>
        </form>
      )}
      <Pages whose={whose} query={{ ...query, page: found.page }} total={found.total} t={t} />
      <Columns whose={whose} query={query} columns={columns} t={t} />
    </>,
  )
}

function consolePath(whose: Whose): string {
  return whose.of === 'workshop' ? paths.consoleWorkshop(whose.workshops[0].slug) : paths.consoleCampaign(whose.slug)
}

/** What the audit log says of whose people were looked at. */
export function whoseIds(whose: Whose): { workshopId: string } | { campaignId: string } {
  return whose.of === 'workshop' ? { workshopId: whose.workshops[0].id } : { campaignId: whose.id }
}

/** 上海 2026-12-19, or the title of a campaign. */
export function nameOf(c: Context<App>, whose: Whose): string {
  return whose.of === 'workshop' ? workshopName(c, whose.workshops[0]) : pick(whose.title, c.var.locale)
}

/** A workshop as organisers tell it from others: 上海 2026-12-19. */
export function workshopName(c: Context<App>, { city, startsAt, timeZone }: Workshop): string {
  return `${pick(city, c.var.locale)} ${dateIn(startsAt, timeZone)}`
}

function sayTotal(total: number, counts: PeopleCounts, { filter }: PeopleQuery, t: PeopleMessages): string {
  const all = Object.values(counts.statuses).reduce((sum, people) => sum + people, 0)
  if (all === 0) return t.list.none
  if (total === 0) return t.list.noneFound
  return Object.values(filter).some(Boolean) ? t.list.chosen(total, all) : t.list.total(all)
}

function addressOf(whose: Whose, query: PeopleQuery): string {
  const page = query.page > 1 ? String(query.page) : undefined
  return withQuery(listPath(whose), { ...writePeopleQuery(query), page })
}

/** What else there is to do with these people; files and sheets hold those whom the filter lets through. */
function Ways({ c, whose, query, t }: { c: Context<App>; whose: Whose; query: PeopleQuery; t: PeopleMessages }) {
  const filtered = (path: string) => withQuery(path, writePeopleQuery(query))
  const list = listPath(whose)
  const [workshop] = whose.workshops
  return (
    <nav class="ways">
      {whose.of === 'workshop' && workshop && <a href={paths.addPerson(workshop.slug)}>{t.list.add}</a>}
      <a href={filtered(newMessagePath(whose))}>{mailingMessagesFor(c.var.locale).list.toFiltered}</a>
      <a href={`${list}/duplicates`}>{t.list.alike}</a>
      {whose.of === 'workshop' && workshop && (
        <>
          <a href={filtered(paths.signInSheet(workshop.slug))}>{t.list.signInSheet}</a>
          <a href={filtered(paths.nameBadges(workshop.slug))}>{t.list.badges}</a>
        </>
      )}
      <a href={filtered(`${list}.csv`)}>{t.list.csv}</a>
      <a href={filtered(`${list}.xlsx`)}>{t.list.xlsx}</a>
    </nav>
  )
}

function Filter({
  c,
  whose,
  query,
  counts,
  t,
}: {
  c: Context<App>
  whose: Whose
  query: PeopleQuery
  counts: PeopleCounts
  t: PeopleMessages
}) {
  const { filter } = query
  const any = { value: '', text: t.list.any }
  const { sort } = writePeopleQuery(query)
  const asked = new Map(whose.workshops.flatMap(askedOf).map((item) => [item.id, pick(item.text, c.var.locale)]))
  const links = counts.links.map(({ code, channel, people }) => ({
    value: code ?? 'none',
    text: t.list.of(channel ?? t.list.noLink, people),
  }))
  return (
    <form method="get" action={listPath(whose)} class="filter">
      {sort && <input type="hidden" name="sort" value={sort} />}
      {c.req.query('lang') && <input type="hidden" name="lang" value={c.req.query('lang')} />}
      <div class="field">
        <label for="q">{t.list.search}</label>
        <input id="q" name="q" type="search" value={filter.search ?? ''} maxlength={100} aria-describedby="q-hint" />
        <p class="hint" id="q-hint">
          {t.list.searchHint}
        </p>
      </div>
      <Choice
        name="status"
        label={t.list.status}
        value={filter.status ?? ''}
        options={[
          any,
          ...registrationStatuses.map((status) => ({
            value: status,
            text: t.list.of(t.statuses[status], counts.statuses[status]),
          })),
        ]}
      />
      {(links.length > 1 || filter.link) && (
        <Choice name="link" label={t.list.link} value={filter.link ?? ''} options={[any, ...links]} />
      )}
      {asked.size > 0 && (
        <Choice
          name="ready"
          label={t.list.readiness}
          value={writePeopleQuery(query).ready ?? ''}
          options={[
            any,
            ...readinesses.map((readiness) => ({ value: readiness, text: t.readinesses[readiness] })),
            ...[...asked].flatMap(([id, text]) => [
              { value: `${id}.not`, text: t.list.item(text, false) },
              { value: `${id}.ready`, text: t.list.item(text, true) },
            ]),
          ]}
        />
      )}
      <Choice
        name="coming"
        label={t.list.coming}
        value={filter.coming ?? ''}
        options={[any, ...comings.map((coming) => ({ value: coming, text: t.comings[coming] }))]}
      />
      <div class="field">
        <button type="submit">{t.list.filter}</button>
      </div>
      {Object.values(filter).some(Boolean) && (
        <a class="clear" href={withQuery(listPath(whose), { sort })}>
          {t.list.clear}
        </a>
      )}
    </form>
  )
}

/** What is done with those who are chosen; each leads to a page that says how many they are and asks. */
function Chosen({ t }: { t: PeopleMessages }) {
  return (
    <div class="chosen">
      <span>{t.list.toChosen}</span>
      {(['promote', 'move', 'cancel'] as const).map((action) => (
        <button type="submit" name="action" value={action} class="second">
          {t.list[action]}
        </button>
      ))}
    </div>
  )
}

function Line({
  c,
  line,
  workshops,
  shown,
  t,
}: {
  c: Context<App>
  line: RosterLine
  workshops: readonly Workshop[]
  shown: readonly ColumnName[]
  t: PeopleMessages
}) {
  const workshop = workshops.find(({ id }) => id === line.workshopId) as Workshop
  const cells: Record<ColumnName, unknown> = {
    number: line.seq,
    workshop: workshopName(c, workshop),
    name: line.erased ? t.list.erased : <a href={paths.person(line.id)}>{line.name}</a>,
    status: <Status status={line.status} position={line.position} t={t} />,
    company: line.company,
    phone: (
      <>
        {line.phone}
        {line.phoneShared && <small>{t.list.phoneShared}</small>}
      </>
    ),
    email: line.email,
    ready: line.erased || askedOf(workshop).length === 0 ? '' : t.readinesses[readinessOf(line, workshop)],
    coming: line.status === 'confirmed' && saidComing(line, workshop) ? t.comings.yes : '',
    channel: line.channel ?? (line.walkIn ? doorMessagesFor(c.var.locale).list.walkIn : null),
    time: <time datetime={line.createdAt.toISOString()}>{minuteIn(line.createdAt, workshop.timeZone)}</time>,
  }
  return (
    <tr class={line.status === 'cancelled' ? 'gone' : undefined}>
      <td class="choose">
        {!line.erased && (
          <input type="checkbox" name="id" value={line.id} aria-label={t.list.choose(`${line.seq} ${line.name}`)} />
        )}
      </td>
      {shown.map((name) => (
        <td class={`of-${name}`} data-head={t.columns[name]}>
          {cells[name]}
        </td>
      ))}
    </tr>
  )
}

/** A registration's state as a tag, with the place of those who wait. */
export function Status({
  status,
  position,
  t,
}: {
  status: RegistrationStatus
  position: number | null
  t: PeopleMessages
}) {
  return <span class={marks[status]}>{position === null ? t.statuses[status] : t.place(position)}</span>
}

const marks: Record<RegistrationStatus, string> = {
  confirmed: 'mark',
  offered: 'mark warn',
  waitlisted: 'mark warn',
  cancelled: 'mark off',
}

function Pages({ whose, query, total, t }: { whose: Whose; query: PeopleQuery; total: number; t: PeopleMessages }) {
  const pages = Math.ceil(total / peoplePerPage)
  if (pages <= 1) return null
  const to = (page: number) => addressOf(whose, { ...query, page })
  return (
    <nav class="pages">
      {query.page > 1 && (
        <a rel="prev" href={to(query.page - 1)}>
          {t.list.previous}
        </a>
      )}
      <span>{t.list.page(query.page, pages)}</span>
      {query.page < pages && (
        <a rel="next" href={to(query.page + 1)}>
          {t.list.next}
        </a>
      )}
    </nav>
  )
}
