import { sql } from 'drizzle-orm'
import { expect } from 'vitest'
import { query, timestamptz } from '../../src/db/database.ts'
import type { Actor } from '../../src/domain/audit/log.ts'
import { type Campaign, findCampaignById } from '../../src/domain/campaigns/campaigns.ts'
import { shiftOneMonth } from '../../src/domain/campaigns/copy-campaign.ts'
import { createCampaignWithWorkshops } from '../../src/domain/campaigns/create-with-workshops.ts'
import { sendBroadcast } from '../../src/domain/mails/broadcasts.ts'
import {
  acceptPersonOffer,
  addPerson,
  cancelPerson,
  correctPerson,
  findPerson,
  markNotDuplicate,
  mergePerson,
  movePerson,
  promotePerson,
} from '../../src/domain/registrations/admin.ts'
import type { RegistrationEntry, RegistrationResult } from '../../src/domain/registrations/batcher.ts'
import { register } from '../../src/domain/registrations/batcher.ts'
import { findDuplicates } from '../../src/domain/registrations/list.ts'
import { correctEmail, findRegistrations } from '../../src/domain/registrations/registrations.ts'
import {
  acceptOffer,
  cancelRegistration,
  cancelWorkshop,
  eraseRegistrations,
  expireOffers,
  moveRegistration,
} from '../../src/domain/registrations/seats.ts'
import { findViolations } from '../../src/domain/reports/doctor.ts'
import { changeWorkshop, type Workshop, type WorkshopChanges } from '../../src/domain/workshops/workshops.ts'
import type { World } from '../support/world.ts'
import {
  type Audience,
  type CampaignSetup,
  type CancelledBy,
  type City,
  cities,
  durationMinutes,
  formatCopy,
  formatMail,
  formatPerson,
  formatRegistration,
  formatStatus,
  formatTimeAndPlace,
  initialVenue,
  Model,
  type Person,
  type PersonRef,
  type Registration,
  type ScheduledEvent,
  type SignUp,
  type Status,
} from './model.ts'

/** A sign-up in a script; without a key it gets a unique one. */
export type SignUpSpec = [person: Person, city: City, key?: string]

/** Creates the campaign in an emptied world and in the model. */
export async function startScenario(world: World, setup: CampaignSetup): Promise<Scenario> {
  await world.db.execute(sql`truncate campaigns, workshops, broadcasts, audit_entries restart identity cascade`)
  const scenario = new Scenario(world, new Model(setup))
  await scenario.createCampaign(setup)
  return scenario
}

/**
 * Runs every action on the service and on the model, and fails when their results or snapshots differ. Times are minutes
 * since the start. Actions on unknown people are valid steps: both return not_found.
 */
export class Scenario {
  private readonly startTime: number
  private readonly workshops = new Map<City, Workshop>()
  private readonly lastAttempts = new Map<string, SignUp>()
  private campaign: Campaign | undefined
  private keyCount = 0
  /** The result of the last step. */
  lastResult: unknown

  constructor(
    private readonly world: World,
    private readonly model: Model,
  ) {
    this.startTime = world.clock.now().getTime()
  }

  async createCampaign({ oneSeatPerPerson, workshops }: CampaignSetup) {
    const campaign = await this.world.campaign({ oneSeatPerPerson })
    this.campaign = campaign
    for (const city of cities) {
      const workshopSetup = workshops[city]
      if (!workshopSetup) continue
      const { capacity, waitlist, startsAt, opensAt, closesAt, confirmHours, standalone } = workshopSetup
      const workshop = await this.world.workshop({
        slug: city,
        campaignId: standalone ? undefined : campaign.id,
        capacity,
        waitlist,
        confirmHours,
        venue: { en: initialVenue },
        ...this.startAndEnd(startsAt),
        opensAt: opensAt === undefined ? null : this.toDate(opensAt),
        closesAt: closesAt === undefined ? null : this.toDate(closesAt),
      })
      this.workshops.set(city, workshop)
    }
  }

  /** Signs somebody up with a unique key. */
  signUp(person: Person, city: City) {
    return this.signUpBatch([[person, city]])
  }

  /** Signs somebody up at a second server whose clock is a minute behind. */
  async signUpOnLaggingServer(person: Person, city: City) {
    await this.wait(-1)
    await this.signUp(person, city)
    await this.wait(1)
  }

