import { join, type Line, leave, letPass, serve } from './rule.ts'

/*
 * What the service should say and show, for it to be compared with: the rule of seats (rule.ts), with the reasons to
 * refuse and the mails that are owed around it. It knows lists and neither locks nor SQL.
 */

export const cities = ['shanghai', 'nanjing', 'xian'] as const
export type City = (typeof cities)[number]

/** What stands before the @ of an address. `Anna` and `anna` share a mailbox. */
export type Person = string

/** A person, or whoever is the first of a kind in a city. */
export type Who = Person | `${'confirmed' | 'offered' | 'waitlisted'} in ${City}`

export type By = 'attendee' | 'organiser'

/** How a workshop begins. Moments are minutes since the beginning. */
export type Announced = {
  capacity: number
  waitlist: boolean
  startsAt: number
  opensAt?: number | undefined
  closesAt?: number | undefined
  /** How long an offered seat is held; without it a freed seat is given at once. */
  confirmHours?: number | null | undefined
  /** Not in the campaign of the others. */
  alone?: boolean
}

export type Announcement = { oneSeatPerPerson: boolean; workshops: Partial<Record<City, Announced>> }

export type SignUp = { person: Person; city: City; key: string }

export type Workshop = Announced & {
  state: 'draft' | 'published' | 'closed' | 'cancelled'
  venue: string
  endsAt: number
  line: Line<Registration>
  lastNumber: number
}

export type Registration = {
  /** As the service calls it. */
  id: string | undefined
  city: City
  number: number
  /** Empty once the person is erased. */
  person: Person
  name: string
  /** An organiser let this person pass others. */
  outOfTurn: boolean
  /** An organiser said that this is not the person of the same name. */
  toldApart: boolean
  /** Until when the seat is held; undefined for a seat that is theirs, and for none. */
  offeredUntil?: number | undefined
  cancelledBy?: By | 'workshop' | 'deadline'
  corrections: number
  mails: Mail[]
  signedUp: SignUp & { status: string; at: number; call: number }
}

/** What is written down of who did what. `told`: what it says of the person, until that one is erased. */
export type Logged = {
  action: string
  of?: Registration
  facts: Record<string, unknown>
  told?: Record<string, unknown>
}

/** Whom a message is for: the people of a city, or of the whole campaign; all who are live, or those in one state. */
export type Audience = { of: City | 'campaign'; status?: Status | undefined }
export type Status = 'confirmed' | 'offered' | 'waitlisted' | 'cancelled'

export const firstVenue = 'the hall'

/** `live`: where it is refused because of a registration, that one. */
export type SignUpAnswer = { answer: string; registration?: Registration; live?: Registration }

type Mail = { kind: string; why: string; at: number; call: number; dead: boolean }

export type Changes = Partial<Pick<Workshop, 'capacity' | 'waitlist' | 'startsAt' | 'confirmHours' | 'state' | 'venue'>>

/** What may be waited for in a city; the deadline is the next one of its offers. */
export type Event = 'opensAt' | 'closesAt' | 'startsAt' | 'endsAt' | 'deadline'

/** How long a workshop lasts, in minutes. */
export const duration = 7 * 60

export class Model {
  now = 0
  readonly registrations: Registration[] = []
  private readonly oneSeatPerPerson: boolean
  private readonly workshops: Partial<Record<City, Workshop>> = {}
  /** The months that were copied from this one, a line per workshop. */
  private readonly copies = new Map<number, string[]>()
  private readonly logged: Logged[] = []
  private readonly messages = new Map<number, { of: Audience['of']; people: number }>()
  /** Counts what is done at once. */
  private call = 0

  constructor({ oneSeatPerPerson, workshops }: Announcement) {
    this.oneSeatPerPerson = oneSeatPerPerson
    for (const city of cities) {
      const announced = workshops[city]
      if (!announced) continue
      const nobody = { seated: [], waiting: [] }
      const endsAt = announced.startsAt + duration
      this.workshops[city] = {
        ...announced,
        state: 'published',
        endsAt,
        venue: firstVenue,
        line: nobody,
        lastNumber: 0,
      }
    }
  }

