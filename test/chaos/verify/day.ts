import type { Entry } from '../day.ts'
import { registrationId, storedBookings } from '../operations/door.ts'
import type { Run } from '../run.ts'

type StoredScan = {
  id: string
  registration: string
  workshop: string
  outcome: 'in' | 'again' | 'undone'
  at: Date
}

/** Verifies the stored data of the day against all responses to phones, attendees and organisers. */
export async function verifyDay(run: Run): Promise<void> {
  await checkScans(run)
  await checkWalkIns(run)
  await checkLoans(run)
  await checkSeats(run)
  await checkReminders(run)
  await checkAttendance(run)
}

/** Whether a response acknowledged an entry; one with a lost response may have been executed. */
const hasOutcome = ({ results }: Entry, ...outcomes: string[]) =>
  results.some(({ outcome }) => outcomes.includes(outcome))
const mayHaveOutcome = (entry: Entry, ...outcomes: string[]) =>
  hasOutcome(entry, ...outcomes) || entry.lostResponses > 0

async function checkScans({ cluster, day, findings }: Run) {
  const stored = await cluster.sql<StoredScan[]>`
    select c.id, c.registration_id as registration, w.slug as workshop, c.outcome, c.at
    from check_ins c join workshops w on w.id = c.workshop_id`
  const scans = new Map(stored.map((scan) => [scan.id, scan]))
  const undone = new Set(stored.filter(({ outcome }) => outcome === 'undone').map(({ registration }) => registration))
  for (const entry of [...day.entries.values()].filter(({ kind }) => kind === 'in')) {
    const row = scans.get(entry.id)
    scans.delete(entry.id)
    if (hasOutcome(entry, 'in', 'again'))
      findings.check('checkIns', !row && `${entry.id} is not stored as acknowledged`)
    else
      findings.check('checkIns', row && entry.lostResponses === 0 && `${entry.id} is stored although it was rejected`)
    if (!row) continue
    const matches = row.registration === entry.registration && row.workshop === entry.phone.workshop.slug
    findings.check('checkIns', !matches && `${entry.id} is stored for another registration`)
    // The service does not accept times in the future.
    const clockAhead = entry.viaForm || entry.at > (entry.firstSentAt as number)
    findings.check('checkIns', !clockAhead && row.at.getTime() !== entry.at && `${entry.id} has another time`)
  }
  // The others belong to people who were in the door queue or walked in.
  const walkedIn = new Set(
    [...day.entries.values()].filter(({ kind }) => kind === 'walk_in').map(({ registration }) => registration),
  )
  for (const { id, registration } of scans.values()) {
    const isKnown = walkedIn.has(registration) || day.queuedAtDoor.has(registration)
    findings.check('checkIns', !isKnown && `${id} was sent by no phone`)
  }
  const all = new Map(stored.map((scan) => [scan.id, scan]))
  for (const entry of [...day.entries.values()].filter(({ kind }) => kind === 'undo')) {
    const row = all.get(entry.checkIn as string)
    const isUndone = !row || row.outcome === 'undone'
    findings.check('undo', hasOutcome(entry, 'undone', 'not_in') && !isUndone && `${entry.checkIn} was not reverted`)
  }
  const cancelledIds = new Set(
    day.people.flatMap(({ bookings }) => bookings.filter(({ cancelled }) => cancelled !== 'no').map(registrationId)),
  )
  for (const registration of undone) {
    const isExpected = day.undoRequested.has(registration) || cancelledIds.has(registration)
    findings.check('undo', !isExpected && `${registration} was reverted without a request`)
  }
}

async function checkWalkIns({ cluster, day, findings }: Run) {
  const stored = await cluster.sql<{ key: string; id: string; name: string; status: string; mails: number }[]>`
    select r.idempotency_key as key, r.id, r.name, r.status,
      (select count(*)::int from mails m where m.registration_id = r.id) as mails
    from registrations r where r.email = ''`
  const byKey = Map.groupBy(stored, ({ key }) => key)
  for (const entry of [...day.entries.values()].filter(({ kind }) => kind === 'walk_in')) {
    const [row, ...more] = byKey.get(entry.id) ?? []
    byKey.delete(entry.id)
    findings.check('walkIns', more.length > 0 && `${entry.name} is stored ${more.length + 1} times`)
    if (hasOutcome(entry, 'in', 'standing')) {
      const matches = row?.id === entry.registration && row?.name === entry.name
      findings.check('walkIns', !matches && `${entry.name} is not stored as acknowledged`)
    } else
      findings.check('walkIns', row && entry.lostResponses === 0 && `${entry.name} is stored although it was rejected`)
    const isKept = row?.status !== 'cancelled' || day.undoRequested.has(row?.id ?? '')
    const mayLoseSeat = entry.phone.workshop.grace !== null
    findings.check('walkIns', !isKept && !mayLoseSeat && `${entry.name} is cancelled without a request`)
  }
  findings.check('walkIns', byKey.size > 0 && `${byKey.size} unknown walk-ins`)
}

