import { join, leave, promoteManually, promoteWaiting, type Seating } from './seat-rule.ts'

/*
 * What the service should say and show, for it to be compared with: the rule of seats (rule.ts), with the reasons to
 * refuse and the mails that are owed around it. It knows lists and neither locks nor SQL.
 */

export const cities = ['shanghai', 'nanjing', 'xian'] as const
export type City = (typeof cities)[number]

/** What stands before the @ of an address. `Anna` and `anna` share a mailbox. */
export type Person = string

/** A person, or whoever is the first of a kind in a city. */
export type PersonRef = Person | `${'confirmed' | 'offered' | 'waitlisted'} in ${City}`

export type CancelledBy = 'attendee' | 'organiser'

/** How a workshop begins. Moments are minutes since the beginning. */
export type WorkshopSetup = {
  capacity: number
  waitlist: boolean
  startsAt: number
  opensAt?: number | undefined
  closesAt?: number | undefined
  /** How long an offered seat is held; without it a freed seat is given at once. */
  confirmHours?: number | null | undefined
  /** Not in the campaign of the others. */
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
  /** As the service calls it. */
  id: string | undefined
  city: City
  seq: number
  /** Empty once the person is erased. */
  person: Person
  name: string
  /** An organiser let this person pass others. */
  promotedManually: boolean
  /** An organiser said that this is not the person of the same name. */
  notDuplicate: boolean
  /** Until when the seat is held; undefined for a seat that is theirs, and for none. */
  offeredUntil?: number | undefined
  cancelledBy?: CancelledBy | 'workshop' | 'deadline'
  corrections: number
  mails: Mail[]
  original: SignUp & { status: string; at: number; call: number }
}

/** What is written down of who did what. `told`: what it says of the person, until that one is erased. */
export type AuditRecord = {
  action: string
  registration?: Registration
  payload: Record<string, unknown>
  personal?: Record<string, unknown>
}

/** Whom a message is for: the people of a city, or of the whole campaign; all who are live, or those in one state. */
export type Audience = { target: City | 'campaign'; status?: Status | undefined }
export type Status = 'confirmed' | 'offered' | 'waitlisted' | 'cancelled'

export const initialVenue = 'the hall'

/** `live`: where it is refused because of a registration, that one. */
export type SignUpOutcome = { outcome: string; registration?: Registration; conflicting?: Registration }

type Mail = { kind: string; detail: string; at: number; call: number; discarded: boolean }

export type Changes = Partial<Pick<Workshop, 'capacity' | 'waitlist' | 'startsAt' | 'confirmHours' | 'state' | 'venue'>>

/** What may be waited for in a city; the deadline is the next one of its offers. */
export type ScheduledEvent = 'opensAt' | 'closesAt' | 'startsAt' | 'endsAt' | 'deadline'

/** How long a workshop lasts, in minutes. */
export const durationMinutes = 7 * 60

export class Model {
  now = 0
  readonly registrations: Registration[] = []
  private readonly oneSeatPerPerson: boolean
  private readonly workshops: Partial<Record<City, Workshop>> = {}
  /** The months that were copied from this one, a line per workshop. */
  private readonly campaignCopies = new Map<number, string[]>()
  private readonly auditRecords: AuditRecord[] = []
  private readonly broadcasts = new Map<number, { of: Audience['target']; people: number }>()
  /** Counts what is done at once. */
  private statementCount = 0

  constructor({ oneSeatPerPerson, workshops }: CampaignSetup) {
    this.oneSeatPerPerson = oneSeatPerPerson
    for (const city of cities) {
      const announced = workshops[city]
      if (!announced) continue
      const nobody = { seated: [], waiting: [] }
      const endsAt = announced.startsAt + durationMinutes
      this.workshops[city] = {
        ...announced,
        state: 'published',
        endsAt,
        venue: initialVenue,
        seating: nobody,
        lastSeq: 0,
      }
    }
  }