  /** Repeats a person's last sign-up. */
  retry(person: Person) {
    const lastAttempt = this.lastAttempts.get(person)
    return this.signUpBatch([lastAttempt ? [person, lastAttempt.city, lastAttempt.key] : [person, 'shanghai']])
  }

  /** Signs up several people in one statement. */
  async signUpBatch(entrants: SignUpSpec[]) {
    const signUps = entrants.map(([person, city, key = `own ${++this.keyCount}`]) => ({ person, city, key }))
    for (const signUp of signUps) this.lastAttempts.set(signUp.person, signUp)
    await this.registerBatch(signUps)
  }

  async cancel(ref: PersonRef, by: CancelledBy) {
    const registration = this.model.find(ref)
    const result = await cancelRegistration(this.world.deps, registrationId(registration), by)
    await this.expectSame(result, this.model.cancel(registration, by))
  }

  async acceptOffer(ref: PersonRef) {
    const registration = this.model.find(ref)
    const result = await acceptOffer(this.world.deps, registrationId(registration))
    await this.expectSame(result, this.model.acceptOffer(registration))
  }

  async expireOffers() {
    await this.expectSame(await expireOffers(this.world.deps), this.model.expireOffers())
  }

  async move(ref: PersonRef, to: City) {
    const registration = this.model.find(ref)
    const result = await moveRegistration(this.world.deps, registrationId(registration), to)
    await this.expectSame(result.kind === 'moved' ? result.status : result.refusal, this.model.move(registration, to))
  }

  async correctEmail(ref: PersonRef, to: Person) {
    const registration = this.model.find(ref)
    const result = await correctEmail(this.world.deps, registrationId(registration), emailAddress(to))
    const outcome = result.kind === 'refused' ? result.refusal : result.kind
    await this.expectSame(outcome, this.model.correctEmail(registration, to))
  }

  async erase(ref: PersonRef, by: CancelledBy) {
    const registration = this.model.find(ref)
    const erasedCount = await eraseRegistrations(this.world.deps, [registrationId(registration)], by)
    await this.expectSame(erasedCount, this.model.erase(registration, by))
  }

  async changeCapacity(city: City, capacity: number) {
    await this.changeWorkshop(city, { capacity }, this.model.changeWorkshop(city, { capacity }))
  }

  /** Turns the waitlist on or off; waitlisted registrations stay. */
  async setWaitlist(city: City, waitlist: boolean) {
    await this.changeWorkshop(city, { waitlist }, this.model.changeWorkshop(city, { waitlist }))
  }

  /** Sets for how many hours freed seats are offered; null confirms them at once. */
  async setOfferHours(city: City, confirmHours: number | null) {
    await this.changeWorkshop(city, { confirmHours }, this.model.changeWorkshop(city, { confirmHours }))
  }

  async close(city: City) {
    await this.changeWorkshop(city, { state: 'closed' }, this.model.changeWorkshop(city, { state: 'closed' }))
  }

  async reopen(city: City) {
    await this.changeWorkshop(city, { state: 'published' }, this.model.changeWorkshop(city, { state: 'published' }))
  }

  /** Turns a workshop back into a draft. */
  async unpublish(city: City) {
    await this.changeWorkshop(city, { state: 'draft' }, this.model.changeWorkshop(city, { state: 'draft' }))
  }

  /** Moves the start to the given number of minutes from now. */
  async rescheduleIn(city: City, minutes: number, notify?: boolean) {
    const startsAt = this.model.now + minutes
    await this.changeWorkshop(
      city,
      this.startAndEnd(startsAt),
      this.model.changeWorkshop(city, { startsAt }, notify),
      notify,
    )
  }

  async changeVenue(city: City, venue: string, notify?: boolean) {
    await this.changeWorkshop(
      city,
      { venue: { en: venue } },
      this.model.changeWorkshop(city, { venue }, notify),
      notify,
    )
  }

  async cancelWorkshop(city: City) {
    const result = await cancelWorkshop(this.world.deps, city)
    await this.expectSame(result.kind === 'refused' ? result.refusal : result.kind, this.model.cancelWorkshop(city))
  }

