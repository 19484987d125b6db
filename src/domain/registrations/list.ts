import { type SQL, sql } from 'drizzle-orm'
import { query, uuidArray } from '../../db/database.ts'
import { type RegistrationStatus, registrationStatuses } from '../../db/schema.ts'
import { normalizeUnicode, toSingleLine } from '../../lib/text.ts'
import type { Deps } from '../deps.ts'
import type { Workshop } from '../workshops/workshops.ts'
import { type ConfirmationStatus, hasConfirmationStatus } from './attendance-confirmation.ts'
import { type AttendeeRow, attendeeColumns, parseAttendeeRow, type StoredAttendeeRow } from './export.ts'
import { buildSearchKey, searchKeyQuery, storeSearchKeys } from './name-search.ts'
import { type Readiness, requiredItems } from './readiness.ts'

/*
 * The people of a workshop or of all workshops of a campaign, as organisers look for them. What is asked goes over the
 * registrations of these workshops once, by the index that begins with the workshop, and joins them to nothing; all else
 * is looked up for the lines of one page alone. Where the tables were never analysed, as on PGlite, a join of the whole
 * list has taken seconds.
 */

export const peopleSortKeys = ['number', 'name', 'time', 'status', 'company'] as const
export type PeopleSort = { by: (typeof peopleSortKeys)[number]; descending?: boolean | undefined }

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
  coming?: ConfirmationStatus | undefined
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
  order: PeopleSort = { by: 'number' },
  page = 1,
): Promise<{ lines: AttendeeRow[]; total: number; page: number }> {
  await fillSearchKeys(deps, workshops, filter, order)
  const found = await query<{ id: string; total: number }>(
    deps.db,
    sql`select r.id, count(*) over ()::int as total
        from registrations r
        where ${buildCondition(workshops, filter)}
        order by ${buildOrder(workshops, order)}
        limit ${peoplePerPage} offset ${(page - 1) * peoplePerPage}`,
  )
  if (found.length === 0 && page > 1) return listPeople(deps, workshops, filter, order)
  const ids = found.map(({ id }) => id)
  return {
    lines: await selectRows(deps, ids, await findWaitlistPositions(deps, workshops, ids)),
    total: found[0]?.total ?? 0,
    page,
  }
}

/** All of them, so many lines at a time, without holding more than their ids in memory. */
export async function* streamPeople(
  deps: Deps,
  workshops: readonly Workshop[],
  filter: PeopleFilter = {},
  order: PeopleSort = { by: 'number' },
): AsyncGenerator<AttendeeRow[]> {
  await fillSearchKeys(deps, workshops, filter, order)
  const found = await query<{ id: string }>(
    deps.db,
    sql`select r.id from registrations r
        where ${buildCondition(workshops, filter)}
        order by ${buildOrder(workshops, order)}`,
  )
  const positions = await findWaitlistPositions(deps, workshops)
  for (let from = 0; from < found.length; from += 250) {
    const ids = found.slice(from, from + 250).map(({ id }) => id)
    yield await selectRows(deps, ids, positions)
  }
}