  /** The registration that a person made last, a live one or else a cancelled one; or the first of its kind in a city. */
  find(who: Who): Registration | undefined {
    const [kind, city] = who.split(' in ')
    const theirs = this.registrations.filter((one) => (city ? one.person && one.city === city : isMailboxOf(who, one)))
    if (city) return theirs.sort((a, b) => a.number - b.number).find((one) => this.statusOf(one) === kind)
    return theirs.findLast(({ cancelledBy }) => !cancelledBy) ?? theirs.at(-1)
  }

  /** When something happens in a city, in minutes since the beginning; undefined where it does not. */
  momentOf(event: Event, city: City): number | undefined {
    const workshop = this.workshops[city]
    if (event !== 'deadline' || !workshop) return workshop?.[event as Exclude<Event, 'deadline'>]
    const deadlines = workshop.line.seated.flatMap(({ offeredUntil }) => offeredUntil ?? [])
    return deadlines.length > 0 ? Math.min(...deadlines) : undefined
  }

  /**
   * Signs several up in one statement.
   * @param mailed how many mails with all tickets of its mailbox the service owes a registration: which of them carries
   *   such a mail is the service's choice
   */
  signUpTogether(signUps: SignUp[], mailed: (registration: Registration) => number): SignUpAnswer[] {
    this.call++
    const answers = signUps.map((signUp) => this.signUp(signUp))
    // A neighbour's confirmation is on its way.
    const there = answers.flatMap(({ live }) => (live && live.signedUp.call < this.call ? [live] : []))
    for (const ofOnePerson of Map.groupBy(there, ({ person }) => person.toLowerCase()).values()) {
      const chosen = ofOnePerson.find((one) => mailed(one) > one.mails.filter(({ kind }) => kind === 'found').length)
      this.mailTickets(chosen ?? (ofOnePerson[0] as Registration))
    }
    return answers
  }

  private signUp(signUp: SignUp): SignUpAnswer {
    // Everyone is judged by what was there before the statement first, and by their neighbours in it then.
    const judged = this.judge(signUp, (one) => one.signedUp.call < this.call) ?? this.judge(signUp, () => true)
    if (judged) return judged
    const { person, city } = signUp
    const registration: Registration = {
      ...{ id: undefined, city, number: 0, corrections: 0, mails: [] },
      ...{ person, name: person.toLowerCase(), outOfTurn: false, toldApart: false },
      signedUp: { ...signUp, status: '', at: this.now, call: this.call },
    }
    if (!this.place(registration, city)) return { answer: 'full' }
    this.registrations.push(registration)
    registration.signedUp.status = this.statusOf(registration)
    this.owe(registration, registration.signedUp.status)
    return { answer: this.standing(registration), registration }
  }

  /** What a sign-up is answered because of those who are registered; undefined where it may have a place. */
  private judge({ person, city, key }: SignUp, isKnown: (one: Registration) => boolean): SignUpAnswer | undefined {
    const known = this.registrations.filter(isKnown)
    const kept = known.find(({ signedUp }) => signedUp.key === key && signedUp.city === city)
    if (kept && !isMailboxOf(person, kept.signedUp)) return { answer: 'idempotency_mismatch' }
    if (kept) {
      const standing = kept.cancelledBy ? kept.signedUp.status : this.standing(kept)
      return { answer: `${standing} again`, registration: kept }
    }
    const workshop = this.workshops[city]
    if (!workshop) return { answer: 'not_found' }
    const refusal = this.refusalOf(workshop)
    if (refusal) return { answer: refusal }
    const live = this.liveOnes(person, workshop).find(isKnown)
    if (live) return { answer: 'already_registered', live }
    if (this.mailsCaused(person) >= 10) return { answer: 'too_many' }
    return undefined
  }