async function checkLoans({ cluster, day, findings }: Run) {
  const stored = await cluster.sql<{ id: string; board: string; registration: string; back: string | null }[]>`
    select id, board_id as board, registration_id as registration, return_id as back from loans`
  const loans = new Map(stored.map((loan) => [loan.id, loan]))
  const returns = Map.groupBy(
    stored.filter(({ back }) => back),
    ({ back }) => back as string,
  )
  for (const entry of day.entries.values()) {
    if (entry.kind === 'lend') {
      const loan = loans.get(entry.id)
      loans.delete(entry.id)
      const matches = loan?.board === entry.board && loan?.registration === entry.registration
      findings.check('loans', hasOutcome(entry, 'lent') && !matches && `${entry.id} is not stored as acknowledged`)
      findings.check(
        'loans',
        loan && !mayHaveOutcome(entry, 'lent') && `${entry.id} is stored although it was rejected`,
      )
    } else if (entry.kind === 'return') {
      const loan = returns.get(entry.id) ?? []
      returns.delete(entry.id)
      const matches = loan.length === 1 && loan[0]?.board === entry.board
      findings.check(
        'loans',
        hasOutcome(entry, 'returned') && !matches && `${entry.id} was returned and is not stored as returned`,
      )
      findings.check(
        'loans',
        loan.length > 0 && !mayHaveOutcome(entry, 'returned') && `${entry.id} is stored although it was rejected`,
      )
    }
  }
  findings.check(
    'loans',
    loans.size + returns.size > 0 && `${loans.size} unknown loans and ${returns.size} unknown returns`,
  )
}

type StoredSeat = {
  id: string
  key: string
  status: string
  cancelled_by: string | null
  cancelled_at: Date | null
  workshop: string
}

/** Sign-ups and cancellations persist; a seat is lost without a request only to the door queue, by the rules. */
async function checkSeats(run: Run) {
  const { cluster, day, findings } = run
  const stored = await cluster.sql<StoredSeat[]>`
    select r.id, r.idempotency_key as key, r.status, r.cancelled_by, r.cancelled_at, w.slug as workshop
    from registrations r join workshops w on w.id = r.workshop_id where r.email <> ''`
  const rows = new Map(stored.map((row) => [row.id, row]))
  const scans = Map.groupBy(
    [...day.entries.values()].filter((entry) => entry.kind === 'in' && hasOutcome(entry, 'in', 'again')),
    ({ registration }) => registration as string,
  )
  for (const workshop of [...day.doors, ...day.reminderWorkshops]) {
    for (const booking of storedBookings(run, workshop)) {
      const row = rows.get(registrationId(booking))
      const isUnchanged = row?.key === booking.key && row.workshop === booking.firstWorkshop
      findings.check('registrations', !isUnchanged && `${booking.key} is not stored as acknowledged`)
      if (!row) continue
      if (booking.cancelled === 'yes') {
        findings.check(
          'cancellations',
          row.status !== 'cancelled' && `${booking.key} was cancelled and is ${row.status}`,
        )
      }
      if (row.status !== 'cancelled' || row.cancelled_by === 'attendee') {
        const isExpected = row.status !== 'cancelled' || booking.cancelled !== 'no'
        findings.check('registrations', !isExpected && `${booking.key} is cancelled although nobody cancelled it`)
        continue
      }
      const lostAt = row.cancelled_at as Date
      const door = day.doors.find(({ slug }) => slug === row.workshop)
      const lostByRule = door && door.grace !== null && lostAt.getTime() >= door.startsAt + door.grace * 60_000
      findings.check(
        'noShows',
        (row.cancelled_by !== 'absence' || !lostByRule) && `${booking.key} lost the seat too early`,
      )
      const checkedInBefore = (scans.get(row.id) ?? []).find(
        ({ firstResponseAt }) => (firstResponseAt as number) < lostAt.getTime(),
      )
      const wasCheckedIn = checkedInBefore && !day.undoRequested.has(row?.id ?? '')
      findings.check('noShows', wasCheckedIn && `${booking.key} was checked in and lost the seat`)
    }
  }
  // Neither checked in, so the one without a confirmation, or who registered later, loses the seat first.
  const unfair = await cluster.sql<{ lost: string; kept: string }[]>`
    select lost.name as lost, kept.name as kept
    from registrations lost join registrations kept on kept.workshop_id = lost.workshop_id
    where lost.cancelled_by = 'absence' and kept.status = 'confirmed' and kept.seated_at < lost.cancelled_at
      and not exists (select 1 from check_ins c where c.registration_id = kept.id)
      and (kept.attendance_confirmed_for is not null, -kept.seq) < (lost.attendance_confirmed_for is not null, -lost.seq)`
  findings.check('noShows', unfair.length > 0 && `${unfair[0]?.lost} lost the seat before ${unfair[0]?.kept}`)
}

