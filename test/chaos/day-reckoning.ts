import type { Entry } from './day.ts'
import { bookingsOf, idOf } from './door.ts'
import type { Run } from './run.ts'

type StoredScan = {
  id: string
  registration: string
  workshop: string
  outcome: 'in' | 'again' | 'undone'
  at: Date
}

/** Holds what is stored of the day against everything that phones, people and organisers were told. */
export async function reckonDay(run: Run): Promise<void> {
  await checkScans(run)
  await checkWalkIns(run)
  await checkLoans(run)
  await checkSeats(run)
  await checkReminders(run)
  await checkAttendance(run)
}

/** Whether an entry was told to be done, once at least; one whose answer was lost may have been. */
const told = ({ answers }: Entry, ...outcomes: string[]) => answers.some(({ outcome }) => outcomes.includes(outcome))
const mayBeDone = (entry: Entry, ...outcomes: string[]) => told(entry, ...outcomes) || entry.unheard > 0

async function checkScans({ stage, day, findings }: Run) {
  const stored = await stage.sql<StoredScan[]>`
    select c.id, c.registration_id as registration, w.slug as workshop, c.outcome, c.at
    from check_ins c join workshops w on w.id = c.workshop_id`
  const scans = new Map(stored.map((scan) => [scan.id, scan]))
  const undone = new Set(stored.filter(({ outcome }) => outcome === 'undone').map(({ registration }) => registration))
  for (const entry of [...day.entries.values()].filter(({ kind }) => kind === 'in')) {
    const row = scans.get(entry.id)
    scans.delete(entry.id)
    if (told(entry, 'in', 'again')) findings.check('checkIns', !row && `${entry.id} is not stored as told`)
    else findings.check('checkIns', row && entry.unheard === 0 && `${entry.id} was refused and is stored`)
    if (!row) continue
    const its = row.registration === entry.registration && row.workshop === entry.phone.workshop.slug
    findings.check('checkIns', !its && `${entry.id} is stored of somebody else`)
    // A clock that is ahead is not believed.
    const ahead = entry.byForm || entry.at > (entry.firstSentAt as number)
    findings.check('checkIns', !ahead && row.at.getTime() !== entry.at && `${entry.id} has another time`)
  }
  // The others are of people who had stood there, or walked in.
  const walkedIn = new Set(
    [...day.entries.values()].filter(({ kind }) => kind === 'walk_in').map(({ registration }) => registration),
  )
  for (const { id, registration } of scans.values()) {
    const known = walkedIn.has(registration) || day.stood.has(registration)
    findings.check('checkIns', !known && `${id} was sent by no phone`)
  }
  const all = new Map(stored.map((scan) => [scan.id, scan]))
  for (const entry of [...day.entries.values()].filter(({ kind }) => kind === 'undo')) {
    const row = all.get(entry.checkIn as string)
    const isUndone = !row || row.outcome === 'undone'
    findings.check('undone', told(entry, 'undone', 'not_in') && !isUndone && `${entry.checkIn} was taken back`)
  }
  const gone = new Set(
    day.people.flatMap(({ bookings }) => bookings.filter(({ cancelled }) => cancelled !== 'no').map(idOf)),
  )
  for (const registration of undone) {
    const wanted = day.undone.has(registration) || gone.has(registration)
    findings.check('undone', !wanted && `${registration} is not in any more, and nobody wanted that`)
  }
}

async function checkWalkIns({ stage, day, findings }: Run) {
  const stored = await stage.sql<{ key: string; id: string; name: string; status: string; mails: number }[]>`
    select r.idempotency_key as key, r.id, r.name, r.status,
      (select count(*)::int from mails m where m.registration_id = r.id) as mails
    from registrations r where r.email = ''`
  const byKey = Map.groupBy(stored, ({ key }) => key)
  for (const entry of [...day.entries.values()].filter(({ kind }) => kind === 'walk_in')) {
    const [row, ...more] = byKey.get(entry.id) ?? []
    byKey.delete(entry.id)
    findings.check('walkIns', more.length > 0 && `${entry.name} is there ${more.length + 1} times`)
    if (told(entry, 'in', 'standing')) {
      const its = row?.id === entry.registration && row?.name === entry.name
      findings.check('walkIns', !its && `${entry.name} is not there as told`)
    } else findings.check('walkIns', row && entry.unheard === 0 && `${entry.name} was refused and is there`)
    const kept = row?.status !== 'cancelled' || day.undone.has(row?.id ?? '')
    const absent = entry.phone.workshop.grace !== null
    findings.check('walkIns', !kept && !absent && `${entry.name} is gone, and nobody wanted that`)
  }
  findings.check('walkIns', byKey.size > 0 && `${byKey.size} people whom nobody took in`)
}