  cancel(registration: Registration | undefined, by: By): string {
    this.call++
    if (!registration) return 'not_found'
    if (registration.cancelledBy) return 'already_cancelled'
    const workshop = this.workshopOf(registration)
    if (by === 'attendee' && this.now >= workshop.startsAt) return 'over'
    this.cancelOne(registration, by)
    this.serve(workshop)
    return 'cancelled'
  }

  takeOffer(registration: Registration | undefined): string {
    this.call++
    if (!registration) return 'not_found'
    const status = this.statusOf(registration)
    if (status === 'confirmed') return 'already_taken'
    if (status === 'waitlisted') return 'not_offered'
    if (registration.cancelledBy === 'deadline' || this.hasLapsed(registration)) return 'lapsed'
    if (status === 'cancelled') return 'cancelled'
    registration.offeredUntil = undefined
    this.owe(registration, 'promoted')
    return 'taken'
  }

  passOnOffers(): number {
    this.call++
    const lapsed = this.registrations.filter((one) => this.hasLapsed(one))
    for (const one of lapsed) this.cancelOne(one, 'deadline')
    for (const one of lapsed) this.serve(this.workshopOf(one))
    return lapsed.length
  }

  move(registration: Registration | undefined, to: City): string {
    this.call++
    const there = this.workshops[to]
    if (!registration || !there) return 'not_found'
    const here = this.workshopOf(registration)
    if (here.alone || there.alone) return 'not_found'
    if (registration.cancelledBy) return 'not_live'
    if (this.now >= here.startsAt) return 'over'
    if (this.live(there).some((other) => isSameMailbox(registration, other))) return 'already_registered'
    const refusal = this.refusalOf(there)
    if (refusal) return refusal
    if (this.mailsCaused(registration.person) >= 10) return 'too_many'
    const from = registration.city
    if (!this.place(registration, to)) return 'full'
    here.line = leave(here.line, registration)
    registration.offeredUntil = undefined
    registration.outOfTurn = false
    this.supersede(
      registration,
      ({ kind, why }) => kind !== 'found' && !(kind === 'message' && why.endsWith('campaign')),
    )
    this.owe(registration, 'moved', `from ${from}`)
    this.serve(here)
    return this.statusOf(registration)
  }

  /** @param tell everyone registered is told of another time or place */
  changeWorkshop(city: City, changes: Changes, tell = false): string {
    this.call++
    const workshop = this.workshops[city]
    if (!workshop) return 'not_found'
    if (workshop.state === 'cancelled') return 'cancelled'
    if (changes.state === 'draft' && this.live(workshop).length > 0) return 'has_registrations'
    const { seated } = workshop.line
    if (changes.capacity !== undefined && changes.capacity < seated.length) {
      return `capacity_below_taken ${seated.length}`
    }
    const { state, startsAt, venue } = workshop
    Object.assign(workshop, changes)
    workshop.endsAt = workshop.startsAt + duration
    const states = [state, workshop.state]
    if (states.includes('published') && states.includes('closed')) this.mailClosing(city, workshop)
    this.serve(workshop)
    for (const one of workshop.line.seated) {
      if (one.offeredUntil !== undefined) one.offeredUntil = Math.min(one.offeredUntil, workshop.startsAt)
    }
    const elsewhere = workshop.startsAt !== startsAt || workshop.venue !== venue
    if (!tell || !elsewhere) return 'changed'
    for (const one of this.live(workshop)) {
      // Who was not told of an earlier change hears what was before that.
      const unheard = one.mails.findLast(({ kind, dead }) => kind === 'changed' && !dead)
      if (one.person) this.owe(one, 'changed', unheard?.why ?? sayTimeAndPlace(startsAt, venue))
    }
    return 'changed'
  }

