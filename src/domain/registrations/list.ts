import { type SQL, sql } from 'drizzle-orm'
import { query, uuidArray } from '../../db/database.ts'
import { type RegistrationStatus, registrationStatuses } from '../../db/schema.ts'
import { normalizeUnicode, toSingleLine } from '../../lib/text.ts'
import type { Deps } from '../deps.ts'
import type { Workshop } from '../workshops/workshops.ts'
import { type ConfirmationStatus, hasConfirmationStatus } from './attendance-confirmation.ts'
import { type AttendeeRow, attendeeColumns, parseAttendeeRow, type StoredAttendeeRow } from './export.ts'
import { buildSearchKey, storeSearchKeys } from './name-search.ts'
import { type Readiness, requiredItems } from './readiness.ts'
import { searchKeyQuery } from './search-key.ts'

/*
 * The organisers' list of registrations of one workshop or of all workshops of a campaign. A query filters and sorts
 * registrations alone, in one pass by the index that begins with the workshop; everything else is looked up for the rows of
 * one page. Without planner statistics, as on PGlite, joining the whole list took seconds.
 */

export const peopleSortKeys = ['number', 'name', 'time', 'status', 'company'] as const
export type PeopleSort = { by: (typeof peopleSortKeys)[number]; descending?: boolean | undefined }

export type PeopleFilter = {
  /**
   * Part of the name, its pinyin or initials, part of the e-mail or company, the last digits of the phone, or the number.
   * As returned by `parseSearch`.
   */
  search?: string | undefined
  status?: RegistrationStatus | undefined
  /** Code of the registration link, or `none` for registrations without one. */
  link?: string | undefined
  readiness?: Readiness | undefined
  /** Whether one checklist item, by its id, is ticked. */
  item?: { id: string; ready: boolean } | undefined
  /** Attendance confirmation; matches confirmed registrations only. */
  coming?: ConfirmationStatus | undefined
}

export const peoplePerPage = 100

/**
 * Lists one page of matching registrations (`peoplePerPage` each), with the total.
 * @param workshops one, or all of a campaign in the order of their dates
 * @param page counted from 1; a page after the last one returns the first
 */
export async function listPeople(
  deps: Deps,
  workshops: readonly Workshop[],
  filter: PeopleFilter = {},
  order: PeopleSort = { by: 'number' },
  page = 1,
): Promise<{ lines: AttendeeRow[]; total: number; page: number }> {
  await fillSearchKeys(deps, workshops, filter, order)
  const matches = await query<{ id: string; total: number }>(
    deps.db,
    sql`select r.id, count(*) over ()::int as total
        from registrations r
        where ${buildCondition(workshops, filter)}
        order by ${buildOrder(workshops, order)}
        limit ${peoplePerPage} offset ${(page - 1) * peoplePerPage}`,
  )
  if (matches.length === 0 && page > 1) return listPeople(deps, workshops, filter, order)
  const ids = matches.map(({ id }) => id)
  return {
    lines: await selectRows(deps, ids, await findWaitlistPositions(deps, workshops, ids)),
    total: matches[0]?.total ?? 0,
    page,
  }
}

/** Streams all matching registrations, 250 at a time. Holds no more than their ids in memory. */
export async function* streamPeople(
  deps: Deps,
  workshops: readonly Workshop[],
  filter: PeopleFilter = {},
  order: PeopleSort = { by: 'number' },
): AsyncGenerator<AttendeeRow[]> {
  await fillSearchKeys(deps, workshops, filter, order)
  const matches = await query<{ id: string }>(
    deps.db,
    sql`select r.id from registrations r
        where ${buildCondition(workshops, filter)}
        order by ${buildOrder(workshops, order)}`,
  )
  const positions = await findWaitlistPositions(deps, workshops)
  for (let from = 0; from < matches.length; from += 250) {
    const ids = matches.slice(from, from + 250).map(({ id }) => id)
    yield await selectRows(deps, ids, positions)
  }
}

async function findPeople(deps: Deps, workshops: readonly Workshop[], ids: readonly string[]): Promise<AttendeeRow[]> {
  const lines = await selectRows(deps, ids, await findWaitlistPositions(deps, workshops, ids))
  const workshopIds = new Set(workshops.map(({ id }) => id))
  return lines.filter(({ workshopId }) => workshopIds.has(workshopId))
}

export type PeopleCounts = {
  statuses: Record<RegistrationStatus, number>
  /** By registration link, most used first; the code is null for registrations without one. */
  links: { code: string | null; channel: string | null; people: number }[]
}

/** SQL condition on registrations `r` that match a filter, for bulk statements. */
export async function buildPeopleCondition(
  deps: Deps,
  workshops: readonly Workshop[],
  filter: PeopleFilter = {},
): Promise<SQL> {
  await fillSearchKeys(deps, workshops, filter, { by: 'number' })
  return buildCondition(workshops, filter)
}

