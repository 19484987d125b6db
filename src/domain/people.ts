import { type SQL, sql } from 'drizzle-orm'
import { rows, uuids } from '../db/database.ts'
import { type RegistrationStatus, registrationStatuses } from '../db/schema.ts'
import type { Deps } from '../deps.ts'
import { type Coming, isComing } from './coming.ts'
import { nameInitialsOf, storeInitials, typedInitials } from './name-initials.ts'
import { normalize, toOneLine } from './plain-text.ts'
import { askedOf, type Readiness } from './readiness.ts'
import { lineColumns, type RosterLine, readLine, type StoredLine } from './roster.ts'
import type { Workshop } from './workshops.ts'

/*
 * The people of a workshop or of all workshops of a campaign, as organisers look for them. What is asked goes over the
 * registrations of these workshops once, by the index that begins with the workshop, and joins them to nothing; all else
 * is looked up for the lines of one page alone. Where the tables were never analysed, as on PGlite, a join of the whole
 * list has taken seconds.
 */

export const peopleOrders = ['number', 'name', 'time', 'status', 'company'] as const
export type PeopleOrder = { by: (typeof peopleOrders)[number]; descending?: boolean | undefined }

export type PeopleFilter = {
  /**
   * Part of the name, its pinyin or initials, part of the e-mail or company, the last digits of the phone, or the number. As
   * `readSearch` reads it.
   */
  search?: string | undefined
  status?: RegistrationStatus | undefined
  /** The code of the registration link through which they came, or `none` for those who came without one. */
  link?: string | undefined
  readiness?: Readiness | undefined
  /** Who is ready with one item of the checklist, by its id, or who is not. */
  item?: { id: string; ready: boolean } | undefined
  /** Of those with a seat of their own: whether they said that they come. */
  coming?: Coming | undefined
}

export const peoplePerPage = 100

/**
 * A page of people, 100 a page, with how many there are in all.
 * @param workshops whose people; one, or all of a campaign in the order of their dates
 * @param page counted from 1; behind the last one there is the first
 */
export async function listPeople(
  deps: Deps,
  workshops: readonly Workshop[],
  filter: PeopleFilter = {},
  order: PeopleOrder = { by: 'number' },
  page = 1,
): Promise<{ lines: RosterLine[]; total: number; page: number }> {
  await fillInitials(deps, workshops, filter, order)
  const found = await rows<{ id: string; total: number }>(
    deps.db,
    sql`select r.id, count(*) over ()::int as total
        from registrations r
        where ${conditionOf(workshops, filter)}
        order by ${orderOf(workshops, order)}
        limit ${peoplePerPage} offset ${(page - 1) * peoplePerPage}`,
  )
  if (found.length === 0 && page > 1) return listPeople(deps, workshops, filter, order)
  const ids = found.map(({ id }) => id)
  return {
    lines: await readLines(deps, ids, await positionsOf(deps, workshops, ids)),
    total: found[0]?.total ?? 0,
    page,
  }
}

/** All of them, so many lines at a time, without holding more than their ids in memory. */
export async function* allPeople(
  deps: Deps,
  workshops: readonly Workshop[],
  filter: PeopleFilter = {},
  order: PeopleOrder = { by: 'number' },
): AsyncGenerator<RosterLine[]> {
  await fillInitials(deps, workshops, filter, order)
  const found = await rows<{ id: string }>(
    deps.db,
    sql`select r.id from registrations r
        where ${conditionOf(workshops, filter)}
        order by ${orderOf(workshops, order)}`,
  )
  const positions = await positionsOf(deps, workshops)
  for (let from = 0; from < found.length; from += 250) {
    const ids = found.slice(from, from + 250).map(({ id }) => id)
    yield await readLines(deps, ids, positions)
  }
}

/** The people with these ids who are registered to these workshops, in the order of the ids. */
async function findPeople(deps: Deps, workshops: readonly Workshop[], ids: readonly string[]): Promise<RosterLine[]> {
  const lines = await readLines(deps, ids, await positionsOf(deps, workshops, ids))
  const known = new Set(workshops.map(({ id }) => id))
  return lines.filter(({ workshopId }) => known.has(workshopId))
}

export type PeopleCounts = {
  statuses: Record<RegistrationStatus, number>
  /** By the link through which they came, most first; the code is null for those who came without one. */
  links: { code: string | null; channel: string | null; people: number }[]
}

/**
 * What is true of the registrations `r` of those whom a filter lets through, for statements that do something to all of
 * them at once.
 */
export async function peopleCondition(
  deps: Deps,
  workshops: readonly Workshop[],
  filter: PeopleFilter = {},
): Promise<SQL> {
  await fillInitials(deps, workshops, filter, { by: 'number' })
  return conditionOf(workshops, filter)
}