  /** Gives somebody a seat out of turn. */
  async promote(ref: PersonRef, addSeat: boolean) {
    const registration = this.model.find(ref)
    const person = await findPerson(this.world.deps, registrationId(registration))
    const reason = `because of step ${++this.keyCount}`
    const result = person && (await promotePerson(this.world.deps, organiser, person, { reason, addSeat }))
    const outcome =
      result?.kind === 'refused'
        ? `${result.refusal}${result.refusal === 'full' ? ` ${result.taken} of ${result.capacity}` : ''}`
        : (result?.kind ?? 'not_found')
    await this.expectSame(outcome, this.model.promote(registration, addSeat, reason))
  }

  /** Accepts an offer on a person's behalf. */
  async acceptOfferFor(ref: PersonRef) {
    const registration = this.model.find(ref)
    const person = await findPerson(this.world.deps, registrationId(registration))
    const result = person ? await acceptPersonOffer(this.world.deps, organiser, person) : 'not_found'
    await this.expectSame(result, this.model.confirmPerson(registration))
  }

  /** Cancels one of two registrations of the same person. */
  async merge(ref: PersonRef, into: PersonRef) {
    const [registration, kept] = [this.model.find(ref), this.model.find(into)]
    const [person, other] = [
      await findPerson(this.world.deps, registrationId(registration)),
      await findPerson(this.world.deps, registrationId(kept)),
    ]
    const result = person && other ? await mergePerson(this.world.deps, organiser, person, other) : 'not_found'
    await this.expectSame(result, this.model.merge(registration, kept))
  }

  /** Marks people with one name as not duplicates. */
  async markNotDuplicates(name: string) {
    const ids = this.model.namesakes(name).map(registrationId)
    const found = await findRegistrations(this.world.deps, ids)
    const people = ids.flatMap((id) => found.find((one) => one.id === id) ?? [])
    await markNotDuplicate(this.world.deps, organiser, people)
    await this.expectSame(`${people.length} people`, this.model.markNotDuplicates(name))
  }

  /** Corrects name, address or both. */
  async edit(ref: PersonRef, changes: { name?: string; person?: Person }) {
    const registration = this.model.find(ref)
    const person = await findPerson(this.world.deps, registrationId(registration))
    const email = changes.person === undefined ? person?.email : emailAddress(changes.person)
    const result =
      person &&
      (await correctPerson(this.world.deps, organiser, person, {
        name: changes.name ?? person.name,
        email: email as string,
        phone: person.phone,
        company: person.company,
      }))
    const outcome =
      result?.kind === 'corrected' ? ['corrected', ...result.fields].join(' ') : (result?.refusal ?? 'not_found')
    await this.expectSame(outcome, this.model.edit(registration, changes))
  }

  /** An organiser signs somebody up. The same key is the same form sent twice. */
  async addManually(person: Person, city: City, key = `by hand ${++this.keyCount}`) {
    const workshop = this.workshops.get(city) ?? unknownWorkshop(this.workshops)
    const result = await addPerson(this.world.deps, organiser, workshop, signUpData(person), key)
    const [id, outcome] =
      result.kind === 'refused'
        ? [undefined, result.refusal]
        : [result.id, `${formatStatus(result.status, result.position)}${result.replayed ? ' again' : ''}`]
    const ticketMails = await this.countTicketMails()
    const signUp = { person, city, key }
    const expected = this.model.addManually(
      signUp,
      id,
      (registration) => ticketMails.get(registration.id as string) ?? 0,
    )
    await this.expectSame(outcome, expected.outcome)
  }

  /** Cancels several registrations, one after the other. */
  async cancelInBulk(refs: PersonRef[]) {
    await this.applyInBulk(
      refs,
      (person) => cancelPerson(this.world.deps, organiser, person),
      (registration) => this.model.cancelPerson(registration),
    )
  }

  /** Moves several registrations, one after the other. */
  async moveInBulk(refs: PersonRef[], to: City) {
    await this.applyInBulk(
      refs,
      async (person) => {
        const result = await movePerson(this.world.deps, organiser, person, to)
        return result.kind === 'moved' ? result.status : result.refusal
      },
      (registration) => this.model.movePerson(registration, to),
    )
  }

