import { type SQL, sql } from 'drizzle-orm'
import { query } from '../../db/database.ts'
import type { Text } from '../../db/schema.ts'
import { localDate } from '../../lib/time-zones.ts'
import { attendanceCounts, checkInJoin } from '../attendance/attendance.ts'
import type { Deps } from '../deps.ts'
import { sum } from './statistics.ts'

/** The workshops that begin in a year, including upcoming ones, without drafts and cancelled ones. Counts only, no names. */
export type YearStats = {
  year: number
  workshops: number
  cancelledWorkshops: number
  cities: number
  capacity: number
  /** Seats taken now, or at the end for past workshops. */
  taken: number
  registrations: number
  /** Of workshops whose attendance is closed: expected attendees, and the no-shows among them. */
  expected: number
  noShows: number
  /** Confirmed registrations with required items that are not erased, and how many of them confirmed all items. */
  asked: number
  ready: number
  /** Seats taken by the month in which the workshop begins; index 0 is January. */
  months: number[]
  /** People with a seat who are not erased, and how many of them had one in an earlier workshop. */
  known: number
  returning: number
}

export type CityStats = { city: Text; workshops: number; capacity: number; taken: number; registrations: number }

/** All years, newest first, and all cities, most registrations first. */
export async function computeYearlyStatistics(deps: Deps): Promise<{ years: YearStats[]; cities: CityStats[] }> {
  const workshops = await query<WorkshopTotals>(
    deps.db,
    sql`select w.id, w.city, w.starts_at, w.time_zone, w.state, w.capacity, w.taken, coalesce(r.n, 0)::int as registrations
        from workshops w
        left join (select workshop_id, count(*) as n from registrations group by workshop_id) r on r.workshop_id = w.id
        where w.state <> 'draft'`,
  )
  const dated = workshops.map((workshop) => ({
    ...workshop,
    day: localDate(new Date(workshop.starts_at), workshop.time_zone),
  }))
  const [returningAttendees, readiness, attendances] = await Promise.all([
    countReturningAttendees(deps, dated),
    countReadyAttendees(deps),
    countNoShows(deps),
  ])
  const sumFor = <Row extends { id: string }>(own: WorkshopTotals[], counted: Row[], measure: (row: Row) => number) => {
    const ids = new Set(own.map(({ id }) => id))
    return sum(
      counted.filter(({ id }) => ids.has(id)),
      measure,
    )
  }
  const years = [...groupBy(dated, ({ day }) => day.slice(0, 4))].map(([name, all]): YearStats => {
    const own = all.filter(({ state }) => state !== 'cancelled')
    const months = Array.from({ length: 12 }, (_, month) =>
      sum(
        own.filter(({ day }) => Number(day.slice(5, 7)) === month + 1),
        ({ taken }) => taken,
      ),
    )
    const year = Number(name)
    const { known = 0, returning = 0 } = returningAttendees.find((count) => count.year === year) ?? {}
    return {
      ...{ year, workshops: own.length, cancelledWorkshops: all.length - own.length },
      cities: groupBy(own, ({ city }) => cityKey(city)).size,
      capacity: sum(own, ({ capacity }) => capacity),
      taken: sum(own, ({ taken }) => taken),
      registrations: sum(own, ({ registrations }) => registrations),
      expected: sumFor(own, attendances, ({ expected }) => expected),
      noShows: sumFor(own, attendances, ({ noShows }) => noShows),
      asked: sumFor(own, readiness, ({ asked }) => asked),
      ready: sumFor(own, readiness, ({ ready }) => ready),
      ...{ months, known, returning },
    }
  })
  const notCancelled = dated.filter(({ state }) => state !== 'cancelled')
  const cities = [...groupBy(notCancelled, ({ city }) => cityKey(city)).values()].map(
    (own): CityStats => ({
      city: Object.assign({}, ...own.map(({ city }) => city)) as Text,
      workshops: own.length,
      capacity: sum(own, ({ capacity }) => capacity),
      taken: sum(own, ({ taken }) => taken),
      registrations: sum(own, ({ registrations }) => registrations),
    }),
  )
  return {
    years: years.sort((a, b) => b.year - a.year),
    cities: cities.sort((a, b) => b.registrations - a.registrations || b.workshops - a.workshops),
  }
}

type WorkshopTotals = {
  id: string
  city: Text
  starts_at: string | Date
  time_zone: string
  state: string
  capacity: number
  taken: number
  registrations: number
}

/**
 * People with a seat by year, without erased ones, whose key differs in each registration. A person is returning in a year
 * if their last workshop of that year is not their first ever.
 */
async function countReturningAttendees(
  deps: Deps,
  workshops: { id: string; day: string; starts_at: string | Date }[],
): Promise<{ year: number; known: number; returning: number }[]> {
  const dated = JSON.stringify(
    workshops.map(({ id, day, starts_at }) => ({ id, year: Number(day.slice(0, 4)), starts_at: new Date(starts_at) })),
  )
  return query(
    deps.db,
    sql`with visits as (
          select r.email_key, w.year, min(w.starts_at) as first, max(w.starts_at) as last
          from jsonb_to_recordset(${dated}::jsonb) as w (id uuid, year int, starts_at timestamptz)
          join registrations r on r.workshop_id = w.id
          where r.status = 'confirmed' and r.erased_at is null
          group by r.email_key, w.year
        ),
        people as (
          select year, last > min(first) over (partition by email_key) as returns from visits
        )
        select year, count(*)::int as known, count(*) filter (where returns)::int as returning
        from people group by year`,
  )
}

/** Confirmed registrations that are not erased, and how many of them confirmed all required items, by workshop. */
function countReadyAttendees(deps: Deps): Promise<{ id: string; asked: number; ready: number }[]> {
  const requiredItemsJson = (owner: SQL) => sql`(
    select jsonb_object_agg(i.id, true) from checklist_items i where ${owner} and i.must_confirm
    having count(*) > 0
  )`
  return query(
    deps.db,
    sql`with needed as materialized (
          select w.id, case
            when exists (select 1 from checklist_items i where i.workshop_id = w.id) then ${requiredItemsJson(sql`i.workshop_id = w.id`)}
            else ${requiredItemsJson(sql`i.campaign_id = w.campaign_id`)} end as items
          from workshops w where w.state in ('published', 'closed')
        )
        select n.id, count(*)::int as asked, count(*) filter (where r.ready @> n.items)::int as ready
        from needed n join registrations r on r.workshop_id = n.id
        where n.items is not null and r.status = 'confirmed' and r.erased_at is null
        group by n.id`,
  )
}

/** Expected attendees and no-shows by workshop, for those whose attendance is closed. */
function countNoShows(deps: Deps): Promise<{ id: string; expected: number; noShows: number }[]> {
  return query(
    deps.db,
    sql`select r.workshop_id as id, ${attendanceCounts}
        from workshops w join registrations r on r.workshop_id = w.id ${checkInJoin}
        where w.attendance_closed_at is not null
        group by r.workshop_id`,
  )
}

/** Not the whole text: the same city is not always entered in both languages. */
function cityKey(city: Text): string {
  return (city.zh ?? city.en ?? '').trim().toLowerCase()
}

function groupBy<Item>(items: Item[], getKey: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const group = groups.get(getKey(item))
    if (group) group.push(item)
    else groups.set(getKey(item), [item])
  }
  return groups
}
