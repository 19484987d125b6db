import { type SQL, sql } from 'drizzle-orm'
import { query } from '../../db/database.ts'
import type { Canceller, RegistrationStatus } from '../../db/schema.ts'
import type { Deps } from '../deps.ts'
import type { Workshop } from '../workshops/workshops.ts'

/** One line of the attendee list. Times are moments; who prints them chooses the workshop's time zone. */
export type AttendeeRow = {
  id: string
  workshopId: string
  seq: number
  status: RegistrationStatus
  /** Position on the waitlist, counted from 1; null when not waiting. */
  position: number | null
  name: string
  email: string
  phone: string | null
  /** Another live registration of the workshop has the same phone number: one person under two addresses, perhaps. */
  phoneShared: boolean
  company: string | null
  locale: string
  /** The channel of the registration link, null for those who came without one. */
  channel: string | null
  /** Came to the door without having signed up. */
  walkIn: boolean
  ready: Record<string, boolean>
  /** The day on which they said that they come: 2026-12-19. */
  attendanceConfirmedFor: string | null
  createdAt: Date
  seatedAt: Date | null
  /** Until when an offered seat is held. */
  offeredUntil: Date | null
  cancelledAt: Date | null
  cancelledBy: Canceller | null
  /** When they came. */
  checkedInAt: Date | null
  consentVersion: string
  erased: boolean
}

/**
 * A page of a workshop's attendee list in the order of sign-up.
 * @param after the `seq` of the last line of the page before
 */
export async function listAttendees(
  deps: Deps,
  workshop: Pick<Workshop, 'id'>,
  {
    status,
    after = 0,
    limit = 100,
  }: { status?: RegistrationStatus | undefined; after?: number | undefined; limit?: number | undefined },
): Promise<{ lines: AttendeeRow[]; next: number | undefined }> {
  return readPage(deps, workshop.id, { status, after, limit })
}

/**
 * The whole attendee list, so many lines at a time, without holding it in memory. While a page is used, the next one is
 * being read.
 */
export async function* streamAttendees(
  deps: Deps,
  workshop: Pick<Workshop, 'id'>,
  status?: RegistrationStatus,
): AsyncGenerator<AttendeeRow[]> {
  let waitlistedBefore = 0
  const readAfter = (after: number) => readPage(deps, workshop.id, { status, after, waitlistedBefore, limit: 250 })
  let nextPage: ReturnType<typeof readAfter> | undefined = readAfter(0)
  while (nextPage) {
    const { lines, next }: Awaited<typeof nextPage> = await nextPage
    waitlistedBefore += lines.filter((line) => line.status === 'waitlisted').length
    nextPage = next === undefined ? undefined : readAfter(next)
    // If it fails, that is heard when its turn comes.
    nextPage?.catch(() => {})
    yield lines
  }
}

/** `ahead`: how many of the line stand before the page; counted where it is not known. */
type AttendeePage = { status: RegistrationStatus | undefined; after: number; waitlistedBefore?: number; limit: number }

async function readPage(
  deps: Deps,
  workshopId: string,
  page: AttendeePage,
): Promise<{ lines: AttendeeRow[]; next: number | undefined }> {
  // One more line than asked for tells whether there are more.
  const found = await query<StoredAttendeeRow>(
    deps.db,
    attendeePageQuery(workshopId, { ...page, limit: page.limit + 1 }),
  )
  const lines = found.slice(0, page.limit).map(parseAttendeeRow)
  return { lines, next: found.length > page.limit ? lines.at(-1)?.seq : undefined }
}

/** A line as the drivers give it. */
export type StoredAttendeeRow = Omit<
  AttendeeRow,
  'createdAt' | 'seatedAt' | 'offeredUntil' | 'cancelledAt' | 'checkedInAt'
> & {
  createdAt: string | Date
  seatedAt: string | Date | null
  offeredUntil: string | Date | null
  cancelledAt: string | Date | null
  checkedInAt: string | Date | null
}

/**
 * The page is taken first and everything else looked up for its lines. Joined to the whole list instead, a page of 5,000
 * people took two seconds where the planner knows nothing of the table, as on PGlite, which never analyses it.
 */
function attendeePageQuery(workshopId: string, { status, after, waitlistedBefore, limit }: AttendeePage): SQL {
  return sql`
    with page as materialized (
      select * from registrations_page(${workshopId}::uuid, ${status ?? null}::text, ${after}::integer, ${limit}::integer)
    )
    select ${attendeeColumns},
           case when p.status = 'waitlisted' then (
             ${waitlistedBefore === undefined ? countWaitlistedBefore(workshopId) : sql`${waitlistedBefore}::integer`}
             + count(*) filter (where p.status = 'waitlisted') over (order by p.seq)
           )::int end as position
    from page p
    order by p.seq`
}

/** What a line has of the registration `p`; its position is counted otherwise in each list. */
export const attendeeColumns = sql`
  p.id, p.workshop_id as "workshopId", p.seq, p.status, p.name, p.email, p.phone, p.company, p.locale, p.ready,
  to_char(p.attendance_confirmed_for, 'YYYY-MM-DD') as "attendanceConfirmedFor",
  (select channel from registration_links where code = p.link_code) as channel,
  p.source is not distinct from 'walk_in' as "walkIn",
  (select at from check_ins where registration_id = p.id and outcome = 'in') as "checkedInAt",
  p.created_at as "createdAt", p.seated_at as "seatedAt", p.offered_until as "offeredUntil", p.cancelled_at as "cancelledAt",
  p.cancelled_by as "cancelledBy", p.consent_version as "consentVersion", p.erased_at is not null as erased,
  p.status <> 'cancelled' and exists (
    select 1 from registrations other
    where other.phone = p.phone and other.workshop_id = p.workshop_id and other.id <> p.id
      and other.status in ('confirmed', 'waitlisted', 'offered')
  ) as "phoneShared"`

/** Those of the line who stand before a page that has some of it. */
function countWaitlistedBefore(workshopId: string): SQL {
  return sql`(
    select count(*) from registrations ahead
    where ahead.workshop_id = ${workshopId} and ahead.status = 'waitlisted'
      and ahead.seq < (select min(seq) from page where status = 'waitlisted')
  )`
}

/** A line with its times as moments. */
export function parseAttendeeRow(row: StoredAttendeeRow): AttendeeRow {
  const toDate = (value: string | Date | null) => (value === null ? null : new Date(value))
  return {
    ...row,
    createdAt: new Date(row.createdAt),
    seatedAt: toDate(row.seatedAt),
    offeredUntil: toDate(row.offeredUntil),
    cancelledAt: toDate(row.cancelledAt),
    checkedInAt: toDate(row.checkedInAt),
  }
}