/** The people with these ids who are registered to these workshops, in the order of the ids. */
async function findPeople(deps: Deps, workshops: readonly Workshop[], ids: readonly string[]): Promise<AttendeeRow[]> {
  const lines = await selectRows(deps, ids, await findWaitlistPositions(deps, workshops, ids))
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
export async function buildPeopleCondition(
  deps: Deps,
  workshops: readonly Workshop[],
  filter: PeopleFilter = {},
): Promise<SQL> {
  await fillSearchKeys(deps, workshops, filter, { by: 'number' })
  return buildCondition(workshops, filter)
}

/** How many people there are in each state and through each link, for the filter to offer. */
export async function countPeople(deps: Deps, workshops: readonly Workshop[]): Promise<PeopleCounts> {
  const counted = await query<{
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
          from registrations r where ${inWorkshops(workshops)}
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
export type DuplicateGroup = { by: 'phone' | 'name'; people: AttendeeRow[] }

/** At most so many groups are found at a time: whoever has settled those finds more. */
const maxDuplicateGroups = 100

/**
 * Live registrations that may be one person's, those with the same phone first. Each group begins with whoever should
 * stay: who has a seat, and of these who came first. The same address in several workshops is no duplicate.
 */
export async function findDuplicates(deps: Deps, workshops: readonly Workshop[]): Promise<DuplicateGroup[]> {
  const groupQuery = (by: DuplicateGroup['by'], expression: SQL) => sql`
    (select ${sql.raw(`'${by}'`)} as by,
            json_agg(r.id order by r.status = 'waitlisted', r.status = 'offered', r.created_at, r.id) as ids
     from registrations r
     where ${inWorkshops(workshops)} and r.status in ('confirmed', 'waitlisted', 'offered') and r.erased_at is null
       and ${expression} is not null
     group by ${expression}
     -- A group is listed again only if somebody new belongs to it.
     having count(distinct r.email_key) > 1 and not bool_and(r.not_duplicates)
     order by min(r.created_at)
     limit ${maxDuplicateGroups})`
  const found = await query<{ by: DuplicateGroup['by']; ids: string[] }>(
    deps.db,
    sql`${groupQuery('phone', sql`r.phone`)} union all ${groupQuery('name', sql`lower(replace(r.name, ' ', ''))`)}`,
  )
  const groups = found
    .filter(
      ({ by, ids }) => by === 'phone' || !found.some((other) => other.by === 'phone' && isSameSet(other.ids, ids)),
    )
    .sort((a, b) => Number(a.by === 'name') - Number(b.by === 'name'))
  const ids = [...new Set(groups.flatMap((group) => group.ids))]
  const lines = new Map((await findPeople(deps, workshops, ids)).map((line) => [line.id, line]))
  return groups.map((group) => ({ by: group.by, people: group.ids.flatMap((id) => lines.get(id) ?? []) }))
}

const isSameSet = (some: readonly string[], others: readonly string[]) =>
  some.length === others.length && some.every((id) => others.includes(id))

/** Works out how the names are typed that nobody has searched among yet, where that is asked for. */
async function fillSearchKeys(
  deps: Deps,
  workshops: readonly Workshop[],
  { search = '' }: PeopleFilter,
  { by }: PeopleSort,
): Promise<void> {
  if (by !== 'name' && !searchKeyQuery(search)) return
  for (;;) {
    const unindexed = await query<{ id: string; name: string }>(
      deps.db,
      sql`select r.id, r.name from registrations r
          where ${inWorkshops(workshops)} and r.name_search is null and r.erased_at is null
          limit ${searchKeyBatchSize}`,
    )
    if (unindexed.length === 0) return
    await storeSearchKeys(
      deps,
      await Promise.all(unindexed.map(async ({ id, name }) => ({ id, name, initials: await buildSearchKey(name) }))),
      'wait',
    )
  }
}

/** Names whose initials are stored in one statement: their rows are locked for so long. */
const searchKeyBatchSize = 1000

function buildCondition(workshops: readonly Workshop[], filter: PeopleFilter): SQL {
  const { search, status, link, readiness, item, coming } = filter
  const conditions = [
    inWorkshops(workshops),
    ...(search?.trim() ? [matchesSearch(search)] : []),
    ...(status ? [sql`r.status = ${status}`] : []),
    ...(link ? [link === 'none' ? sql`r.link_code is null` : sql`r.link_code = ${link}`] : []),
    ...(readiness ? [hasReadiness(workshops, readiness)] : []),
    ...(item ? [hasItemAnswer(workshops, item)] : []),
    ...(coming
      ? [
          sql`(${sql.join(
            workshops.map((workshop) => hasConfirmationStatus(workshop, coming)),
            sql` or `,
          )})`,
        ]
      : []),
  ]
  return sql.join(conditions, sql` and `)
}

function inWorkshops(workshops: readonly Workshop[]): SQL {
  return sql`r.workshop_id = any(${uuidArray(workshops.map(({ id }) => id))})`
}

/** Names and companies are compared without spaces and capitals. */
function matchesSearch(search: string): SQL {
  const needle = toSingleLine(search).toLowerCase().replaceAll(' ', '')
  const halfWidth = normalizeUnicode(needle, 'NFKC')
  const searchKey = searchKeyQuery(search)
  const digits = /^\+?[\d()-]+$/.test(halfWidth) ? halfWidth.replace(/\D/g, '') : ''
  const alternatives = [
    sql`lower(replace(r.name, ' ', '')) like ${`%${escapeLike(needle)}%`}`,
    sql`lower(replace(r.company, ' ', '')) like ${`%${escapeLike(needle)}%`}`,
    ...(searchKey ? [sql`r.name_search like ${`%${searchKey}%`}`] : []),
    // People know the beginning of an address that is a number, as those of QQ are.
    sql`r.email_key like ${digits ? `${digits}%` : `%${escapeLike(halfWidth)}%`}`,
    ...(digits ? [sql`r.phone like ${`%${digits}`}`] : []),
    ...(/^\d{1,6}$/.test(digits) ? [sql`r.seq = ${Number(digits)}`] : []),
  ]
  // Whoever was erased has an id in place of the address.
  return sql`r.erased_at is null and (${sql.join(alternatives, sql` or `)})`
}

/** A text that `like` takes as it stands. */
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}

function hasReadiness(workshops: readonly Workshop[], readiness: Readiness): SQL {
  const conditions = workshops.map(({ id, items }) => {
    const requiredIds = items.filter(({ mustConfirm }) => mustConfirm).map((item) => item.id)
    const allTicked = sql`r.ready @> ${JSON.stringify(Object.fromEntries(requiredIds.map((item) => [item, true])))}::jsonb`
    const someUnticked = sql.join(
      [sql`false`, ...requiredIds.map((item) => sql`r.ready @> ${JSON.stringify({ [item]: false })}::jsonb`)],
      sql` or `,
    )
    const conditionByReadiness = {
      ready: allTicked,
      not_ready: sql`(${someUnticked})`,
      unanswered: sql`not (${allTicked} or ${someUnticked})`,
    }
    return sql`(r.workshop_id = ${id}::uuid and ${conditionByReadiness[readiness]})`
  })
  return sql`r.erased_at is null and (${sql.join([sql`false`, ...conditions], sql` or `)})`
}

function hasItemAnswer(workshops: readonly Workshop[], { id, ready }: NonNullable<PeopleFilter['item']>): SQL {
  const workshopsWithItem = workshops.filter((workshop) => requiredItems(workshop).some((item) => item.id === id))
  const isTicked = sql`r.ready @> ${JSON.stringify({ [id]: true })}::jsonb`
  return sql`${inWorkshops(workshopsWithItem)} and r.erased_at is null and ${ready ? isTicked : sql`not ${isTicked}`}`
}

function buildOrder(workshops: readonly Workshop[], { by, descending }: PeopleSort): SQL {
  const direction = sql.raw(descending ? 'desc nulls last' : 'asc nulls last')
  const workshopPosition = sql`array_position(${uuidArray(workshops.map(({ id }) => id))}, r.workshop_id)`
  const keys = {
    number: sql`${workshopPosition}, r.seq ${direction}`,
    // In the order of bytes, in which initials stand as in a register.
    name: sql`r.name_search collate "C" ${direction}, r.name collate "C" ${direction}`,
    time: sql`r.created_at ${direction}`,
    status: sql`array_position(array['confirmed', 'offered', 'waitlisted', 'cancelled'], r.status) ${direction}`,
    company: sql`nullif(lower(r.company), '') ${direction}`,
  }
  return sql`${keys[by]}, ${workshopPosition}, r.seq`
}

async function selectRows(
  deps: Deps,
  ids: readonly string[],
  positions: ReadonlyMap<string, number>,
): Promise<AttendeeRow[]> {
  if (ids.length === 0) return []
  const rows = await query<Omit<StoredAttendeeRow, 'position'>>(
    deps.db,
    sql`select ${attendeeColumns}
        from unnest(${uuidArray(ids)}) with ordinality as requested(id, place)
        cross join lateral (select * from registrations r where r.id = requested.id offset 0) p
        order by requested.place`,
  )
  return rows.map((row) => parseAttendeeRow({ ...row, position: positions.get(row.id) ?? null }))
}

/** Positions on the waitlists, counted from 1, of these people or of all who wait. */
async function findWaitlistPositions(
  deps: Deps,
  workshops: readonly Workshop[],
  ids?: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (ids?.length === 0 || workshops.every(({ waitlisted }) => waitlisted === 0)) return new Map()
  const positionRows = await query<{ id: string; position: number }>(
    deps.db,
    sql`select line.id, line.position
        from (
          select r.id, row_number() over (partition by r.workshop_id order by r.seq)::int as position
          from registrations r where ${inWorkshops(workshops)} and r.status = 'waitlisted'
        ) line
        ${ids ? sql`where line.id = any(${uuidArray(ids)})` : sql``}`,
  )
  return new Map(positionRows.map(({ id, position }) => [id, position]))
}