  /** Sends a broadcast to a city or the campaign. The same number is the same broadcast sent twice. */
  async sendBroadcast(message: number, target: Audience['target'], status?: Status) {
    const workshop = target === 'campaign' ? undefined : this.workshops.get(target)
    const { id: campaignId } = this.campaign as Campaign
    const campaign = await findCampaignById(this.world.deps, campaignId)
    const about = target === 'campaign' ? { campaignId } : { workshopId: workshop?.id as string }
    const workshops = target === 'campaign' ? (campaign?.workshops ?? []) : workshop ? [workshop] : []
    const result =
      workshops.length > 0 &&
      (await sendBroadcast(this.world.deps, organiser, {
        id: createId(1, message),
        subject: `${message} to ${target}`,
        body: '{{name}}, {{ticket}}',
        audience: { about, workshops, filter: { status } },
      }))
    const outcome = result && (result.kind === 'sent' ? `sent to ${result.people}` : result.refusal)
    await this.expectSame(
      outcome || 'nobody',
      workshops.length > 0 ? this.model.sendBroadcast(message, { target, status }) : 'nobody',
    )
  }

  /** Copies the campaign to the next month. The same number is the same form sent twice. */
  async copyCampaign(copy: number) {
    const { id } = this.campaign as Campaign
    const campaign = (await findCampaignById(this.world.deps, id)) as Campaign
    const { title, summary, oneSeatPerPerson } = campaign
    const result = await createCampaignWithWorkshops(
      this.world.deps,
      createId(2, copy),
      { title, summary, oneSeatPerPerson },
      campaign.workshops
        .filter(({ state }) => state !== 'cancelled')
        .map((workshop) => {
          const { title, city, venue, address, capacity, boards } = workshop
          return { title, city, venue, address, capacity, boards, ...shiftOneMonth(workshop) }
        }),
    )
    const outcome = result.kind === 'created' ? `${result.campaign.workshops.length} workshops` : result.refusal
    await this.expectSame(
      outcome,
      this.model.copyCampaign(copy, (startsAt) => this.sameWeekdayNextMonth(startsAt)),
    )
  }

  /** Advances the clock. */
  async wait(minutes: number) {
    this.model.now += minutes
    this.world.clock.set(this.toDate(this.model.now))
  }

  /** Advances the clock to an event in a city, if it is in the future. */
  async waitUntil(event: ScheduledEvent, city: City) {
    const moment = this.model.eventTime(event, city)
    await this.wait(Math.max(0, (moment ?? 0) - this.model.now))
  }

  /** Compares the status on all tickets and checks the invariants. */
  async finish() {
    const ids = this.model.registrations.map(registrationId)
    const tickets = await findRegistrations(this.world.deps, ids)
    const statuses = tickets.map(({ id, status, position }) => [id, formatStatus(status, position)])
    expect(Object.fromEntries(statuses), 'ticket statuses').toEqual(this.model.ticketStatuses())
    expect(await findViolations(this.world.deps), 'violated invariants').toEqual([])
  }

  private async registerBatch(signUps: SignUp[]) {
    const results = await this.callRegister(signUps)
    const decided = results.filter(({ answer }) => answer !== 'deferred')
    const ticketMails = await this.countTicketMails()
    const expected = this.model.signUpBatch(
      decided.map(({ signUp }) => signUp),
      (registration) => ticketMails.get(registration.id as string) ?? 0,
    )
    for (const [i, { registration }] of expected.entries()) if (registration) registration.id ??= decided[i]?.id
    await this.expectSame(
      decided.map(({ answer, id }) => ({ answer, id })),
      expected.map(({ outcome, registration }) => ({ answer: outcome, id: registration?.id })),
    )
    // A sign-up whose result depends on a refused neighbour is deferred and submitted again.
    const deferred = results.filter(({ answer }) => answer === 'deferred')
    expect(decided.length, 'sign-ups decided').toBeGreaterThan(0)
    if (deferred.length > 0) await this.registerBatch(deferred.map(({ signUp }) => signUp))
  }

