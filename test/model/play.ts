import { sql } from 'drizzle-orm'
import { expect } from 'vitest'
import { at, rows } from '../../src/db/database.ts'
import type { Answer, Entry } from '../../src/db/desk.ts'
import { examine } from '../../src/domain/doctor.ts'
import { correctEmail, findRegistrations } from '../../src/domain/registrations.ts'
import {
  cancelRegistration,
  cancelWorkshop,
  forgetPeople,
  moveRegistration,
  passOnOffers,
  register,
  takeOffer,
} from '../../src/domain/seats.ts'
import { changeWorkshop, type Workshop, type WorkshopChanges } from '../../src/domain/workshops.ts'
import type { World } from '../support/world.ts'
import {
  type Announcement,
  type By,
  type City,
  cities,
  duration,
  type Event,
  Model,
  type Person,
  type Registration,
  type SignUp,
  sayMail,
  sayRegistration,
  sayStanding,
  type Who,
} from './model.ts'

/** A sign-up as scripts write it; without a key it gets one of its own. */
export type Entrant = [person: Person, city: City, key?: string]

/** Announces workshops in a world, in which there is nothing else from then on, and in the model. */
export async function startPlay(world: World, announcement: Announcement): Promise<Play> {
  await world.db.execute(sql`truncate campaigns, workshops restart identity cascade`)
  const play = new Play(world, new Model(announcement))
  await play.announce(announcement)
  return play
}

/**
 * Does the same to the service and to the model, and fails where they answer or show something different. Moments are
 * minutes since the beginning. Steps that concern nobody are steps too: both answer that there is nobody.
 */
export class Play {
  private readonly beginning: number
  private readonly workshops = new Map<City, Workshop>()
  private readonly lastTries = new Map<string, SignUp>()
  private keys = 0

  constructor(
    private readonly world: World,
    private readonly model: Model,
  ) {
    this.beginning = world.clock.now().getTime()
  }

  async announce({ oneSeatPerPerson, workshops }: Announcement) {
    const campaign = await this.world.campaign({ oneSeatPerPerson })
    for (const city of cities) {
      const announced = workshops[city]
      if (!announced) continue
      const { capacity, waitlist, startsAt, opensAt, closesAt, confirmHours, alone } = announced
      const workshop = await this.world.workshop({
        slug: city,
        campaignId: alone ? undefined : campaign.id,
        capacity,
        waitlist,
        confirmHours,
        ...this.span(startsAt),
        opensAt: opensAt === undefined ? null : this.moment(opensAt),
        closesAt: closesAt === undefined ? null : this.moment(closesAt),
      })
      this.workshops.set(city, workshop)
    }
  }

  /** Signs somebody up, with a key of its own. */
  signUp(person: Person, city: City) {
    return this.signUpTogether([[person, city]])
  }

  /** Signs somebody up at another server, whose clock is a minute behind. */
  async signUpElsewhere(person: Person, city: City) {
    await this.wait(-1)
    await this.signUp(person, city)
    await this.wait(1)
  }

  /** The last try of a person once more. */
  retry(person: Person) {
    const last = this.lastTries.get(person)
    return this.signUpTogether([last ? [person, last.city, last.key] : [person, 'shanghai']])
  }

  /** Signs several up in one statement. */
  async signUpTogether(entrants: Entrant[]) {
    const signUps = entrants.map(([person, city, key = `own ${++this.keys}`]) => ({ person, city, key }))
    for (const signUp of signUps) this.lastTries.set(signUp.person, signUp)
    await this.registerAtOnce(signUps)
  }

  async cancel(who: Who, by: By) {
    const registration = this.model.find(who)
    const answer = await cancelRegistration(this.world.deps, idOf(registration), by)
    await this.compare(answer, this.model.cancel(registration, by))
  }

  async takeOffer(who: Who) {
    const registration = this.model.find(who)
    const answer = await takeOffer(this.world.deps, idOf(registration))
    await this.compare(answer, this.model.takeOffer(registration))
  }

  async passOnOffers() {
    await this.compare(await passOnOffers(this.world.deps), this.model.passOnOffers())
  }

  async move(who: Who, to: City) {
    const registration = this.model.find(who)
    const answer = await moveRegistration(this.world.deps, idOf(registration), to)
    await this.compare(answer.kind === 'moved' ? answer.status : answer.refusal, this.model.move(registration, to))
  }

