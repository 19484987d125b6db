import { join, leave, promoteManually, promoteWaiting, type Seating } from './seat-rule.ts'

/*
 * The expected behaviour of the service: the seat rule (seat-rule.ts) with the reasons for refusals and the mails around it.
 * It uses lists and neither locks nor SQL.
 */

export const cities = ['shanghai', 'nanjing', 'xian'] as const
export type City = (typeof cities)[number]

/** The local part of an address. `Anna` and `anna` share a mailbox. */
export type Person = string

/** A person, or the first registration with a status in a city. */
export type PersonRef = Person | `${'confirmed' | 'offered' | 'waitlisted'} in ${City}`

export type CancelledBy = 'attendee' | 'organiser'

/** The initial settings of a workshop. Times are minutes since the start of the scenario. */
export type WorkshopSetup = {
  capacity: number
  waitlist: boolean
  startsAt: number
  opensAt?: number | undefined
  closesAt?: number | undefined
  /** How long a seat is offered; without it a freed seat is confirmed at once. */
  confirmHours?: number | null | undefined
  /** Outside the campaign. */
  standalone?: boolean
}

export type CampaignSetup = { oneSeatPerPerson: boolean; workshops: Partial<Record<City, WorkshopSetup>> }

export type SignUp = { person: Person; city: City; key: string }

export type Workshop = WorkshopSetup & {
  state: 'draft' | 'published' | 'closed' | 'cancelled'
  venue: string
  endsAt: number
  seating: Seating<Registration>
  lastSeq: number
}

export type Registration = {
  /** The id given by the service. */
  id: string | undefined
  city: City
  seq: number
  /** Empty once the person is erased. */
  person: Person
  name: string
  /** An organiser promoted this person out of turn. */
  promotedManually: boolean
  /** An organiser marked this as not a duplicate of the same name. */
  notDuplicate: boolean
  /** The deadline of an offer; undefined for confirmed and waitlisted registrations. */
  offeredUntil?: number | undefined
  cancelledBy?: CancelledBy | 'workshop' | 'deadline'
  corrections: number
  mails: Mail[]
  original: SignUp & { status: string; at: number; call: number }
}

/** An audit entry. `personal` is removed when the person is erased. */
export type AuditRecord = {
  action: string
  registration?: Registration
  payload: Record<string, unknown>
  personal?: Record<string, unknown>
}

/** The recipients of a broadcast: a city or the whole campaign, all active registrations or those with one status. */
export type Audience = { target: City | 'campaign'; status?: Status | undefined }
export type Status = 'confirmed' | 'offered' | 'waitlisted' | 'cancelled'

export const initialVenue = 'the hall'

/** `conflicting`: the registration because of which the sign-up was refused. */
export type SignUpOutcome = { outcome: string; registration?: Registration; conflicting?: Registration }

type Mail = { kind: string; detail: string; at: number; call: number; discarded: boolean }

export type Changes = Partial<Pick<Workshop, 'capacity' | 'waitlist' | 'startsAt' | 'confirmHours' | 'state' | 'venue'>>

/** Events of a city to wait for; the deadline is that of its next offer. */
export type ScheduledEvent = 'opensAt' | 'closesAt' | 'startsAt' | 'endsAt' | 'deadline'

/** How long a workshop lasts, in minutes. */
export const durationMinutes = 7 * 60

export class Model {
  now = 0
  readonly registrations: Registration[] = []
  private readonly oneSeatPerPerson: boolean
  private readonly workshops: Partial<Record<City, Workshop>> = {}
  /** Campaigns copied to the next month, one line per workshop. */
  private readonly campaignCopies = new Map<number, string[]>()
  private readonly auditRecords: AuditRecord[] = []
  private readonly broadcasts = new Map<number, { of: Audience['target']; people: number }>()
  /** Numbers the statements; entries of one batch share a number. */
  private statementCount = 0