  /** The registration that a person made last, a live one or else a cancelled one; or the first of its kind in a city. */
  find(who: PersonRef): Registration | undefined {
    const [kind, city] = who.split(' in ')
    const candidates = this.registrations.filter((one) =>
      city ? one.person && one.city === city : isMailboxOf(who, one),
    )
    if (city) return candidates.sort((a, b) => a.seq - b.seq).find((one) => this.statusOf(one) === kind)
    return candidates.findLast(({ cancelledBy }) => !cancelledBy) ?? candidates.at(-1)
  }

  /** When something happens in a city, in minutes since the beginning; undefined where it does not. */
  eventTime(event: ScheduledEvent, city: City): number | undefined {
    const workshop = this.workshops[city]
    if (event !== 'deadline' || !workshop) return workshop?.[event as Exclude<ScheduledEvent, 'deadline'>]
    const deadlines = workshop.seating.seated.flatMap(({ offeredUntil }) => offeredUntil ?? [])
    return deadlines.length > 0 ? Math.min(...deadlines) : undefined
  }

  /**
   * Signs several up in one statement.
   * @ticketMailCount ticketMailCount how many mails with all tickets of its mailbox the service owes a registration: which of them carries
   *   such a mail is the service's choice
   */
  signUpBatch(signUps: SignUp[], ticketMailCount: (registration: Registration) => number): SignUpOutcome[] {
    this.statementCount++
    const answers = signUps.map((signUp) => this.signUp(signUp))
    // A neighbour's confirmation is on its way.
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
    // Everyone is judged by what was there before the statement first, and by their neighbours in it then.
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

  /** What a sign-up is answered because of those who are registered; undefined where it may have a place. */
  private decideEarly(
    { person, city, key }: SignUp,
    isKnown: (one: Registration) => boolean,
  ): SignUpOutcome | undefined {
    const known = this.registrations.filter(isKnown)
    const replayed = known.find(({ original }) => original.key === key && original.city === city)
    if (replayed && !isMailboxOf(person, replayed.original)) return { outcome: 'idempotency_mismatch' }
    if (replayed) {
      const standing = replayed.cancelledBy ? replayed.original.status : this.statusWithPosition(replayed)
      return { outcome: `${standing} again`, registration: replayed }
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

  /** @notify notify everyone registered is told of another time or place */
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
      // Who was not told of an earlier change hears what was before that.
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
   * Gives somebody who waits a seat before their turn: a free one, or else one more.
   * @param addSeat whether there may be one more
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

  /** Takes an offered seat in somebody's name. */
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

  /** Of one person's registrations one stays, and must be there to stay. */
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

  /** Settles for all who are there that people of one name are several, until somebody else comes who has it. */
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

  /** The live registrations of one name and several mailboxes, those who should stay first. */
  duplicateGroups(): string[][] {
    const rank = (one: Registration) => ['confirmed', 'offered', 'waitlisted'].indexOf(this.statusOf(one))
    const before = (one: Registration, other: Registration) =>
      rank(one) - rank(other) || one.original.at - other.original.at || String(one.id).localeCompare(String(other.id))
    return [...Map.groupBy(this.activeInCampaign(), ({ name }) => name).values()]
      .filter((some) => new Set(some.map(({ person }) => person.toLowerCase())).size > 1)
      .filter((some) => !some.every(({ notDuplicate }) => notDuplicate))
      .map((some) => some.sort(before).map(({ id }) => id as string))
      .sort()
  }

  /** Corrects what somebody typed. Where the address is refused, the name stays too. */
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

  /** An organiser signs somebody up: the same rules, and it is written down once. */
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

  /** Writes to people: each mailbox once, with a seat before without. The same message goes out once. */
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

  /** Copies the campaign into the next month, without its people. The same copy again is the same form sent twice. */
  copyCampaign(copy: number, nextMonth: (startsAt: number) => number): string {
    const lines = Object.values(this.workshops)
      .filter(({ standalone, state }) => !standalone && state !== 'cancelled')
      .map(({ startsAt, venue, capacity }) =>
        formatCopy(nextMonth(startsAt), venue, capacity, 'draft', { taken: 0, waitlisted: 0 }),
      )
    if (!this.campaignCopies.has(copy)) this.campaignCopies.set(copy, lines.sort())
    return `${this.campaignCopies.get(copy)?.length} workshops`
  }

  /** All that is written down. */
  auditLog(): object[] {
    return this.auditRecords.map(({ action, registration, payload, personal }) => ({
      action,
      id: registration?.id ?? null,
      payload,
      told: personal ?? null,
    }))
  }

  /** Everything that the service shows, a line per registration; mails that will not go out stand in brackets. */
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
              const who = formatPerson(registration)
              return formatRegistration(seq, who, this.statusOf(registration), cancelledBy, offeredUntil, mailTexts)
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

  /** What every ticket says by the id of its registration. */
  ticketStatuses(): Record<string, string> {
    const bearers = this.registrations.filter(({ person }) => person !== '')
    return Object.fromEntries(bearers.map((registration) => [registration.id, this.statusWithPosition(registration)]))
  }

  /** Why a workshop takes nobody new, whoever it is. */
  private registrationRefusal({ state, closesAt, startsAt, opensAt }: Workshop): string | undefined {
    if (state === 'draft') return 'not_found'
    if (state === 'cancelled') return 'cancelled'
    if (state === 'closed' || this.now >= startsAt || (closesAt !== undefined && this.now >= closesAt)) return 'closed'
    if (opensAt !== undefined && this.now < opensAt) return 'not_open'
    return undefined
  }

  /** Gives a seat or a place in line; false where there is neither. */
  private placeInWorkshop(registration: Registration, city: City): boolean {
    const workshop = this.workshops[city] as Workshop
    const line = join(workshop.seating, registration, workshop.capacity)
    if (line.waiting.includes(registration) && !workshop.waitlist) return false
    workshop.seating = line
    registration.city = city
    registration.seq = ++workshop.lastSeq
    return true
  }

  /** A workshop serves its line until it starts, unless an organiser closed it. */
  private promoteWaitlist(workshop: Workshop): void {
    if (workshop.state !== 'published' || this.now >= workshop.startsAt) return
    const { waiting } = workshop.seating
    workshop.seating = promoteWaiting(workshop.seating, workshop.capacity)
    const promoted = waiting.filter((one) => !workshop.seating.waiting.includes(one))
    const { confirmHours, startsAt } = workshop
    for (const one of promoted) {
      // Nobody can ask whoever was erased to take it.
      if (confirmHours && one.person) one.offeredUntil = Math.min(this.now + confirmHours * 60, startsAt)
      this.enqueue(one, confirmHours ? 'offered' : 'promoted')
    }
  }

  /**
   * Tells everyone of a closing once, before the start. Here no mail ever leaves, so that an opening only takes back what
   * nobody has heard of.
   */
  private enqueueClosingMails(city: City, { state, startsAt }: Workshop): void {
    if (this.now >= startsAt) return
    const [news, opposite] = state === 'closed' ? ['closed', 'reopened'] : ['reopened', 'closed']
    for (const registration of this.registrations.filter((one) => one.city === city)) {
      this.discardMails(registration, ({ kind }) => kind === opposite)
      const told = registration.mails.some(({ kind, discarded }) => kind === news && !discarded)
      const { cancelledBy, person } = registration
      if (news === 'closed' && !told && !cancelledBy && person) this.enqueue(registration, 'closed')
    }
  }

  private cancelAndNotify(registration: Registration, by: NonNullable<Registration['cancelledBy']>): void {
    const workshop = this.workshopOf(registration)
    workshop.seating = leave(workshop.seating, registration)
    registration.offeredUntil = undefined
    registration.cancelledBy = by
    this.enqueue(registration, 'cancelled', `by ${by}`)
  }

  /** @param facts with the workshop in which it was, unless it says so itself */
  private log(
    action: string,
    registration: Registration,
    payload: Record<string, unknown> = {},
    told: Record<string, unknown> = {},
  ) {
    const person = { name: registration.name, email: registration.person }
    this.auditRecords.push({
      action,
      registration,
      payload: { workshop: registration.city, ...payload },
      personal: { ...person, ...told },
    })
  }

  /** Who was erased has no address to write to. */
  private enqueue(registration: Registration, kind: string, detail = ''): void {
    if (registration.person)
      registration.mails.push({ kind, detail, at: this.now, call: this.statementCount, discarded: false })
  }

  private discardMails(registration: Registration, which: (mail: Mail) => boolean = () => true): void {
    for (const mail of registration.mails.filter(which)) mail.discarded = true
  }

  /** Who is there already is mailed the tickets, unless that mailbox just had them or had enough. */
  private enqueueTicketMail(registration: Registration): void {
    const { person } = registration
    const mailedRecently = this.mailsToMailbox(person).some(({ kind, at }) => kind === 'found' && at > this.now - 10)
    if (!mailedRecently && this.mailsTriggeredToday(person) < 10) this.enqueue(registration, 'found')
  }

  /** How many mails whoever typed an address caused in the last day, before this statement. */
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

  /** The live registrations that keep a person out of a workshop. */
  private activeRegistrations(person: Person, workshop: Workshop): Registration[] {
    const relatedWorkshops = Object.values(this.workshops).filter(
      (other) => other === workshop || (this.oneSeatPerPerson && !other.standalone && !workshop.standalone),
    )
    return relatedWorkshops.flatMap((one) => this.activeIn(one)).filter((one) => isMailboxOf(person, one))
  }

  /** Everyone of the campaign who is live. */
  private activeInCampaign(): Registration[] {
    return Object.values(this.workshops)
      .filter(({ standalone }) => !standalone)
      .flatMap((workshop) => this.activeIn(workshop))
      .filter(({ person }) => person)
  }

  /** Where a workshop stands in the order of their dates. */
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

  /** The status, with the position where there is one. */
  private statusWithPosition(registration: Registration): string {
    const position = this.workshopOf(registration).seating.waiting.indexOf(registration) + 1
    return formatStatus(this.statusOf(registration), position || null)
  }
}

export function formatTimeAndPlace(startsAt: number, venue: string): string {
  return `at ${startsAt} in ${venue}`
}

/** A workshop of a month that was copied. */
export function formatCopy(
  startsAt: number,
  venue: string,
  capacity: number,
  state: string,
  { taken, waitlisted }: { taken: number; waitlisted: number },
): string {
  return `${state} ${formatTimeAndPlace(startsAt, venue)}: ${taken} of ${capacity}, ${waitlisted} wait`
}

/** Who is registered, and what organisers decided about them. */
export function formatPerson({
  name,
  person,
  promotedManually,
  notDuplicate,
}: Pick<Registration, 'name' | 'person' | 'promotedManually' | 'notDuplicate'>): string {
  return [name, person, promotedManually && 'out of turn', notDuplicate && 'told apart'].filter(Boolean).join(', ')
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
  who: string,
  status: string,
  by: string | null | undefined,
  until: number | null | undefined,
  mails: string[],
): string {
  const detail = by ? ` by ${by}` : until == null ? '' : ` until ${until}`
  return `${number} (${who}) ${status}${detail}: ${mails.join(', ')}`
}

function isMailboxOf(person: Person, registration: { person: Person }): boolean {
  return registration.person.toLowerCase() === person.toLowerCase()
}

function isSameMailbox(first: Registration, second: Registration): boolean {
  return first === second || (first.person !== '' && isMailboxOf(first.person, second))
}