  async correctEmail(who: Who, to: Person) {
    const registration = this.model.find(who)
    const answer = await correctEmail(this.world.deps, idOf(registration), addressOf(to))
    const said = answer.kind === 'refused' ? answer.refusal : answer.kind
    await this.compare(said, this.model.correctEmail(registration, to))
  }

  async erase(who: Who, by: By) {
    const registration = this.model.find(who)
    const forgotten = await forgetPeople(this.world.deps, [idOf(registration)], by)
    await this.compare(forgotten, this.model.erase(registration, by))
  }

  async changeCapacity(city: City, capacity: number) {
    await this.change(city, { capacity }, this.model.changeWorkshop(city, { capacity }))
  }

  /** Switches the waitlist on or off; who waits goes on waiting. */
  async keepWaitlist(city: City, waitlist: boolean) {
    await this.change(city, { waitlist }, this.model.changeWorkshop(city, { waitlist }))
  }

  /** Has freed seats offered for so many hours from now on; with null they are given at once. */
  async offerFor(city: City, confirmHours: number | null) {
    await this.change(city, { confirmHours }, this.model.changeWorkshop(city, { confirmHours }))
  }

  async close(city: City) {
    await this.change(city, { state: 'closed' }, this.model.changeWorkshop(city, { state: 'closed' }))
  }

  async reopen(city: City) {
    await this.change(city, { state: 'published' }, this.model.changeWorkshop(city, { state: 'published' }))
  }

  /** Puts the start off, or forward, to so many minutes from now. */
  async startIn(city: City, minutes: number) {
    const startsAt = this.model.now + minutes
    await this.change(city, this.span(startsAt), this.model.changeWorkshop(city, { startsAt }))
  }

  async cancelWorkshop(city: City) {
    const answer = await cancelWorkshop(this.world.deps, city)
    await this.compare(answer.kind === 'refused' ? answer.refusal : answer.kind, this.model.cancelWorkshop(city))
  }

  /** Lets time pass. */
  async wait(minutes: number) {
    this.model.now += minutes
    this.world.clock.set(this.moment(this.model.now))
  }

  /** Lets time pass up to the instant at which something happens in a city, if that is still to come. */
  async waitUntil(event: Event, city: City) {
    const moment = this.model.momentOf(event, city)
    await this.wait(Math.max(0, (moment ?? 0) - this.model.now))
  }

  /** Compares what the tickets say, and lets doctor look for what must never be. */
  async end() {
    const ids = this.model.registrations.map(idOf)
    const tickets = await findRegistrations(this.world.deps, ids)
    const said = tickets.map(({ id, status, position }) => [id, sayStanding(status, position)])
    expect(Object.fromEntries(said), 'what the tickets say').toEqual(this.model.tickets())
    expect(await examine(this.world.deps), 'what doctor finds').toEqual([])
  }

  private async registerAtOnce(signUps: SignUp[]) {
    const answers = await this.askTogether(signUps)
    const decided = answers.filter(({ answer }) => answer !== 'undecided')
    const mailed = await this.ticketsMailed()
    const expected = this.model.signUpTogether(
      decided.map(({ signUp }) => signUp),
      (registration) => mailed.get(registration.id as string) ?? 0,
    )
    for (const [i, { registration }] of expected.entries()) if (registration) registration.id ??= decided[i]?.id
    await this.compare(
      decided.map(({ answer, id }) => ({ answer, id })),
      expected.map(({ answer, registration }) => ({ answer, id: registration?.id })),
    )
    // An answer that depends on a neighbour who was refused is given when it is asked for again.
    const undecided = answers.filter(({ answer }) => answer === 'undecided')
    expect(decided.length, 'sign-ups decided').toBeGreaterThan(0)
    if (undecided.length > 0) await this.registerAtOnce(undecided.map(({ signUp }) => signUp))
  }