  constructor({ oneSeatPerPerson, workshops }: CampaignSetup) {
    this.oneSeatPerPerson = oneSeatPerPerson
    for (const city of cities) {
      const workshopSetup = workshops[city]
      if (!workshopSetup) continue
      const empty = { seated: [], waiting: [] }
      const endsAt = workshopSetup.startsAt + durationMinutes
      this.workshops[city] = {
        ...workshopSetup,
        state: 'published',
        endsAt,
        venue: initialVenue,
        seating: empty,
        lastSeq: 0,
      }
    }
  }

  /** A person's latest registration, preferring an active one, or the first with a status in a city. */
  find(ref: PersonRef): Registration | undefined {
    const [kind, city] = ref.split(' in ')
    const candidates = this.registrations.filter((one) =>
      city ? one.person && one.city === city : isMailboxOf(ref, one),
    )
    if (city) return candidates.sort((a, b) => a.seq - b.seq).find((one) => this.statusOf(one) === kind)
    return candidates.findLast(({ cancelledBy }) => !cancelledBy) ?? candidates.at(-1)
  }

  /** The time of an event in a city, in minutes since the start; undefined if it does not occur. */
  eventTime(event: ScheduledEvent, city: City): number | undefined {
    const workshop = this.workshops[city]
    if (event !== 'deadline' || !workshop) return workshop?.[event as Exclude<ScheduledEvent, 'deadline'>]
    const deadlines = workshop.seating.seated.flatMap(({ offeredUntil }) => offeredUntil ?? [])
    return deadlines.length > 0 ? Math.min(...deadlines) : undefined
  }

  /**
   * Signs up several people in one statement.
   * @param ticketMailCount number of mails with all tickets that the service enqueued for a registration: which of a mailbox's
   * registrations gets such a mail is the service's choice
   */
  signUpBatch(signUps: SignUp[], ticketMailCount: (registration: Registration) => number): SignUpOutcome[] {
    this.statementCount++
    const answers = signUps.map((signUp) => this.signUp(signUp))
    // A neighbour's confirmation is being sent anyway.
    const conflicting = answers.flatMap(({ conflicting }) =>
      conflicting && conflicting.original.call < this.statementCount ? [conflicting] : [],
    )
    for (const ofOnePerson of Map.groupBy(conflicting, ({ person }) => person.toLowerCase()).values()) {
      const mailedOne = ofOnePerson.find(
        (one) => ticketMailCount(one) > one.mails.filter(({ kind }) => kind === 'found').length,
      )
      this.enqueueTicketMail(mailedOne ?? (ofOnePerson[0] as Registration))
    }
    return answers
  }

  private signUp(signUp: SignUp): SignUpOutcome {
    // Each sign-up is checked first against registrations before this statement, then against earlier entries of the batch.
    const earlyOutcome =
      this.decideEarly(signUp, (one) => one.original.call < this.statementCount) ?? this.decideEarly(signUp, () => true)
    if (earlyOutcome) return earlyOutcome
    const { person, city } = signUp
    const registration: Registration = {
      ...{ id: undefined, city, seq: 0, corrections: 0, mails: [] },
      ...{ person, name: person.toLowerCase(), promotedManually: false, notDuplicate: false },
      original: { ...signUp, status: '', at: this.now, call: this.statementCount },
    }
    if (!this.placeInWorkshop(registration, city)) return { outcome: 'full' }
    this.registrations.push(registration)
    registration.original.status = this.statusOf(registration)
    this.enqueue(registration, registration.original.status)
    return { outcome: this.statusWithPosition(registration), registration }
  }