  cancelWorkshop(city: City): string {
    this.call++
    const workshop = this.workshops[city]
    if (!workshop) return 'not_found'
    if (workshop.state === 'cancelled') return 'already_cancelled'
    if (this.now >= workshop.endsAt) return 'over'
    workshop.state = 'cancelled'
    for (const registration of this.live(workshop)) this.cancelOne(registration, 'workshop')
    return 'changed'
  }

  correctEmail(registration: Registration | undefined, person: Person): string {
    this.call++
    if (!registration) return 'not_found'
    if (registration.cancelledBy) return 'cancelled'
    const workshop = this.workshopOf(registration)
    if (this.now >= workshop.endsAt) return 'over'
    if (registration.person === person) return 'unchanged'
    if (registration.corrections === 5 || this.mailsCaused(person) >= 10) return 'too_many'
    if (this.liveOnes(person, workshop).some((other) => other !== registration)) return 'already_registered'
    registration.person = person
    registration.corrections++
    this.supersede(registration, ({ kind }) => !['closed', 'reopened', 'message'].includes(kind))
    this.owe(registration, this.statusOf(registration), 'corrected')
    return 'corrected'
  }

  erase(registration: Registration | undefined, by: By): number {
    if (!registration) return 0
    if (this.now < this.workshopOf(registration).startsAt) this.cancel(registration, by)
    this.supersede(registration)
    registration.person = ''
    registration.name = ''
    registration.signedUp.person = ''
    for (const entry of this.logged) if (entry.of === registration) delete entry.told
    return 1
  }

  /**
   * Gives somebody who waits a seat before their turn: a free one, or else one more.
   * @param addSeat whether there may be one more
   */
  promote(registration: Registration | undefined, addSeat: boolean, reason: string): string {
    this.call++
    if (!registration) return 'not_found'
    const workshop = this.workshopOf(registration)
    const status = this.statusOf(registration)
    if (status === 'cancelled') return 'cancelled'
    if (status !== 'waitlisted') return 'seated'
    if (this.now >= workshop.endsAt) return 'over'
    if (workshop.line.seated.length >= workshop.capacity) {
      if (!addSeat) return `full ${workshop.line.seated.length} of ${workshop.capacity}`
      workshop.capacity++
    }
    workshop.line = letPass(workshop.line, registration)
    registration.outOfTurn = true
    this.owe(registration, 'promoted')
    this.log('person.promoted', registration, { capacity: workshop.capacity }, { reason })
    return 'promoted'
  }

  /** Takes an offered seat in somebody's name. */
  confirmPerson(registration: Registration | undefined): string {
    const outcome = this.takeOffer(registration)
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
    this.call++
    if (!registration || !kept) return 'not_found'
    if (registration === kept || kept.cancelledBy) return 'kept_cancelled'
    const outcome = this.cancel(registration, 'organiser')
    if (outcome !== 'cancelled') return outcome
    this.log('person.merged', registration, { to: kept.city })
    this.log('person.merged', kept, { from: registration.city })
    return outcome
  }

  /** Settles for all who are there that people of one name are several, until somebody else comes who has it. */
  tellApart(name: string): string {
    const several = this.namesakes(name)
    for (const one of several) {
      one.toldApart = true
      this.log('person.told_apart', one)
    }
    return `${several.length} people`
  }

  namesakes(name: string): Registration[] {
    return this.everyone().filter((one) => one.name === name)
  }

  /** The live registrations of one name and several mailboxes, those who should stay first. */
  alike(): string[][] {
    const rank = (one: Registration) => ['confirmed', 'offered', 'waitlisted'].indexOf(this.statusOf(one))
    const before = (one: Registration, other: Registration) =>
      rank(one) - rank(other) || one.signedUp.at - other.signedUp.at || String(one.id).localeCompare(String(other.id))
    return [...Map.groupBy(this.everyone(), ({ name }) => name).values()]
      .filter((some) => new Set(some.map(({ person }) => person.toLowerCase())).size > 1)
      .filter((some) => !some.every(({ toldApart }) => toldApart))
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
    if (before.name !== after.name) registration.toldApart = false
    const of = (values: typeof before) => Object.fromEntries(changed.map((field) => [field, values[field]]))
    this.log('person.changed', registration, { changed }, { ...before, before: of(before), after: of(after) })
    return ['corrected', ...changed].join(' ')
  }