/** How many people there are in each state and through each link, for the filter to offer. */
export async function countPeople(deps: Deps, workshops: readonly Workshop[]): Promise<PeopleCounts> {
  const counted = await rows<{
    status: RegistrationStatus
    code: string | null
    channel: string | null
    people: number
  }>(
    deps.db,
    sql`select c.status, c.link_code as code, c.people,
               (select channel from registration_links where code = c.link_code) as channel
        from (
          select r.status, r.link_code, count(*)::int as people
          from registrations r where ${isIn(workshops)}
          group by r.status, r.link_code
        ) c`,
  )
  const sum = (some: typeof counted) => some.reduce((total, { people }) => total + people, 0)
  const byLink = Object.values(Object.groupBy(counted, ({ code }) => code ?? '')).flatMap((some = []) => {
    const [{ code, channel } = { code: null, channel: null }] = some
    return { code, channel, people: sum(some) }
  })
  return {
    statuses: Object.fromEntries(
      registrationStatuses.map((status) => [status, sum(counted.filter((some) => some.status === status))]),
    ) as PeopleCounts['statuses'],
    links: byLink.toSorted((a, b) => b.people - a.people),
  }
}

/** Registrations under different addresses that may be one person's. `by`: what they have in common. */
export type Alike = { by: 'phone' | 'name'; people: RosterLine[] }

/** At most so many groups are found at a time: whoever has settled those finds more. */
const mostAlike = 100

/**
 * Live registrations that may be one person's, those with the same phone first. Each group begins with whoever should
 * stay: who has a seat, and of these who came first. The same address in several workshops is no duplicate.
 */
export async function findAlike(deps: Deps, workshops: readonly Workshop[]): Promise<Alike[]> {
  const groupBy = (by: Alike['by'], what: SQL) => sql`
    (select ${sql.raw(`'${by}'`)} as by,
            json_agg(r.id order by r.status = 'waitlisted', r.status = 'offered', r.created_at, r.id) as ids
     from registrations r
     where ${isIn(workshops)} and r.status in ('confirmed', 'waitlisted', 'offered') and r.erased_at is null
       and ${what} is not null
     group by ${what}
     -- Of those who were told apart only newcomers are asked about.
     having count(distinct r.email_key) > 1 and not bool_and(r.told_apart)
     order by min(r.created_at)
     limit ${mostAlike})`
  const found = await rows<{ by: Alike['by']; ids: string[] }>(
    deps.db,
    sql`${groupBy('phone', sql`r.phone`)} union all ${groupBy('name', sql`lower(replace(r.name, ' ', ''))`)}`,
  )
  const groups = found
    .filter(({ by, ids }) => by === 'phone' || !found.some((other) => other.by === 'phone' && sameSet(other.ids, ids)))
    .sort((a, b) => Number(a.by === 'name') - Number(b.by === 'name'))
  const ids = [...new Set(groups.flatMap((group) => group.ids))]
  const lines = new Map((await findPeople(deps, workshops, ids)).map((line) => [line.id, line]))
  return groups.map((group) => ({ by: group.by, people: group.ids.flatMap((id) => lines.get(id) ?? []) }))
}

const sameSet = (some: readonly string[], others: readonly string[]) =>
  some.length === others.length && some.every((id) => others.includes(id))

/** Works out how the names are typed that nobody has searched among yet, where that is asked for. */
async function fillInitials(
  deps: Deps,
  workshops: readonly Workshop[],
  { search = '' }: PeopleFilter,
  { by }: PeopleOrder,
): Promise<void> {
  if (by !== 'name' && !typedInitials(search)) return
  for (;;) {
    const unknown = await rows<{ id: string; name: string }>(
      deps.db,
      sql`select r.id, r.name from registrations r
          where ${isIn(workshops)} and r.name_initials is null and r.erased_at is null
          limit ${atATime}`,
    )
    if (unknown.length === 0) return
    await storeInitials(
      deps,
      await Promise.all(unknown.map(async ({ id, name }) => ({ id, name, initials: await nameInitialsOf(name) }))),
      'wait',
    )
  }
}

/** Names whose initials are stored in one statement: their rows are locked for so long. */
const atATime = 1000

function conditionOf(workshops: readonly Workshop[], filter: PeopleFilter): SQL {
  const { search, status, link, readiness, item, coming } = filter
  const conditions = [
    isIn(workshops),
    ...(search?.trim() ? [found(search)] : []),
    ...(status ? [sql`r.status = ${status}`] : []),
    ...(link ? [link === 'none' ? sql`r.link_code is null` : sql`r.link_code = ${link}`] : []),
    ...(readiness ? [isReady(workshops, readiness)] : []),
    ...(item ? [isReadyWith(workshops, item)] : []),
    ...(coming
      ? [
          sql`(${sql.join(
            workshops.map((workshop) => isComing(workshop, coming)),
            sql` or `,
          )})`,
        ]
      : []),
  ]
  return sql.join(conditions, sql` and `)
}