  /** The outcome decided by existing registrations; undefined if the sign-up may get a place. */
  private decideEarly(
    { person, city, key }: SignUp,
    isKnown: (one: Registration) => boolean,
  ): SignUpOutcome | undefined {
    const known = this.registrations.filter(isKnown)
    const replayed = known.find(({ original }) => original.key === key && original.city === city)
    if (replayed && !isMailboxOf(person, replayed.original)) return { outcome: 'idempotency_mismatch' }
    if (replayed) {
      const status = replayed.cancelledBy ? replayed.original.status : this.statusWithPosition(replayed)
      return { outcome: `${status} again`, registration: replayed }
    }
    const workshop = this.workshops[city]
    if (!workshop) return { outcome: 'not_found' }
    const refusal = this.registrationRefusal(workshop)
    if (refusal) return { outcome: refusal }
    const conflicting = this.activeRegistrations(person, workshop).find(isKnown)
    if (conflicting) return { outcome: 'already_registered', conflicting }
    if (this.mailsTriggeredToday(person) >= 10) return { outcome: 'too_many' }
    return undefined
  }

  cancel(registration: Registration | undefined, by: CancelledBy): string {
    this.statementCount++
    if (!registration) return 'not_found'
    if (registration.cancelledBy) return 'already_cancelled'
    const workshop = this.workshopOf(registration)
    if (by === 'attendee' && this.now >= workshop.startsAt) return 'over'
    this.cancelAndNotify(registration, by)
    this.promoteWaitlist(workshop)
    return 'cancelled'
  }

  acceptOffer(registration: Registration | undefined): string {
    this.statementCount++
    if (!registration) return 'not_found'
    const status = this.statusOf(registration)
    if (status === 'confirmed') return 'already_taken'
    if (status === 'waitlisted') return 'not_offered'
    if (registration.cancelledBy === 'deadline' || this.isExpired(registration)) return 'lapsed'
    if (status === 'cancelled') return 'cancelled'
    registration.offeredUntil = undefined
    this.enqueue(registration, 'promoted')
    return 'taken'
  }

  expireOffers(): number {
    this.statementCount++
    const expired = this.registrations.filter((one) => this.isExpired(one))
    for (const one of expired) this.cancelAndNotify(one, 'deadline')
    for (const one of expired) this.promoteWaitlist(this.workshopOf(one))
    return expired.length
  }

  move(registration: Registration | undefined, to: City): string {
    this.statementCount++
    const newWorkshop = this.workshops[to]
    if (!registration || !newWorkshop) return 'not_found'
    const oldWorkshop = this.workshopOf(registration)
    if (oldWorkshop.standalone || newWorkshop.standalone) return 'not_found'
    if (registration.cancelledBy) return 'not_live'
    if (this.now >= oldWorkshop.startsAt) return 'over'
    if (this.activeIn(newWorkshop).some((other) => isSameMailbox(registration, other))) return 'already_registered'
    const refusal = this.registrationRefusal(newWorkshop)
    if (refusal) return refusal
    if (this.mailsTriggeredToday(registration.person) >= 10) return 'too_many'
    const from = registration.city
    if (!this.placeInWorkshop(registration, to)) return 'full'
    oldWorkshop.seating = leave(oldWorkshop.seating, registration)
    registration.offeredUntil = undefined
    registration.promotedManually = false
    this.discardMails(
      registration,
      ({ kind, detail }) => kind !== 'found' && !(kind === 'message' && detail.endsWith('campaign')),
    )
    this.enqueue(registration, 'moved', `from ${from}`)
    this.promoteWaitlist(oldWorkshop)
    return this.statusOf(registration)
  }