async function checkLoans({ stage, day, findings }: Run) {
  const stored = await stage.sql<{ id: string; board: string; registration: string; back: string | null }[]>`
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
      const its = loan?.board === entry.board && loan?.registration === entry.registration
      findings.check('loans', told(entry, 'lent') && !its && `${entry.id} is not stored as told`)
      findings.check('loans', loan && !mayBeDone(entry, 'lent') && `${entry.id} was refused and is stored`)
    } else if (entry.kind === 'return') {
      const loan = returns.get(entry.id) ?? []
      returns.delete(entry.id)
      const its = loan.length === 1 && loan[0]?.board === entry.board
      findings.check('loans', told(entry, 'returned') && !its && `${entry.id} came back and is not stored so`)
      findings.check(
        'loans',
        loan.length > 0 && !mayBeDone(entry, 'returned') && `${entry.id} was refused, and is stored`,
      )
    }
  }
  findings.check('loans', loans.size + returns.size > 0 && `${loans.size} loans and ${returns.size} returns of nobody`)
}

type StoredSeat = {
  id: string
  key: string
  status: string
  cancelled_by: string | null
  cancelled_at: Date | null
  workshop: string
}

/** Sign-ups and cancellations of the day stay; a seat that nobody gave back is lost only to who stands there, by the rule. */
async function checkSeats(run: Run) {
  const { stage, day, findings } = run
  const stored = await stage.sql<StoredSeat[]>`
    select r.id, r.idempotency_key as key, r.status, r.cancelled_by, r.cancelled_at, w.slug as workshop
    from registrations r join workshops w on w.id = r.workshop_id where r.email <> ''`
  const rows = new Map(stored.map((row) => [row.id, row]))
  const scans = Map.groupBy(
    [...day.entries.values()].filter((entry) => entry.kind === 'in' && told(entry, 'in', 'again')),
    ({ registration }) => registration as string,
  )
  for (const workshop of [...day.doors, ...day.reminded]) {
    for (const booking of bookingsOf(run, workshop)) {
      const row = rows.get(idOf(booking))
      const stays = row?.key === booking.key && row.workshop === booking.first
      findings.check('registrations', !stays && `${booking.key} is not stored as acknowledged`)
      if (!row) continue
      if (booking.cancelled === 'yes') {
        findings.check(
          'cancellations',
          row.status !== 'cancelled' && `${booking.key} was cancelled and is ${row.status}`,
        )
      }
      if (row.status !== 'cancelled' || row.cancelled_by === 'attendee') {
        const wanted = row.status !== 'cancelled' || booking.cancelled !== 'no'
        findings.check('registrations', !wanted && `${booking.key} is cancelled and nobody did it`)
        continue
      }
      const lostAt = row.cancelled_at as Date
      const door = day.doors.find(({ slug }) => slug === row.workshop)
      const lost = door && door.grace !== null && lostAt.getTime() >= door.startsAt + door.grace * 60_000
      findings.check('absence', (row.cancelled_by !== 'absence' || !lost) && `${booking.key} lost the seat too early`)
      const inside = (scans.get(row.id) ?? []).find(({ firstHeardAt }) => (firstHeardAt as number) < lostAt.getTime())
      const wrong = inside && !day.undone.has(row?.id ?? '')
      findings.check('absence', wrong && `${booking.key} had come, as was told, and lost the seat`)
    }
  }
  // Both kept away all the time, so that the one who said nothing, or who came later, had to go first.
  const unfair = await stage.sql<{ lost: string; kept: string }[]>`
    select lost.name as lost, kept.name as kept
    from registrations lost join registrations kept on kept.workshop_id = lost.workshop_id
    where lost.cancelled_by = 'absence' and kept.status = 'confirmed' and kept.seated_at < lost.cancelled_at
      and not exists (select 1 from check_ins c where c.registration_id = kept.id)
      and (kept.coming_on is not null, -kept.seq) < (lost.coming_on is not null, -lost.seq)`
  findings.check('absence', unfair.length > 0 && `${unfair[0]?.lost} lost the seat before ${unfair[0]?.kept}`)
}

async function checkReminders(run: Run) {
  const { stage, day, findings } = run
  const stored = await stage.sql<
    { id: string; kind: string; sent: number; owed: number; late: boolean; occasions: number }[]
  >`
    select m.registration_id as id, m.kind, count(*) filter (where m.state <> 'dead')::int as sent, count(*)::int as owed,
      bool_or(m.created_at > r.cancelled_at) as late, count(distinct m.facts ->> 'occasion')::int as occasions
    from mails m join registrations r on r.id = m.registration_id
    where m.kind in ('get_ready', 'coming', 'day_before') group by 1, 2`
  const byPerson = new Map(stored.map((row) => [`${row.id} ${row.kind}`, row]))
  for (const { kind, dueAt, before, ...workshop } of day.reminded) {
    for (const booking of bookingsOf(run, workshop)) {
      const mail = byPerson.get(`${idOf(booking)} ${kind}`)
      byPerson.delete(`${idOf(booking)} ${kind}`)
      const asked = day.asked.get(booking) ?? {}
      findings.check('reminders', mail?.late && `${booking.key} was cancelled and then reminded`)
      findings.check('reminders', mail && mail.occasions > 1 && `${booking.key} was reminded of two occasions`)
      if (!before.has(booking)) {
        findings.check('reminders', mail && `${booking.key} came just now and was reminded`)
        continue
      }
      const gone = asked.cancelled !== undefined && asked.cancelled < dueAt
      findings.check('reminders', gone && mail && `${booking.key} was gone before it fell due, and was reminded`)
      const said = kind === 'coming' && asked.answered !== undefined && asked.answered < dueAt
      findings.check('reminders', said && mail && `${booking.key} had said so, and was asked`)
      const silent = asked.cancel === undefined && (asked.answer === undefined || kind === 'day_before')
      findings.check('reminders', silent && mail?.sent !== 1 && `${booking.key} was reminded ${mail?.sent ?? 0} times`)
    }
  }
  const others = [...byPerson.keys()].length
  findings.check('reminders', others > 0 && `${others} people were reminded whom nothing concerns`)
}

/** How many of those who certainly have to be reminded are not yet. */
export async function remindersMissing(run: Run): Promise<number> {
  const { stage, day } = run
  const [{ reminded }] = (await stage.sql`
    select count(distinct registration_id)::int as reminded from mails
    where kind in ('get_ready', 'coming', 'day_before')`) as unknown as [{ reminded: number }]
  const silent = day.reminded.flatMap(({ before }) => [...before]).filter((booking) => !day.asked.has(booking))
  return Math.max(0, silent.length - reminded)
}

async function checkAttendance({ stage, day, findings }: Run) {
  const stored = await stage.sql<{ slug: string; closed: boolean }[]>`
    select slug, attendance_closed_at is not null as closed from workshops`
  const closed = new Map(stored.map((row) => [row.slug, row.closed]))
  const mails = await stage.sql<{ id: string; kind: string; n: number; came: boolean }[]>`
    select m.registration_id as id, m.kind, count(*)::int as n,
      exists (select 1 from check_ins c where c.registration_id = m.registration_id) as came
    from mails m where m.kind in ('afterwards', 'board_due') group by 1, 2`
  for (const { id, kind, n, came } of mails) {
    findings.check('attendance', n > 1 && `${id} has ${n} mails ${kind}`)
    findings.check('attendance', kind === 'afterwards' && !came && `${id} was thanked and had not come`)
  }
  const thanked = new Set(mails.filter(({ kind }) => kind === 'afterwards').map(({ id }) => id))
  for (const [slug, known] of day.attendance) {
    const wrong = known.certain && closed.get(slug) !== known.closed
    findings.check('attendance', wrong && `${slug} is ${closed.get(slug) ? 'closed' : 'open'}`)
    for (const id of known.thanked) findings.check('attendance', !thanked.has(id) && `${id} came and was not thanked`)
  }
}