  /** Submits sign-ups as the batcher does, all in one statement. */
  private async callRegister(signUps: SignUp[]) {
    const entries: RegistrationEntry[] = []
    const { promise: results, resolve, reject } = Promise.withResolvers<RegistrationResult[]>()
    const registrationBatcher = async (entry: RegistrationEntry) => {
      const n = entries.push(entry) - 1
      return (await results)[n] as RegistrationResult
    }
    const requests = signUps.map(async (signUp) => {
      const result = await register(
        { ...this.world.deps, registrationBatcher },
        this.workshops.get(signUp.city) ?? unknownWorkshop(this.workshops),
        signUpData(signUp.person),
        signUp.key,
        'web',
      )
      if (result.kind === 'refused') return { signUp, answer: result.refusal as string, id: undefined }
      const statusText = formatStatus(result.status, result.position)
      return { signUp, answer: result.replayed ? `${statusText} again` : statusText, id: result.id }
    })
    const { db, deps } = this.world
    const payload = JSON.stringify(entries.map((entry, n) => ({ n, ...entry })))
    query<RegistrationResult & { n: number }>(
      db,
      sql`select * from register(${payload}::jsonb, ${timestamptz(deps.now())}) order by n`,
    ).then(resolve, reject)
    return Promise.all(requests)
  }

  /** The number of mails with tickets enqueued per registration. */
  private async countTicketMails(): Promise<Map<string, number>> {
    const found = await query<{ id: string; n: number }>(
      this.world.db,
      sql`select registration_id as id, count(*)::int as n from mails where kind = 'found' group by registration_id`,
    )
    return new Map(found.map(({ id, n }) => [id, n]))
  }

  /** Applies an action to several registrations in the model's order, each once. */
  private async applyInBulk(
    refs: PersonRef[],
    applyToService: (person: NonNullable<Awaited<ReturnType<typeof findPerson>>>) => Promise<string>,
    applyToModel: (registration: Registration) => string,
  ) {
    const registrations = [...new Set(refs.flatMap((ref) => this.model.find(ref) ?? []))]
    const found = await findRegistrations(this.world.deps, registrations.map(registrationId))
    const results: string[] = []
    for (const { id } of registrations) {
      const person = found.find((one) => one.id === id)
      results.push(person ? await applyToService(person as Parameters<typeof applyToService>[0]) : 'not_found')
    }
    const expected = registrations.map(applyToModel)
    await this.expectSame(results.join(', '), expected.join(', '))
  }

  /** Four or five weeks later: the same ordinal of its weekday in the month if it exists, otherwise the fourth. */
  private sameWeekdayNextMonth(startsAt: number): number {
    const weekdayOrdinal = (minute: number) => {
      const inShanghai = new Date(this.toDate(minute).getTime() + 8 * 3_600_000)
      return Math.ceil(inShanghai.getUTCDate() / 7)
    }
    const [inFour, inFive] = [startsAt + 28 * 24 * 60, startsAt + 35 * 24 * 60] as const
    return weekdayOrdinal(inFive) === weekdayOrdinal(startsAt) && weekdayOrdinal(inFour) !== weekdayOrdinal(startsAt)
      ? inFive
      : inFour
  }

  private async changeWorkshop(city: City, changes: WorkshopChanges, expected: string, notify?: boolean) {
    const result = await changeWorkshop(this.world.deps, city, changes, { notify: notify ?? false })
    if (result.kind === 'changed') return this.expectSame('changed', expected)
    const taken = result.refusal === 'capacity_below_taken' ? ` ${result.taken}` : ''
    await this.expectSame(result.refusal + taken, expected)
  }

  private async expectSame(result: unknown, expected: unknown) {
    this.lastResult = result
    expect(result, 'result').toEqual(expected)
    expect(await this.snapshot(), 'snapshot').toEqual(this.model.snapshot())
  }