  /** An organiser signs somebody up: the same rules, and it is written down once. */
  addByHand(signUp: SignUp, id: string | undefined, mailed: (registration: Registration) => number): SignUpAnswer {
    const [answer] = this.signUpTogether([signUp], mailed) as [SignUpAnswer]
    const { registration } = answer
    if (registration) registration.id ??= id
    if (registration && !answer.answer.endsWith('again')) {
      this.log('person.added', registration, { status: this.statusOf(registration) })
    }
    return answer
  }

  /** Writes to people: each mailbox once, with a seat before without. The same message goes out once. */
  send(message: number, { of, status }: Audience): string {
    this.call++
    const before = this.messages.get(message)
    if (before) return before.of === of ? `sent to ${before.people}` : 'sent_already'
    const states: Status[] = status ? [status] : ['confirmed', 'offered', 'waitlisted']
    const reached = this.registrations
      .filter((one) => one.person && (of === 'campaign' ? !this.workshopOf(one).alone : one.city === of))
      .sort((one, other) => this.dateOf(one) - this.dateOf(other) || one.number - other.number)
    const everyone = states.flatMap((state) => reached.filter((one) => this.statusOf(one) === state))
    const firsts = [...Map.groupBy(everyone, ({ person }) => person.toLowerCase()).values()].map(([first]) => first)
    if (firsts.length === 0) return 'nobody'
    for (const one of firsts) this.owe(one as Registration, 'message', `${message} to ${of}`)
    const people = firsts.length
    this.messages.set(message, { of, people })
    const told = { subject: `${message} to ${of}` }
    this.logged.push({ action: 'message.sent', facts: { count: people, ...(status && { status }) }, told })
    return `sent to ${people}`
  }

  /** Copies the campaign into the next month, without its people. The same copy again is the same form sent twice. */
  copyMonth(copy: number, laterBy: (startsAt: number) => number): string {
    const lines = Object.values(this.workshops)
      .filter(({ alone, state }) => !alone && state !== 'cancelled')
      .map(({ startsAt, venue, capacity }) =>
        sayCopy(laterBy(startsAt), venue, capacity, 'draft', { taken: 0, waitlisted: 0 }),
      )
    if (!this.copies.has(copy)) this.copies.set(copy, lines.sort())
    return `${this.copies.get(copy)?.length} workshops`
  }

  /** All that is written down. */
  writtenDown(): object[] {
    return this.logged.map(({ action, of, facts, told }) => ({ action, id: of?.id ?? null, facts, told: told ?? null }))
  }

  /** Everything that the service shows, a line per registration; mails that will not go out stand in brackets. */
  shown() {
    const cities = Object.fromEntries(
      Object.entries(this.workshops).map(([city, workshop]) => [
        city,
        {
          state: workshop.state,
          when: sayTimeAndPlace(workshop.startsAt, workshop.venue),
          capacity: workshop.capacity,
          taken: workshop.line.seated.length,
          waitlisted: workshop.line.waiting.length,
          registrations: this.registrations
            .filter((registration) => registration.city === city)
            .sort((a, b) => a.number - b.number)
            .map((registration) => {
              const { number, cancelledBy, offeredUntil, mails } = registration
              const told = mails.map(({ kind, why, dead }) => sayMail(kind, why, dead))
              const who = sayPerson(registration)
              return sayRegistration(number, who, this.statusOf(registration), cancelledBy, offeredUntil, told)
            }),
        },
      ]),
    )
    return {
      ...cities,
      copies: [...this.copies.values()].flat().sort(),
      logged: this.writtenDown(),
      alike: this.alike(),
    }
  }