  /** @param notify whether active registrations are mailed about a new time or place */
  changeWorkshop(city: City, changes: Changes, notify = false): string {
    this.statementCount++
    const workshop = this.workshops[city]
    if (!workshop) return 'not_found'
    if (workshop.state === 'cancelled') return 'cancelled'
    if (changes.state === 'draft' && this.activeIn(workshop).length > 0) return 'has_registrations'
    const { seated } = workshop.seating
    if (changes.capacity !== undefined && changes.capacity < seated.length) {
      return `capacity_below_taken ${seated.length}`
    }
    const { state, startsAt, venue } = workshop
    Object.assign(workshop, changes)
    workshop.endsAt = workshop.startsAt + durationMinutes
    const states = [state, workshop.state]
    if (states.includes('published') && states.includes('closed')) this.enqueueClosingMails(city, workshop)
    this.promoteWaitlist(workshop)
    for (const one of workshop.seating.seated) {
      if (one.offeredUntil !== undefined) one.offeredUntil = Math.min(one.offeredUntil, workshop.startsAt)
    }
    const hasMoved = workshop.startsAt !== startsAt || workshop.venue !== venue
    if (!notify || !hasMoved) return 'changed'
    for (const one of this.activeIn(workshop)) {
      // A person not yet notified of an earlier change is told the values before that one.
      const pendingNotice = one.mails.findLast(({ kind, discarded }) => kind === 'changed' && !discarded)
      if (one.person) this.enqueue(one, 'changed', pendingNotice?.detail ?? formatTimeAndPlace(startsAt, venue))
    }
    return 'changed'
  }

  cancelWorkshop(city: City): string {
    this.statementCount++
    const workshop = this.workshops[city]
    if (!workshop) return 'not_found'
    if (workshop.state === 'cancelled') return 'already_cancelled'
    if (this.now >= workshop.endsAt) return 'over'
    workshop.state = 'cancelled'
    for (const registration of this.activeIn(workshop)) this.cancelAndNotify(registration, 'workshop')
    return 'changed'
  }

  correctEmail(registration: Registration | undefined, person: Person): string {
    this.statementCount++
    if (!registration) return 'not_found'
    if (registration.cancelledBy) return 'cancelled'
    const workshop = this.workshopOf(registration)
    if (this.now >= workshop.endsAt) return 'over'
    if (registration.person === person) return 'unchanged'
    if (registration.corrections === 5 || this.mailsTriggeredToday(person) >= 10) return 'too_many'
    if (this.activeRegistrations(person, workshop).some((other) => other !== registration)) return 'already_registered'
    registration.person = person
    registration.corrections++
    this.discardMails(registration, ({ kind }) => !['closed', 'reopened', 'message'].includes(kind))
    this.enqueue(registration, this.statusOf(registration), 'corrected')
    return 'corrected'
  }

  erase(registration: Registration | undefined, by: CancelledBy): number {
    if (!registration) return 0
    if (this.now < this.workshopOf(registration).startsAt) this.cancel(registration, by)
    this.discardMails(registration)
    registration.person = ''
    registration.name = ''
    registration.original.person = ''
    for (const entry of this.auditRecords) if (entry.registration === registration) delete entry.personal
    return 1
  }

  /**
   * Gives a waitlisted person a seat out of turn: a free one, or an added one.
   * @param addSeat whether a seat may be added
   */
  promote(registration: Registration | undefined, addSeat: boolean, reason: string): string {
    this.statementCount++
    if (!registration) return 'not_found'
    const workshop = this.workshopOf(registration)
    const status = this.statusOf(registration)
    if (status === 'cancelled') return 'cancelled'
    if (status !== 'waitlisted') return 'seated'
    if (this.now >= workshop.endsAt) return 'over'
    if (workshop.seating.seated.length >= workshop.capacity) {
      if (!addSeat) return `full ${workshop.seating.seated.length} of ${workshop.capacity}`
      workshop.capacity++
    }
    workshop.seating = promoteManually(workshop.seating, registration)
    registration.promotedManually = true
    this.enqueue(registration, 'promoted')
    this.log('person.promoted', registration, { capacity: workshop.capacity }, { reason })
    return 'promoted'
  }

  /** Accepts an offer on a person's behalf. */
  confirmPerson(registration: Registration | undefined): string {
    const outcome = this.acceptOffer(registration)
    if (registration && outcome === 'taken') this.log('person.changed', registration, { changed: ['seat'] })
    return outcome
  }

  cancelPerson(registration: Registration): string {
    const outcome = this.cancel(registration, 'organiser')
    if (outcome === 'cancelled') this.log('person.cancelled', registration)
    return outcome
  }

