import { type SQL, sql } from 'drizzle-orm'
import { rows } from '../db/database.ts'
import type { RegistrationStatus } from '../db/schema.ts'
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
  cancelledAt: Date | null
  cancelledBy: 'attendee' | 'organiser' | 'workshop' | null
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

type StoredLine = Omit<RosterLine, 'createdAt' | 'seatedAt' | 'cancelledAt'> & {
  createdAt: string | Date
  seatedAt: string | Date | null
  cancelledAt: string | Date | null
}

function selectLines(workshopId: string, status: RegistrationStatus | undefined, after: number, limit: number): SQL {
  return sql`
    select r.id, r.seq, r.status, line.position, r.name, r.email, r.phone, r.company, r.locale, link.channel, r.ready,
           r.created_at as "createdAt", r.seated_at as "seatedAt", r.cancelled_at as "cancelledAt",
           r.cancelled_by as "cancelledBy", r.consent_version as "consentVersion", r.erased_at is not null as erased,
           coalesce(r.status <> 'cancelled' and same.people > 1, false) as "phoneShared"
    from registrations r
    left join registration_links link on link.code = r.link_code
    left join (
      select id, (row_number() over (order by seq))::int as position
      from registrations where workshop_id = ${workshopId} and status = 'waitlisted'
    ) line on line.id = r.id
    left join (
      select phone, count(*) as people
      from registrations where workshop_id = ${workshopId} and status <> 'cancelled' group by phone
    ) same on same.phone = r.phone
    where r.workshop_id = ${workshopId} and r.seq > ${after} ${status ? sql`and r.status = ${status}` : sql``}
    order by r.seq
    limit ${limit}`
}

function readLine(line: StoredLine): RosterLine {
  const moment = (value: string | Date | null) => (value === null ? null : new Date(value))
  return {
    ...line,
    createdAt: new Date(line.createdAt),
    seatedAt: moment(line.seatedAt),
    cancelledAt: moment(line.cancelledAt),
  }
}