async function checkReminders(run: Run) {
  const { cluster, day, findings } = run
  const stored = await cluster.sql<
    { id: string; kind: string; sent: number; queued: number; late: boolean; occasions: number }[]
  >`
    select m.registration_id as id, m.kind, count(*) filter (where m.state <> 'dead')::int as sent, count(*)::int as queued,
      bool_or(m.created_at > r.cancelled_at) as late, count(distinct m.payload ->> 'occasion')::int as occasions
    from mails m join registrations r on r.id = m.registration_id
    where m.kind in ('get_ready', 'coming', 'day_before') group by 1, 2`
  const byPerson = new Map(stored.map((row) => [`${row.id} ${row.kind}`, row]))
  for (const { kind, dueAt, seatedBefore, ...workshop } of day.reminderWorkshops) {
    for (const booking of storedBookings(run, workshop)) {
      const mail = byPerson.get(`${registrationId(booking)} ${kind}`)
      byPerson.delete(`${registrationId(booking)} ${kind}`)
      const requestTimes = day.requestTimes.get(booking) ?? {}
      findings.check('reminders', mail?.late && `${booking.key} was reminded after being cancelled`)
      findings.check('reminders', mail && mail.occasions > 1 && `${booking.key} got two reminders of a kind`)
      if (!seatedBefore.has(booking)) {
        findings.check('reminders', mail && `${booking.key} registered during the run and was reminded`)
        continue
      }
      const cancelledBefore = requestTimes.cancelled !== undefined && requestTimes.cancelled < dueAt
      findings.check(
        'reminders',
        cancelledBefore && mail && `${booking.key} was cancelled before it became due, and was reminded`,
      )
      const confirmedBefore = kind === 'coming' && requestTimes.answered !== undefined && requestTimes.answered < dueAt
      findings.check('reminders', confirmedBefore && mail && `${booking.key} had confirmed, and was reminded`)
      const didNothing =
        requestTimes.cancel === undefined && (requestTimes.answer === undefined || kind === 'day_before')
      findings.check(
        'reminders',
        didNothing && mail?.sent !== 1 && `${booking.key} was reminded ${mail?.sent ?? 0} times`,
      )
    }
  }
  const unexpectedCount = [...byPerson.keys()].length
  findings.check('reminders', unexpectedCount > 0 && `${unexpectedCount} unknown people were reminded`)
}

/** Number of certain reminders that are missing. */
export async function countMissingReminders(run: Run): Promise<number> {
  const { cluster, day } = run
  const [{ reminded }] = (await cluster.sql`
    select count(distinct registration_id)::int as reminded from mails
    where kind in ('get_ready', 'coming', 'day_before')`) as unknown as [{ reminded: number }]
  const withoutRequests = day.reminderWorkshops
    .flatMap(({ seatedBefore }) => [...seatedBefore])
    .filter((booking) => !day.requestTimes.has(booking))
  return Math.max(0, withoutRequests.length - reminded)
}

async function checkAttendance({ cluster, day, findings }: Run) {
  const stored = await cluster.sql<{ slug: string; closed: boolean }[]>`
    select slug, attendance_closed_at is not null as closed from workshops`
  const closed = new Map(stored.map((row) => [row.slug, row.closed]))
  const mails = await cluster.sql<{ id: string; kind: string; n: number; came: boolean }[]>`
    select m.registration_id as id, m.kind, count(*)::int as n,
      exists (select 1 from check_ins c where c.registration_id = m.registration_id) as came
    from mails m where m.kind in ('afterwards', 'board_due') group by 1, 2`
  for (const { id, kind, n, came } of mails) {
    findings.check('attendance', n > 1 && `${id} has ${n} ${kind} mails`)
    findings.check('attendance', kind === 'afterwards' && !came && `${id} was thanked without having attended`)
  }
  const thanked = new Set(mails.filter(({ kind }) => kind === 'afterwards').map(({ id }) => id))
  for (const [slug, state] of day.attendance) {
    const wrong = state.certain && closed.get(slug) !== state.closed
    findings.check('attendance', wrong && `${slug} is ${closed.get(slug) ? 'closed' : 'open'}`)
    for (const id of state.thanked)
      findings.check('attendance', !thanked.has(id) && `${id} attended and was not thanked`)
  }
}