  /** What every ticket says by the id of its registration. */
  tickets(): Record<string, string> {
    const bearers = this.registrations.filter(({ person }) => person !== '')
    return Object.fromEntries(bearers.map((registration) => [registration.id, this.standing(registration)]))
  }

  /** Why a workshop takes nobody new, whoever it is. */
  private refusalOf({ state, closesAt, startsAt, opensAt }: Workshop): string | undefined {
    if (state === 'draft') return 'not_found'
    if (state === 'cancelled') return 'cancelled'
    if (state === 'closed' || this.now >= startsAt || (closesAt !== undefined && this.now >= closesAt)) return 'closed'
    if (opensAt !== undefined && this.now < opensAt) return 'not_open'
    return undefined
  }

  /** Gives a seat or a place in line; false where there is neither. */
  private place(registration: Registration, city: City): boolean {
    const workshop = this.workshops[city] as Workshop
    const line = join(workshop.line, registration, workshop.capacity)
    if (line.waiting.includes(registration) && !workshop.waitlist) return false
    workshop.line = line
    registration.city = city
    registration.number = ++workshop.lastNumber
    return true
  }

  /** A workshop serves its line until it starts, unless an organiser closed it. */
  private serve(workshop: Workshop): void {
    if (workshop.state !== 'published' || this.now >= workshop.startsAt) return
    const { waiting } = workshop.line
    workshop.line = serve(workshop.line, workshop.capacity)
    const served = waiting.filter((one) => !workshop.line.waiting.includes(one))
    const { confirmHours, startsAt } = workshop
    for (const one of served) {
      // Nobody can ask whoever was erased to take it.
      if (confirmHours && one.person) one.offeredUntil = Math.min(this.now + confirmHours * 60, startsAt)
      this.owe(one, confirmHours ? 'offered' : 'promoted')
    }
  }

  /**
   * Tells everyone of a closing once, before the start. Here no mail ever leaves, so that an opening only takes back what
   * nobody has heard of.
   */
  private mailClosing(city: City, { state, startsAt }: Workshop): void {
    if (this.now >= startsAt) return
    const [news, opposite] = state === 'closed' ? ['closed', 'reopened'] : ['reopened', 'closed']
    for (const registration of this.registrations.filter((one) => one.city === city)) {
      this.supersede(registration, ({ kind }) => kind === opposite)
      const told = registration.mails.some(({ kind, dead }) => kind === news && !dead)
      const { cancelledBy, person } = registration
      if (news === 'closed' && !told && !cancelledBy && person) this.owe(registration, 'closed')
    }
  }

  private cancelOne(registration: Registration, by: NonNullable<Registration['cancelledBy']>): void {
    const workshop = this.workshopOf(registration)
    workshop.line = leave(workshop.line, registration)
    registration.offeredUntil = undefined
    registration.cancelledBy = by
    this.owe(registration, 'cancelled', `by ${by}`)
  }

  /** @param facts with the workshop in which it was, unless it says so itself */
  private log(
    action: string,
    of: Registration,
    facts: Record<string, unknown> = {},
    told: Record<string, unknown> = {},
  ) {
    const person = { name: of.name, email: of.person }
    this.logged.push({ action, of, facts: { workshop: of.city, ...facts }, told: { ...person, ...told } })
  }

  /** Who was erased has no address to write to. */
  private owe(registration: Registration, kind: string, why = ''): void {
    if (registration.person) registration.mails.push({ kind, why, at: this.now, call: this.call, dead: false })
  }

  private supersede(registration: Registration, which: (mail: Mail) => boolean = () => true): void {
    for (const mail of registration.mails.filter(which)) mail.dead = true
  }

  /** Who is there already is mailed the tickets, unless that mailbox just had them or had enough. */
  private mailTickets(registration: Registration): void {
    const { person } = registration
    const justHadThem = this.mailsTo(person).some(({ kind, at }) => kind === 'found' && at > this.now - 10)
    if (!justHadThem && this.mailsCaused(person) < 10) this.owe(registration, 'found')
  }

