import { type SQL, sql } from 'drizzle-orm'
import { query } from '../../db/database.ts'
import type { Canceller, RegistrationStatus } from '../../db/schema.ts'
import type { Deps } from '../deps.ts'
import type { Workshop } from '../workshops/workshops.ts'

/** One row of the attendee list. */
export type AttendeeRow = {
  id: string
  workshopId: string
  seq: number
  status: RegistrationStatus
  /** Position on the waitlist, counted from 1; null if not waitlisted. */
  position: number | null
  name: string
  email: string
  phone: string | null
  /** Another live registration of the workshop has the same phone number; possibly the same person. */
  phoneShared: boolean
  company: string | null
  locale: string
  /** Channel of the registration link; null without one. */
  channel: string | null
  walkIn: boolean
  ready: Record<string, boolean>
  /** Date for which attendance was confirmed: 2026-12-19. */
  attendanceConfirmedFor: string | null
  createdAt: Date
  seatedAt: Date | null
  /** Deadline of an offered seat. */
  offeredUntil: Date | null
  cancelledAt: Date | null
  cancelledBy: Canceller | null
  checkedInAt: Date | null
  consentVersion: string
  erased: boolean
}

/**
 * Lists one page of a workshop's registrations in the order of sign-up.
 * @param after `seq` of the last row of the previous page
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

/** Streams the whole attendee list, 250 rows at a time. Reads the next page while the consumer handles the current one. */
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
    // Prevents an unhandled rejection; the error is thrown when the page is awaited.
    nextPage?.catch(() => {})
    yield lines
  }
}

/** `waitlistedBefore`: waitlisted registrations on earlier pages; counted in SQL if undefined. */
type AttendeePage = { status: RegistrationStatus | undefined; after: number; waitlistedBefore?: number; limit: number }

async function readPage(
  deps: Deps,
  workshopId: string,
  page: AttendeePage,
): Promise<{ lines: AttendeeRow[]; next: number | undefined }> {
  // One extra row shows whether there is another page.
  const rows = await query<StoredAttendeeRow>(
    deps.db,
    attendeePageQuery(workshopId, { ...page, limit: page.limit + 1 }),
  )
  const lines = rows.slice(0, page.limit).map(parseAttendeeRow)
  return { lines, next: rows.length > page.limit ? lines.at(-1)?.seq : undefined }
}

/** A row as the database drivers return it: timestamps are strings or dates. */
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
 * Selects the page first and looks everything else up for its rows. Joining the whole list took two seconds for a page of
 * 5,000 registrations without planner statistics, as on PGlite, which never runs ANALYZE.
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

/** Columns of a row from registration `p`, except the waitlist position, which each list computes differently. */
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

function countWaitlistedBefore(workshopId: string): SQL {
  return sql`(
    select count(*) from registrations ahead
    where ahead.workshop_id = ${workshopId} and ahead.status = 'waitlisted'
      and ahead.seq < (select min(seq) from page where status = 'waitlisted')
  )`
}

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