  /** Hands in sign-ups as the desk does, all of them in one statement. */
  private async askTogether(signUps: SignUp[]) {
    const entries: Entry[] = []
    const { promise: answers, resolve, reject } = Promise.withResolvers<Answer[]>()
    const desk = async (entry: Entry) => {
      const n = entries.push(entry) - 1
      return (await answers)[n] as Answer
    }
    const asked = signUps.map(async (signUp) => {
      const answer = await register(
        { ...this.world.deps, desk },
        this.workshops.get(signUp.city) ?? unknownWorkshop(this.workshops),
        {
          name: signUp.person.toLowerCase(),
          email: addressOf(signUp.person),
          locale: 'en',
          ready: {},
          consentVersion: 'v',
        },
        signUp.key,
      )
      if (answer.kind === 'refused') return { signUp, answer: answer.refusal as string, id: undefined }
      const standing = sayStanding(answer.status, answer.position)
      return { signUp, answer: answer.replayed ? `${standing} again` : standing, id: answer.id }
    })
    const { db, deps } = this.world
    const handedIn = JSON.stringify(entries.map((entry, n) => ({ n, ...entry })))
    rows<Answer & { n: number }>(
      db,
      sql`select * from register(${handedIn}::jsonb, ${at(deps.now())}) order by n`,
    ).then(resolve, reject)
    return Promise.all(asked)
  }

  /** How many mails with tickets the service owes to each registration. */
  private async ticketsMailed(): Promise<Map<string, number>> {
    const found = await rows<{ id: string; n: number }>(
      this.world.db,
      sql`select registration_id as id, count(*)::int as n from mails where kind = 'found' group by registration_id`,
    )
    return new Map(found.map(({ id, n }) => [id, n]))
  }

  private async change(city: City, changes: WorkshopChanges, expected: string) {
    const answer = await changeWorkshop(this.world.deps, city, changes)
    if (answer.kind === 'changed') return this.compare('changed', expected)
    const taken = answer.refusal === 'capacity_below_taken' ? ` ${answer.taken}` : ''
    await this.compare(answer.refusal + taken, expected)
  }

  private async compare(answer: unknown, expected: unknown) {
    expect(answer, 'the answer').toEqual(expected)
    expect(await this.shown(), 'what is shown').toEqual(this.model.shown())
  }

  /** What the service shows, in the words of the model. */
  private async shown() {
    const found = await rows<StoredWorkshop>(
      this.world.db,
      sql`
        select w.slug, w.id, w.state, w.capacity, w.taken, w.waitlisted, coalesce((
          select json_agg(json_build_object(
            'seq', r.seq, 'email', r.email, 'status', r.status, 'by', r.cancelled_by, 'until', r.offered_until,
            'mails', (
              select json_agg(json_build_object('kind', m.kind, 'facts', m.facts, 'state', m.state) order by m.id)
              from mails m where m.registration_id = r.id
            )
          ) order by r.seq)
          from registrations r where r.workshop_id = w.id
        ), '[]') as registrations
        from workshops w`,
    )
    const cityOf = (id: string) => found.find((workshop) => workshop.id === id)?.slug
    const why = ({ by, corrected, from }: StoredMail['facts']) =>
      by ? `by ${by}` : corrected ? 'corrected' : from ? `from ${cityOf(from)}` : ''
    return Object.fromEntries(
      found.map(({ slug, state, capacity, taken, waitlisted, registrations }) => [
        slug,
        {
          state,
          capacity,
          taken,
          waitlisted,
          registrations: registrations.map(({ seq, email, status, by, until, mails }) => {
            const told = (mails ?? []).map((mail) => sayMail(mail.kind, why(mail.facts), mail.state === 'dead'))
            return sayRegistration(
              seq,
              email.replace(domain, ''),
              status,
              by,
              until === null ? null : this.minuteOf(until),
              told,
            )
          }),
        },
      ]),
    )
  }

  private span(startsAt: number) {
    return { startsAt: this.moment(startsAt), endsAt: this.moment(startsAt + duration) }
  }

  private minuteOf(moment: string): number {
    return (new Date(moment).getTime() - this.beginning) / 60_000
  }

  private moment(minutes: number): Date {
    return new Date(this.beginning + minutes * 60_000)
  }
}

type StoredMail = { kind: string; facts: { by?: string; corrected?: boolean; from?: string }; state: string }
type StoredRegistration = {
  seq: number
  email: string
  status: string
  by: string | null
  until: string | null
  mails: StoredMail[] | null
}
type StoredWorkshop = {
  slug: string
  id: string
  state: string
  capacity: number
  taken: number
  waitlisted: number
  registrations: StoredRegistration[]
}

const domain = '@example.com'
const addressOf = (person: Person) => person + domain

const nobody = '00000000-0000-7000-8000-ffffffffffff'

function idOf(registration: Registration | undefined): string {
  return registration?.id ?? nobody
}

function unknownWorkshop(known: Map<City, Workshop>): Workshop {
  return { ...(known.get('shanghai') as Workshop), id: nobody }
}