  /** How many mails whoever typed an address caused in the last day, before this statement. */
  private mailsCaused(person: Person): number {
    const causing = ['confirmed', 'waitlisted', 'found', 'moved']
    const caused = this.mailsTo(person).filter(({ kind, why }) => causing.includes(kind) || why === 'corrected')
    return caused.filter(({ at, call }) => at > this.now - 24 * 60 && call < this.call).length
  }

  private mailsTo(person: Person): Mail[] {
    return this.registrations.filter((one) => isMailboxOf(person, one)).flatMap(({ mails }) => mails)
  }

  /** The live registrations that keep a person out of a workshop. */
  private liveOnes(person: Person, workshop: Workshop): Registration[] {
    const together = Object.values(this.workshops).filter(
      (other) => other === workshop || (this.oneSeatPerPerson && !other.alone && !workshop.alone),
    )
    return together.flatMap((one) => this.live(one)).filter((one) => isMailboxOf(person, one))
  }

  /** Everyone of the campaign who is live. */
  private everyone(): Registration[] {
    return Object.values(this.workshops)
      .filter(({ alone }) => !alone)
      .flatMap((workshop) => this.live(workshop))
      .filter(({ person }) => person)
  }

  /** Where a workshop stands in the order of their dates. */
  private dateOf({ city }: Registration): number {
    const dates = cities.filter((one) => this.workshops[one]).toSorted((a, b) => this.startOf(a) - this.startOf(b))
    return dates.indexOf(city)
  }

  private startOf(city: City): number {
    return this.workshops[city]?.startsAt ?? 0
  }

  private live({ line }: Workshop): Registration[] {
    return [...line.seated, ...line.waiting]
  }

  private workshopOf({ city }: Registration): Workshop {
    return this.workshops[city] as Workshop
  }

  private statusOf(registration: Registration): string {
    if (registration.cancelledBy) return 'cancelled'
    if (registration.offeredUntil !== undefined) return 'offered'
    return this.workshopOf(registration).line.waiting.includes(registration) ? 'waitlisted' : 'confirmed'
  }

  private hasLapsed({ offeredUntil }: Registration): boolean {
    return offeredUntil !== undefined && this.now >= offeredUntil
  }

  /** The status, with the position where there is one. */
  private standing(registration: Registration): string {
    const position = this.workshopOf(registration).line.waiting.indexOf(registration) + 1
    return sayStanding(this.statusOf(registration), position || null)
  }
}

export function sayTimeAndPlace(startsAt: number, venue: string): string {
  return `at ${startsAt} in ${venue}`
}

/** A workshop of a month that was copied. */
export function sayCopy(
  startsAt: number,
  venue: string,
  capacity: number,
  state: string,
  { taken, waitlisted }: { taken: number; waitlisted: number },
): string {
  return `${state} ${sayTimeAndPlace(startsAt, venue)}: ${taken} of ${capacity}, ${waitlisted} wait`
}

/** Who is registered, and what organisers decided about them. */
export function sayPerson({
  name,
  person,
  outOfTurn,
  toldApart,
}: Pick<Registration, 'name' | 'person' | 'outOfTurn' | 'toldApart'>): string {
  return [name, person, outOfTurn && 'out of turn', toldApart && 'told apart'].filter(Boolean).join(', ')
}

export function sayStanding(status: string, position: number | null): string {
  return position === null ? status : `${status} ${position}`
}

export function sayMail(kind: string, why: string, dead: boolean): string {
  const said = why ? `${kind} ${why}` : kind
  return dead ? `(${said})` : said
}

export function sayRegistration(
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

function isMailboxOf(person: Person, one: { person: Person }): boolean {
  return one.person.toLowerCase() === person.toLowerCase()
}

function isSameMailbox(one: Registration, other: Registration): boolean {
  return one === other || (one.person !== '' && isMailboxOf(one.person, other))
}