  movePerson(registration: Registration, to: City): string {
    const from = registration.city
    const outcome = this.move(registration, to)
    if (outcome === 'confirmed' || outcome === 'waitlisted') {
      this.log('person.moved', registration, { workshop: from, to, status: outcome })
    }
    return outcome
  }

  /** Cancels one of a person's two registrations; the other must be active. */
  merge(registration: Registration | undefined, kept: Registration | undefined): string {
    this.statementCount++
    if (!registration || !kept) return 'not_found'
    if (registration === kept || kept.cancelledBy) return 'kept_cancelled'
    const outcome = this.cancel(registration, 'organiser')
    if (outcome !== 'cancelled') return outcome
    this.log('person.merged', registration, { to: kept.city })
    this.log('person.merged', kept, { from: registration.city })
    return outcome
  }

  /** Marks all active registrations of a name as not duplicates, until another one with that name appears. */
  markNotDuplicates(name: string): string {
    const namesakes = this.namesakes(name)
    for (const one of namesakes) {
      one.notDuplicate = true
      this.log('person.told_apart', one)
    }
    return `${namesakes.length} people`
  }

  namesakes(name: string): Registration[] {
    return this.activeInCampaign().filter((one) => one.name === name)
  }

  /** Active registrations with the same name and different mailboxes, ordered by which should be kept. */
  duplicateGroups(): string[][] {
    const rank = (one: Registration) => ['confirmed', 'offered', 'waitlisted'].indexOf(this.statusOf(one))
    const before = (one: Registration, other: Registration) =>
      rank(one) - rank(other) || one.original.at - other.original.at || String(one.id).localeCompare(String(other.id))
    return [...Map.groupBy(this.activeInCampaign(), ({ name }) => name).values()]
      .filter((group) => new Set(group.map(({ person }) => person.toLowerCase())).size > 1)
      .filter((group) => !group.every(({ notDuplicate }) => notDuplicate))
      .map((group) => group.sort(before).map(({ id }) => id as string))
      .sort()
  }

  /** Corrects a person's data. If the address is refused, the name stays unchanged too. */
  edit(registration: Registration | undefined, { name, person }: { name?: string; person?: Person }): string {
    if (!registration) return 'not_found'
    const before = { name: registration.name, email: registration.person }
    const after = { name: name ?? before.name, email: person ?? before.email }
    const changed = (['name', 'email'] as const).filter((field) => before[field] !== after[field])
    if (changed.length === 0) return 'corrected'
    if (before.email !== after.email) {
      const outcome = this.correctEmail(registration, after.email)
      if (outcome !== 'corrected') return outcome
    }
    registration.name = after.name
    if (before.name !== after.name) registration.notDuplicate = false
    const of = (values: typeof before) => Object.fromEntries(changed.map((field) => [field, values[field]]))
    this.log('person.changed', registration, { changed }, { ...before, before: of(before), after: of(after) })
    return ['corrected', ...changed].join(' ')
  }

  /** An organiser signs somebody up: the same rules apply, and it is audited once. */
  addManually(
    signUp: SignUp,
    id: string | undefined,
    ticketMailCount: (registration: Registration) => number,
  ): SignUpOutcome {
    const [answer] = this.signUpBatch([signUp], ticketMailCount) as [SignUpOutcome]
    const { registration } = answer
    if (registration) registration.id ??= id
    if (registration && !answer.outcome.endsWith('again')) {
      this.log('person.added', registration, { status: this.statusOf(registration) })
    }
    return answer
  }

