import { type Booking, couldBe, findContradiction, type Workshop } from '../bookings.ts'
import type { Check } from '../checks.ts'
import { sendSignUp } from '../operations/attendee-requests.ts'
import type { Random } from '../random.ts'
import type { Run } from '../run.ts'

type StoredRegistration = {
  id: string
  key: string
  first: string
  workshop: string
  status: string
  email: string
  name: string
  promoted_manually: boolean
  not_duplicates: boolean
  moves: number
}

/** Verifies the stored registrations against all acknowledged requests. */
export async function verifyRegistrations(run: Run, random: Random): Promise<void> {
  const daySlugs = new Set([...run.day.doors, ...run.day.reminderWorkshops].map(({ slug }) => slug))
  const all = await run.cluster.sql<StoredRegistration[]>`
    select r.id, r.idempotency_key as key, first.slug as first, w.slug as workshop, r.status, r.email, r.name,
           r.promoted_manually, r.not_duplicates,
           (select count(*)::int from mails m where m.registration_id = r.id and m.kind = 'moved') as moves
    from registrations r
    join workshops w on w.id = r.workshop_id
    join workshops first on first.id = r.first_workshop_id`
  const stored = all.filter(({ first }) => !daySlugs.has(first))
  const bookings = run.people.flatMap((person) => person.bookings)
  checkBookings(run, bookings, stored)
  await checkWorkshops(run)
  await checkCopies(run)
  await replaySignUps(run, random, bookings)
}

function checkBookings({ findings }: Run, bookings: Booking[], stored: StoredRegistration[]) {
  const byKey = Map.groupBy(stored, ({ key, first }) => `${key} ${first}`)
  for (const booking of bookings) {
    const rows = byKey.get(`${booking.key} ${booking.firstWorkshop}`) ?? []
    byKey.delete(`${booking.key} ${booking.firstWorkshop}`)
    const [row] = rows
    if (booking.stored === 'yes') {
      findings.check('keys', rows.length !== 1 && `${booking.key} exists ${rows.length} times`)
      findings.check('registrations', row?.id !== booking.ticket?.id && `${booking.key} is not stored as acknowledged`)
    } else {
      findings.check(
        'unacknowledged',
        rows.length > (booking.stored === 'no' ? 0 : 1) && `${booking.key}: ${rows.length} times`,
      )
    }
    if (!row) continue
    const problem = findContradiction(booking, { status: row.status, workshop: row.workshop })
    const { acknowledged, perhaps } = booking.moves
    const hasWrongMoves = row.moves < acknowledged || row.moves > acknowledged + perhaps
    const check: Check = booking.cancelled === 'yes' ? 'cancellations' : acknowledged > 0 ? 'moves' : 'registrations'
    findings.check(check, problem)
    findings.check(
      'moves',
      hasWrongMoves && `${booking.key} moved ${row.moves} times, ${acknowledged} of them acknowledged`,
    )
    findings.check('registrations', row.email !== booking.person.email && `${booking.key} has another address`)
    findings.check('registrations', !couldBe(booking.name, row.name) && `${booking.key} has the name ${row.name}`)
    const shouldBeMarked =
      booking.markedNotDuplicate && booking.name.possible.size === 0 && row.name === booking.person.name
    findings.check(
      'registrations',
      shouldBeMarked && !row.not_duplicates && `${booking.key} was not stored as not a duplicate`,
    )
    if (booking.promoted) findings.check('promotions', !row.promoted_manually && `${booking.key} was not promoted`)
    const unexpectedPromotion = row.promoted_manually && !booking.mayBePromoted
    findings.check('promotions', unexpectedPromotion && `${booking.key} was promoted without a request`)
  }
  findings.check('unacknowledged', byKey.size > 0 && `${byKey.size} registrations without a request`)
}

async function checkWorkshops({ cluster, campaigns, spareWorkshops, findings }: Run) {
  const stored = await cluster.sql<
    { slug: string; capacity: number; state: Workshop['state']['acknowledged']; venue: string }[]
  >`
    select slug, capacity, state, venue ->> 'zh' as venue from workshops`
  const bySlug = new Map(stored.map((row) => [row.slug, row]))
  for (const { slug, capacity, state, venue } of [
    ...campaigns.flatMap(({ workshops }) => workshops),
    ...spareWorkshops,
  ]) {
    const row = bySlug.get(slug)
    const matches = row && couldBe(capacity, row.capacity) && couldBe(state, row.state) && couldBe(venue, row.venue)
    findings.check(
      'workshops',
      !matches && `${slug}: ${JSON.stringify(row)}, but ${capacity.acknowledged}, ${state.acknowledged}`,
    )
  }
}

/** A copied campaign exists once, with all its cities and no registrations. */
async function checkCopies({ cluster, campaignCopies, findings }: Run) {
  const stored = await cluster.sql<{ id: string; workshops: number; people: number }[]>`
    select c.id, count(distinct w.id)::int as workshops, count(r.id)::int as people
    from campaigns c left join workshops w on w.campaign_id = c.id left join registrations r on r.workshop_id = w.id
    group by c.id`
  const byId = new Map(stored.map((row) => [row.id, row]))
  for (const { id, workshops } of campaignCopies) {
    const row = byId.get(id)
    const matches = row && row.workshops === workshops && row.people === 0
    findings.check('campaignCopies', !matches && `${id}: ${JSON.stringify(row)}`)
  }
}

/** Repeats every acknowledged sign-up, which must return the same result: see `sendSignUp`. */
async function replaySignUps(run: Run, random: Random, bookings: Booking[]) {
  const queue = bookings.filter(({ stored }) => stored === 'yes')
  await Promise.all(
    Array.from({ length: 40 }, async () => {
      for (let booking = queue.pop(); booking; booking = queue.pop()) {
        const workshop = booking.person.campaign.workshops.find(({ slug }) => slug === booking?.firstWorkshop)
        const status = await sendSignUp(run, random, booking, workshop as never, { kind: 'final replay' })
        run.findings.check('keys', status !== 201 && `${booking.key} was replayed with ${status}`)
      }
    }),
  )
}