function isIn(workshops: readonly Workshop[]): SQL {
  return sql`r.workshop_id = any(${uuids(workshops.map(({ id }) => id))})`
}

/** Names and companies are compared without spaces and capitals. */
function found(search: string): SQL {
  const typed = toOneLine(search).toLowerCase().replaceAll(' ', '')
  const plain = normalize(typed, 'NFKC')
  const initials = typedInitials(search)
  const digits = /^\+?[\d()-]+$/.test(plain) ? plain.replace(/\D/g, '') : ''
  const alternatives = [
    sql`lower(replace(r.name, ' ', '')) like ${`%${literally(typed)}%`}`,
    sql`lower(replace(r.company, ' ', '')) like ${`%${literally(typed)}%`}`,
    ...(initials ? [sql`r.name_initials like ${`%${initials}%`}`] : []),
    // People know the beginning of an address that is a number, as those of QQ are.
    sql`r.email_key like ${digits ? `${digits}%` : `%${literally(plain)}%`}`,
    ...(digits ? [sql`r.phone like ${`%${digits}`}`] : []),
    ...(/^\d{1,6}$/.test(digits) ? [sql`r.seq = ${Number(digits)}`] : []),
  ]
  // Whoever was erased has an id in place of the address.
  return sql`r.erased_at is null and (${sql.join(alternatives, sql` or `)})`
}

/** A text that `like` takes as it stands. */
function literally(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}

function isReady(workshops: readonly Workshop[], readiness: Readiness): SQL {
  const conditions = workshops.map(({ id, items }) => {
    const asked = items.filter(({ mustConfirm }) => mustConfirm).map((item) => item.id)
    const yesToAll = sql`r.ready @> ${JSON.stringify(Object.fromEntries(asked.map((item) => [item, true])))}::jsonb`
    const noToSome = sql.join(
      [sql`false`, ...asked.map((item) => sql`r.ready @> ${JSON.stringify({ [item]: false })}::jsonb`)],
      sql` or `,
    )
    const said = {
      ready: yesToAll,
      not_ready: sql`(${noToSome})`,
      unanswered: sql`not (${yesToAll} or ${noToSome})`,
    }
    return sql`(r.workshop_id = ${id}::uuid and ${said[readiness]})`
  })
  return sql`r.erased_at is null and (${sql.join([sql`false`, ...conditions], sql` or `)})`
}

function isReadyWith(workshops: readonly Workshop[], { id, ready }: NonNullable<PeopleFilter['item']>): SQL {
  const asking = workshops.filter((workshop) => askedOf(workshop).some((item) => item.id === id))
  const yes = sql`r.ready @> ${JSON.stringify({ [id]: true })}::jsonb`
  return sql`${isIn(asking)} and r.erased_at is null and ${ready ? yes : sql`not ${yes}`}`
}

function orderOf(workshops: readonly Workshop[], { by, descending }: PeopleOrder): SQL {
  const turn = sql.raw(descending ? 'desc nulls last' : 'asc nulls last')
  const place = sql`array_position(${uuids(workshops.map(({ id }) => id))}, r.workshop_id)`
  const keys = {
    number: sql`${place}, r.seq ${turn}`,
    // In the order of bytes, in which initials stand as in a register.
    name: sql`r.name_initials collate "C" ${turn}, r.name collate "C" ${turn}`,
    time: sql`r.created_at ${turn}`,
    status: sql`array_position(array['confirmed', 'offered', 'waitlisted', 'cancelled'], r.status) ${turn}`,
    company: sql`nullif(lower(r.company), '') ${turn}`,
  }
  return sql`${keys[by]}, ${place}, r.seq`
}

async function readLines(
  deps: Deps,
  ids: readonly string[],
  positions: ReadonlyMap<string, number>,
): Promise<RosterLine[]> {
  if (ids.length === 0) return []
  const found = await rows<Omit<StoredLine, 'position'>>(
    deps.db,
    sql`select ${lineColumns}
        from unnest(${uuids(ids)}) with ordinality as wanted(id, place)
        cross join lateral (select * from registrations r where r.id = wanted.id offset 0) p
        order by wanted.place`,
  )
  return found.map((line) => readLine({ ...line, position: positions.get(line.id) ?? null }))
}

/** Positions on the waitlists, counted from 1, of these people or of all who wait. */
async function positionsOf(
  deps: Deps,
  workshops: readonly Workshop[],
  ids?: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (ids?.length === 0 || workshops.every(({ waitlisted }) => waitlisted === 0)) return new Map()
  const waiting = await rows<{ id: string; position: number }>(
    deps.db,
    sql`select line.id, line.position
        from (
          select r.id, row_number() over (partition by r.workshop_id order by r.seq)::int as position
          from registrations r where ${isIn(workshops)} and r.status = 'waitlisted'
        ) line
        ${ids ? sql`where line.id = any(${uuids(ids)})` : sql``}`,
  )
  return new Map(waiting.map(({ id, position }) => [id, position]))
}