  /** Sends a broadcast, one mail per mailbox, preferring a registration with a seat. Repeating it has no effect. */
  sendBroadcast(message: number, { target, status }: Audience): string {
    this.statementCount++
    const before = this.broadcasts.get(message)
    if (before) return before.of === target ? `sent to ${before.people}` : 'sent_already'
    const states: Status[] = status ? [status] : ['confirmed', 'offered', 'waitlisted']
    const candidates = this.registrations
      .filter((one) => one.person && (target === 'campaign' ? !this.workshopOf(one).standalone : one.city === target))
      .sort((one, other) => this.dateRank(one) - this.dateRank(other) || one.seq - other.seq)
    const everyone = states.flatMap((state) => candidates.filter((one) => this.statusOf(one) === state))
    const recipients = [...Map.groupBy(everyone, ({ person }) => person.toLowerCase()).values()].map(([first]) => first)
    if (recipients.length === 0) return 'nobody'
    for (const one of recipients) this.enqueue(one as Registration, 'message', `${message} to ${target}`)
    const people = recipients.length
    this.broadcasts.set(message, { of: target, people })
    const personal = { subject: `${message} to ${target}` }
    this.auditRecords.push({ action: 'message.sent', payload: { count: people, ...(status && { status }) }, personal })
    return `sent to ${people}`
  }

  /** Copies the campaign to the next month without registrations. Repeating a copy has no effect, as with a form sent twice. */
  copyCampaign(copy: number, nextMonth: (startsAt: number) => number): string {
    const lines = Object.values(this.workshops)
      .filter(({ standalone, state }) => !standalone && state !== 'cancelled')
      .map(({ startsAt, venue, capacity }) =>
        formatCopy(nextMonth(startsAt), venue, capacity, 'draft', { taken: 0, waitlisted: 0 }),
      )
    if (!this.campaignCopies.has(copy)) this.campaignCopies.set(copy, lines.sort())
    return `${this.campaignCopies.get(copy)?.length} workshops`
  }

  /** All audit entries. */
  auditLog(): object[] {
    return this.auditRecords.map(({ action, registration, payload, personal }) => ({
      action,
      id: registration?.id ?? null,
      payload,
      told: personal ?? null,
    }))
  }

  /** Everything the service shows, one line per registration; discarded mails are in parentheses. */
  snapshot() {
    const cities = Object.fromEntries(
      Object.entries(this.workshops).map(([city, workshop]) => [
        city,
        {
          state: workshop.state,
          when: formatTimeAndPlace(workshop.startsAt, workshop.venue),
          capacity: workshop.capacity,
          taken: workshop.seating.seated.length,
          waitlisted: workshop.seating.waiting.length,
          registrations: this.registrations
            .filter((registration) => registration.city === city)
            .sort((a, b) => a.seq - b.seq)
            .map((registration) => {
              const { seq, cancelledBy, offeredUntil, mails } = registration
              const mailTexts = mails.map(({ kind, detail, discarded }) => formatMail(kind, detail, discarded))
              const personText = formatPerson(registration)
              return formatRegistration(
                seq,
                personText,
                this.statusOf(registration),
                cancelledBy,
                offeredUntil,
                mailTexts,
              )
            }),
        },
      ]),
    )
    return {
      ...cities,
      copies: [...this.campaignCopies.values()].flat().sort(),
      logged: this.auditLog(),
      alike: this.duplicateGroups(),
    }
  }

  /** The status on each ticket by registration id. */
  ticketStatuses(): Record<string, string> {
    const bearers = this.registrations.filter(({ person }) => person !== '')
    return Object.fromEntries(bearers.map((registration) => [registration.id, this.statusWithPosition(registration)]))
  }

  /** Why a workshop accepts no sign-ups at all. */
  private registrationRefusal({ state, closesAt, startsAt, opensAt }: Workshop): string | undefined {
    if (state === 'draft') return 'not_found'
    if (state === 'cancelled') return 'cancelled'
    if (state === 'closed' || this.now >= startsAt || (closesAt !== undefined && this.now >= closesAt)) return 'closed'
    if (opensAt !== undefined && this.now < opensAt) return 'not_open'
    return undefined
  }