/** Counts registrations by status and by registration link, for the options of the filter. */
export async function countPeople(deps: Deps, workshops: readonly Workshop[]): Promise<PeopleCounts> {
  const counts = await query<{
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
  const sum = (group: typeof counts) => group.reduce((total, { people }) => total + people, 0)
  const byLink = Object.values(Object.groupBy(counts, ({ code }) => code ?? '')).flatMap((group = []) => {
    const [{ code, channel } = { code: null, channel: null }] = group
    return { code, channel, people: sum(group) }
  })
  return {
    statuses: Object.fromEntries(
      registrationStatuses.map((status) => [status, sum(counts.filter((count) => count.status === status))]),
    ) as PeopleCounts['statuses'],
    links: byLink.toSorted((a, b) => b.people - a.people),
  }
}

/** Registrations under different addresses that may be one person's. `by`: the field that they share. */
export type DuplicateGroup = { by: 'phone' | 'name'; people: AttendeeRow[] }

/** Maximum number of groups per shared field. Further ones appear once these are resolved. */
const maxDuplicateGroups = 100

/**
 * Finds groups of live registrations that may be one person's, those with the same phone first. The first of a group is the
 * one to keep: a seat goes before the waitlist, then the earliest sign-up. One address in several workshops is no duplicate.
 */
export async function findDuplicates(deps: Deps, workshops: readonly Workshop[]): Promise<DuplicateGroup[]> {
  const groupQuery = (by: DuplicateGroup['by'], expression: SQL) => sql`
    (select ${sql.raw(`'${by}'`)} as by,
            json_agg(r.id order by r.status = 'waitlisted', r.status = 'offered', r.created_at, r.id) as ids
     from registrations r
     where ${inWorkshops(workshops)} and r.status in ('confirmed', 'waitlisted', 'offered') and r.erased_at is null
       and ${expression} is not null
     group by ${expression}
     -- Skips groups that an organiser marked as different people, until a new registration joins.
     having count(distinct r.email_key) > 1 and not bool_and(r.not_duplicates)
     order by min(r.created_at)
     limit ${maxDuplicateGroups})`
  const matches = await query<{ by: DuplicateGroup['by']; ids: string[] }>(
    deps.db,
    sql`${groupQuery('phone', sql`r.phone`)} union all ${groupQuery('name', sql`lower(replace(r.name, ' ', ''))`)}`,
  )
  const groups = matches
    .filter(
      ({ by, ids }) => by === 'phone' || !matches.some((other) => other.by === 'phone' && isSameSet(other.ids, ids)),
    )
    .sort((a, b) => Number(a.by === 'name') - Number(b.by === 'name'))
  const ids = [...new Set(groups.flatMap((group) => group.ids))]
  const lines = new Map((await findPeople(deps, workshops, ids)).map((line) => [line.id, line]))
  return groups.map((group) => ({ by: group.by, people: group.ids.flatMap((id) => lines.get(id) ?? []) }))
}

const isSameSet = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((id) => b.includes(id))

/** Computes the missing search keys of these workshops, if the query needs them: to search, or to sort by name. */
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

/** Search keys stored in one statement, which locks their rows. */
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

/** Compares names and companies without spaces and case. */
function matchesSearch(search: string): SQL {
  const needle = toSingleLine(search).toLowerCase().replaceAll(' ', '')
  const halfWidth = normalizeUnicode(needle, 'NFKC')
  const searchKey = searchKeyQuery(search)
  const digits = /^\+?[\d()-]+$/.test(halfWidth) ? halfWidth.replace(/\D/g, '') : ''
  const alternatives = [
    sql`lower(replace(r.name, ' ', '')) like ${`%${escapeLike(needle)}%`}`,
    sql`lower(replace(r.company, ' ', '')) like ${`%${escapeLike(needle)}%`}`,
    ...(searchKey ? [sql`r.name_search like ${`%${searchKey}%`}`] : []),
    // Numeric addresses, as those of QQ, are searched by their beginning.
    sql`r.email_key like ${digits ? `${digits}%` : `%${escapeLike(halfWidth)}%`}`,
    ...(digits ? [sql`r.phone like ${`%${digits}`}`] : []),
    ...(/^\d{1,6}$/.test(digits) ? [sql`r.seq = ${Number(digits)}`] : []),
  ]
  // An erased registration has an id in place of the address.
  return sql`r.erased_at is null and (${sql.join(alternatives, sql` or `)})`
}

/** Escapes a text for use in a LIKE pattern. */
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
    // Byte order sorts pinyin keys syllable by syllable, as a Chinese register does.
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

/** Waitlist positions by registration id, counted from 1: of these registrations, or of all waitlisted ones. */
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
