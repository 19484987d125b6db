import { type SQL, sql } from 'drizzle-orm'
import { rows } from '../db/database.ts'
import type { Canceller, RegistrationStatus } from '../db/schema.ts'
import type { Deps } from '../deps.ts'
import type { Workshop } from './workshops.ts'

/** One line of the attendee list. Times are moments; who prints them chooses the workshop's time zone. */
export type RosterLine = {
  id: string
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
  ready: Record<string, boolean>
  createdAt: Date
  seatedAt: Date | null
  /** Until when an offered seat is held. */
  offeredUntil: Date | null
  cancelledAt: Date | null
  cancelledBy: Canceller | null
  consentVersion: string
  erased: boolean
}

/**
 * A page of a workshop's attendee list in the order of sign-up.
 * @param after the `seq` of the last line of the page before
 */
export async function listRoster(
  deps: Deps,
  workshop: Pick<Workshop, 'id'>,
  {
    status,
    after = 0,
    limit = 100,
  }: { status?: RegistrationStatus | undefined; after?: number | undefined; limit?: number | undefined },
): Promise<{ lines: RosterLine[]; next: number | undefined }> {
  const found = await rows<StoredLine>(deps.db, selectLines(workshop.id, status, after, limit + 1))
  const lines = found.slice(0, limit).map(readLine)
  return { lines, next: found.length > limit ? lines.at(-1)?.seq : undefined }
}

/** The whole attendee list, a thousand lines at a time, without holding it in memory. */
export async function* wholeRoster(
  deps: Deps,
  workshop: Pick<Workshop, 'id'>,
  status?: RegistrationStatus,
): AsyncGenerator<RosterLine> {
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: { lines: RosterLine[]; next: number | undefined } = await listRoster(deps, workshop, {
      status,
      after,
      limit: 1000,
    })
    yield* page.lines
    after = page.next
  }
}

type StoredLine = Omit<RosterLine, 'createdAt' | 'seatedAt' | 'offeredUntil' | 'cancelledAt'> & {
  createdAt: string | Date
  seatedAt: string | Date | null
  offeredUntil: string | Date | null
  cancelledAt: string | Date | null
}

/**
 * The page is taken first and everything else looked up for its lines. Joined to the whole list instead, a page of 5,000
 * people took two seconds where the planner knows nothing of the table, as on PGlite, which never analyses it.
 */
function selectLines(workshopId: string, status: RegistrationStatus | undefined, after: number, limit: number): SQL {
  return sql`
    with page as materialized (
      select * from registrations
      where workshop_id = ${workshopId} and seq > ${after} ${status ? sql`and status = ${status}` : sql``}
      order by seq
      limit ${limit}
    )
    select p.id, p.seq, p.status, p.name, p.email, p.phone, p.company, p.locale, link.channel, p.ready,
           p.created_at as "createdAt", p.seated_at as "seatedAt", p.offered_until as "offeredUntil",
           p.cancelled_at as "cancelledAt", p.cancelled_by as "cancelledBy", p.consent_version as "consentVersion", p.erased_at is not null as erased,
           case when p.status = 'waitlisted' then (
             (
               select count(*) from registrations ahead
               where ahead.workshop_id = ${workshopId} and ahead.status = 'waitlisted'
                 and ahead.seq < (select min(seq) from page where status = 'waitlisted')
             ) + count(*) filter (where p.status = 'waitlisted') over (order by p.seq)
           )::int end as position,
           p.status <> 'cancelled' and exists (
             select 1 from registrations other
             where other.phone = p.phone and other.workshop_id = p.workshop_id and other.id <> p.id
               and other.status in ('confirmed', 'waitlisted', 'offered')
           ) as "phoneShared"
    from page p
    left join registration_links link on link.code = p.link_code
    order by p.seq`
}

function readLine(line: StoredLine): RosterLine {
  const moment = (value: string | Date | null) => (value === null ? null : new Date(value))
  return {
    ...line,
    createdAt: new Date(line.createdAt),
    seatedAt: moment(line.seatedAt),
    offeredUntil: moment(line.offeredUntil),
    cancelledAt: moment(line.cancelledAt),
  }
}