  /** Gives a seat or a waitlist place; false if there is neither. */
  private placeInWorkshop(registration: Registration, city: City): boolean {
    const workshop = this.workshops[city] as Workshop
    const line = join(workshop.seating, registration, workshop.capacity)
    if (line.waiting.includes(registration) && !workshop.waitlist) return false
    workshop.seating = line
    registration.city = city
    registration.seq = ++workshop.lastSeq
    return true
  }

  /** Promotes the waitlist until the workshop starts, unless it is closed. */
  private promoteWaitlist(workshop: Workshop): void {
    if (workshop.state !== 'published' || this.now >= workshop.startsAt) return
    const { waiting } = workshop.seating
    workshop.seating = promoteWaiting(workshop.seating, workshop.capacity)
    const promoted = waiting.filter((one) => !workshop.seating.waiting.includes(one))
    const { confirmHours, startsAt } = workshop
    for (const one of promoted) {
      // An erased person cannot accept an offer.
      if (confirmHours && one.person) one.offeredUntil = Math.min(this.now + confirmHours * 60, startsAt)
      this.enqueue(one, confirmHours ? 'offered' : 'promoted')
    }
  }

  /**
   * Notifies everyone of a closing once, before the start. No mail is ever sent here, so reopening only discards the unsent
   * closing mails.
   */
  private enqueueClosingMails(city: City, { state, startsAt }: Workshop): void {
    if (this.now >= startsAt) return
    const [notice, opposite] = state === 'closed' ? ['closed', 'reopened'] : ['reopened', 'closed']
    for (const registration of this.registrations.filter((one) => one.city === city)) {
      this.discardMails(registration, ({ kind }) => kind === opposite)
      const alreadyQueued = registration.mails.some(({ kind, discarded }) => kind === notice && !discarded)
      const { cancelledBy, person } = registration
      if (notice === 'closed' && !alreadyQueued && !cancelledBy && person) this.enqueue(registration, 'closed')
    }
  }

  private cancelAndNotify(registration: Registration, by: NonNullable<Registration['cancelledBy']>): void {
    const workshop = this.workshopOf(registration)
    workshop.seating = leave(workshop.seating, registration)
    registration.offeredUntil = undefined
    registration.cancelledBy = by
    this.enqueue(registration, 'cancelled', `by ${by}`)
  }

  /** @param facts include the workshop by default */
  private log(
    action: string,
    registration: Registration,
    payload: Record<string, unknown> = {},
    personal: Record<string, unknown> = {},
  ) {
    const person = { name: registration.name, email: registration.person }
    this.auditRecords.push({
      action,
      registration,
      payload: { workshop: registration.city, ...payload },
      personal: { ...person, ...personal },
    })
  }

  /** Skips erased people, who have no address. */
  private enqueue(registration: Registration, kind: string, detail = ''): void {
    if (registration.person)
      registration.mails.push({ kind, detail, at: this.now, call: this.statementCount, discarded: false })
  }

  private discardMails(registration: Registration, which: (mail: Mail) => boolean = () => true): void {
    for (const mail of registration.mails.filter(which)) mail.discarded = true
  }

  /** Mails the tickets of a person already registered, unless the mailbox got them recently or reached its limit. */
  private enqueueTicketMail(registration: Registration): void {
    const { person } = registration
    const mailedRecently = this.mailsToMailbox(person).some(({ kind, at }) => kind === 'found' && at > this.now - 10)
    if (!mailedRecently && this.mailsTriggeredToday(person) < 10) this.enqueue(registration, 'found')
  }

  /** Mails of the last day caused by entering this address, before this statement. */
  private mailsTriggeredToday(person: Person): number {
    const triggeringKinds = ['confirmed', 'waitlisted', 'found', 'moved']
    const triggered = this.mailsToMailbox(person).filter(
      ({ kind, detail }) => triggeringKinds.includes(kind) || detail === 'corrected',
    )
    return triggered.filter(({ at, call }) => at > this.now - 24 * 60 && call < this.statementCount).length
  }