  /** A snapshot of the service in the format of the model. */
  private async snapshot() {
    const found = await query<StoredWorkshop>(
      this.world.db,
      sql`
        select w.slug, w.id, w.campaign_id, w.state, w.starts_at, w.venue, w.capacity, w.taken, w.waitlisted, coalesce((
          select json_agg(json_build_object(
            'seq', r.seq, 'name', r.name, 'email', r.email, 'status', r.status, 'by', r.cancelled_by,
            'until', r.offered_until, 'outOfTurn', r.promoted_manually, 'toldApart', r.not_duplicates,
            'mails', (
              select json_agg(json_build_object(
                'kind', m.kind, 'payload', m.payload, 'state', m.state,
                'subject', (select subject from broadcasts where id = m.broadcast_id)
              ) order by m.id)
              from mails m where m.registration_id = r.id
            )
          ) order by r.seq)
          from registrations r where r.workshop_id = w.id
        ), '[]') as registrations
        from workshops w`,
    )
    const cityOf = (id: string) => found.find((workshop) => workshop.id === id)?.slug
    const mailDetail = ({ payload: { by, corrected, from, before }, subject }: StoredMail) => {
      if (before) return formatTimeAndPlace(this.toMinutes(before.startsAt), before.venue.en)
      return subject ?? (by ? `by ${by}` : corrected ? 'corrected' : from ? `from ${cityOf(from)}` : '')
    }
    const knownWorkshops = found.filter(({ slug }) => (cities as readonly string[]).includes(slug))
    const stored = Object.fromEntries(
      knownWorkshops.map(({ slug, state, starts_at, venue, capacity, taken, waitlisted, registrations }) => [
        slug,
        {
          state,
          when: formatTimeAndPlace(this.toMinutes(starts_at), venue.en),
          capacity,
          taken,
          waitlisted,
          registrations: registrations.map((one) => {
            const {
              seq,
              name,
              email,
              status,
              by,
              until,
              outOfTurn: promotedManually,
              toldApart: notDuplicate,
              mails,
            } = one
            const mailTexts = (mails ?? []).map((mail) =>
              formatMail(mail.kind, mailDetail(mail), mail.state === 'dead'),
            )
            const personText = formatPerson({ name, person: email.replace(domain, ''), promotedManually, notDuplicate })
            return formatRegistration(
              seq,
              personText,
              status,
              by,
              until === null ? null : this.toMinutes(until),
              mailTexts,
            )
          }),
        },
      ]),
    )
    const copies = found
      .filter((workshop) => !knownWorkshops.includes(workshop))
      .map((copy) => formatCopy(this.toMinutes(copy.starts_at), copy.venue.en, copy.capacity, copy.state, copy))
    return { ...stored, copies: copies.sort(), logged: await this.auditLog(), alike: await this.duplicateGroups() }
  }

  /** The audit log with addresses shortened as in the model. */
  private async auditLog() {
    const entries = await query(
      this.world.db,
      sql`select action, registration_id as id, payload, pii as told from audit_entries e order by e.id`,
    )
    return JSON.parse(JSON.stringify(entries).replaceAll(domain, '')) as object[]
  }

  /** Possible duplicates in the campaign, each group ordered by which should be kept. */
  private async duplicateGroups() {
    const { id } = this.campaign as Campaign
    const workshops = [...this.workshops.values()].filter(({ campaignId }) => campaignId === id)
    return (await findDuplicates(this.world.deps, workshops)).map(({ people }) => people.map(({ id }) => id)).sort()
  }

  private startAndEnd(startsAt: number) {
    return { startsAt: this.toDate(startsAt), endsAt: this.toDate(startsAt + durationMinutes) }
  }

  private toMinutes(moment: string): number {
    return (new Date(moment).getTime() - this.startTime) / 60_000
  }

  private toDate(minutes: number): Date {
    return new Date(this.startTime + minutes * 60_000)
  }
}

type StoredMail = {
  kind: string
  payload: {
    by?: string
    corrected?: boolean
    from?: string
    before?: { startsAt: string; venue: { en: string } }
  }
  state: string
  /** Of a broadcast. */
  subject: string | null
}
type StoredRegistration = {
  seq: number
  name: string
  email: string
  outOfTurn: boolean
  toldApart: boolean
  status: string
  by: string | null
  until: string | null
  mails: StoredMail[] | null
}
type StoredWorkshop = {
  slug: string
  id: string
  campaign_id: string | null
  state: string
  starts_at: string
  venue: { en: string }
  capacity: number
  taken: number
  waitlisted: number
  registrations: StoredRegistration[]
}

const domain = '@example.com'
const emailAddress = (person: Person) => person + domain

const organiser: Actor = { name: 'the organiser' }

function signUpData(person: Person) {
  return { name: person.toLowerCase(), email: emailAddress(person), locale: 'en', ready: {}, consentVersion: 'v' }
}

/** The n-th id of a kind, distinct from the ids the world generates. */
function createId(kind: number, n: number): string {
  return `00000000-0000-7000-9000-${kind}${n.toString().padStart(11, '0')}`
}

const unknownId = '00000000-0000-7000-8000-ffffffffffff'

function registrationId(registration: Registration | undefined): string {
  return registration?.id ?? unknownId
}

function unknownWorkshop(known: Map<City, Workshop>): Workshop {
  return { ...(known.get('shanghai') as Workshop), id: unknownId }
}