  private mailsToMailbox(person: Person): Mail[] {
    return this.registrations.filter((one) => isMailboxOf(person, one)).flatMap(({ mails }) => mails)
  }

  /** Active registrations that block a person from a workshop. */
  private activeRegistrations(person: Person, workshop: Workshop): Registration[] {
    const relatedWorkshops = Object.values(this.workshops).filter(
      (other) => other === workshop || (this.oneSeatPerPerson && !other.standalone && !workshop.standalone),
    )
    return relatedWorkshops.flatMap((one) => this.activeIn(one)).filter((one) => isMailboxOf(person, one))
  }

  /** Active registrations of the campaign. */
  private activeInCampaign(): Registration[] {
    return Object.values(this.workshops)
      .filter(({ standalone }) => !standalone)
      .flatMap((workshop) => this.activeIn(workshop))
      .filter(({ person }) => person)
  }

  /** A workshop's rank by date. */
  private dateRank({ city }: Registration): number {
    const dates = cities
      .filter((one) => this.workshops[one])
      .toSorted((a, b) => this.startsAtOf(a) - this.startsAtOf(b))
    return dates.indexOf(city)
  }

  private startsAtOf(city: City): number {
    return this.workshops[city]?.startsAt ?? 0
  }

  private activeIn({ seating }: Workshop): Registration[] {
    return [...seating.seated, ...seating.waiting]
  }

  private workshopOf({ city }: Registration): Workshop {
    return this.workshops[city] as Workshop
  }

  private statusOf(registration: Registration): string {
    if (registration.cancelledBy) return 'cancelled'
    if (registration.offeredUntil !== undefined) return 'offered'
    return this.workshopOf(registration).seating.waiting.includes(registration) ? 'waitlisted' : 'confirmed'
  }

  private isExpired({ offeredUntil }: Registration): boolean {
    return offeredUntil !== undefined && this.now >= offeredUntil
  }

  /** The status with the waitlist position, if any. */
  private statusWithPosition(registration: Registration): string {
    const position = this.workshopOf(registration).seating.waiting.indexOf(registration) + 1
    return formatStatus(this.statusOf(registration), position || null)
  }
}

export function formatTimeAndPlace(startsAt: number, venue: string): string {
  return `at ${startsAt} in ${venue}`
}

/** Formats a workshop of a copied campaign. */
export function formatCopy(
  startsAt: number,
  venue: string,
  capacity: number,
  state: string,
  { taken, waitlisted }: { taken: number; waitlisted: number },
): string {
  return `${state} ${formatTimeAndPlace(startsAt, venue)}: ${taken} of ${capacity}, ${waitlisted} wait`
}

/** Formats a registered person with organisers' decisions about them. */
export function formatPerson({
  name,
  person,
  promotedManually,
  notDuplicate,
}: Pick<Registration, 'name' | 'person' | 'promotedManually' | 'notDuplicate'>): string {
  return [name, person, promotedManually && 'out of turn', notDuplicate && 'not a duplicate'].filter(Boolean).join(', ')
}

export function formatStatus(status: string, position: number | null): string {
  return position === null ? status : `${status} ${position}`
}

export function formatMail(kind: string, why: string, dead: boolean): string {
  const text = why ? `${kind} ${why}` : kind
  return dead ? `(${text})` : text
}

export function formatRegistration(
  number: number,
  person: string,
  status: string,
  by: string | null | undefined,
  until: number | null | undefined,
  mails: string[],
): string {
  const detail = by ? ` by ${by}` : until == null ? '' : ` until ${until}`
  return `${number} (${person}) ${status}${detail}: ${mails.join(', ')}`
}

function isMailboxOf(person: Person, registration: { person: Person }): boolean {
  return registration.person.toLowerCase() === person.toLowerCase()
}

function isSameMailbox(first: Registration, second: Registration): boolean {
  return first === second || (first.person !== '' && isMailboxOf(first.person, second))
}
