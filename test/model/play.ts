import { sql } from 'drizzle-orm'
import { expect } from 'vitest'
import { at, rows } from '../../src/db/database.ts'
import type { Answer, Entry } from '../../src/db/desk.ts'
import { announce } from '../../src/domain/announce.ts'
import type { Actor } from '../../src/domain/audit.ts'
import { type Campaign, findCampaignById } from '../../src/domain/campaigns.ts'
import { examine } from '../../src/domain/doctor.ts'
import { sendMessage } from '../../src/domain/messages.ts'
import { aMonthLater } from '../../src/domain/next-month.ts'
import { findAlike } from '../../src/domain/people.ts'
import {
  addPerson,
  cancelPerson,
  confirmPerson,
  correctPerson,
  findPerson,
  mergePerson,
  movePerson,
  promotePerson,
  tellApart,
} from '../../src/domain/person.ts'
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
  type Audience,
  type By,
  type City,
  cities,
  duration,
  type Event,
  firstVenue,
  Model,
  type Person,
  type Registration,
  type SignUp,
  type Status,
  sayCopy,
  sayMail,
  sayPerson,
  sayRegistration,
  sayStanding,
  sayTimeAndPlace,
  type Who,
} from './model.ts'

/** A sign-up as scripts write it; without a key it gets one of its own. */
export type Entrant = [person: Person, city: City, key?: string]

/** Announces workshops in a world, in which there is nothing else from then on, and in the model. */
export async function startPlay(world: World, announcement: Announcement): Promise<Play> {
  await world.db.execute(sql`truncate campaigns, workshops, messages, audit_entries restart identity cascade`)
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
  private campaign: Campaign | undefined
  private keys = 0
  /** What the last step was answered. */
  answered: unknown

  constructor(
    private readonly world: World,
    private readonly model: Model,
  ) {
    this.beginning = world.clock.now().getTime()
  }

  async announce({ oneSeatPerPerson, workshops }: Announcement) {
    const campaign = await this.world.campaign({ oneSeatPerPerson })
    this.campaign = campaign
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
        venue: { en: firstVenue },
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

  /** Takes a workshop back, for nobody to see. */
  async unpublish(city: City) {
    await this.change(city, { state: 'draft' }, this.model.changeWorkshop(city, { state: 'draft' }))
  }

  /** Puts the start off, or forward, to so many minutes from now. */
  async startIn(city: City, minutes: number, tell?: boolean) {
    const startsAt = this.model.now + minutes
    await this.change(city, this.span(startsAt), this.model.changeWorkshop(city, { startsAt }, tell), tell)
  }

  async changeVenue(city: City, venue: string, tell?: boolean) {
    await this.change(city, { venue: { en: venue } }, this.model.changeWorkshop(city, { venue }, tell), tell)
  }

  async cancelWorkshop(city: City) {
    const answer = await cancelWorkshop(this.world.deps, city)
    await this.compare(answer.kind === 'refused' ? answer.refusal : answer.kind, this.model.cancelWorkshop(city))
  }

  /** Gives somebody a seat before their turn. */
  async promote(who: Who, addSeat: boolean) {
    const registration = this.model.find(who)
    const person = await findPerson(this.world.deps, idOf(registration))
    const reason = `because of step ${++this.keys}`
    const answer = person && (await promotePerson(this.world.deps, organiser, person, { reason, addSeat }))
    const said =
      answer?.kind === 'refused'
        ? `${answer.refusal}${answer.refusal === 'full' ? ` ${answer.taken} of ${answer.capacity}` : ''}`
        : (answer?.kind ?? 'not_found')
    await this.compare(said, this.model.promote(registration, addSeat, reason))
  }

  /** Takes an offered seat for somebody who said that they come. */
  async confirmFor(who: Who) {
    const registration = this.model.find(who)
    const person = await findPerson(this.world.deps, idOf(registration))
    const answer = person ? await confirmPerson(this.world.deps, organiser, person) : 'not_found'
    await this.compare(answer, this.model.confirmPerson(registration))
  }

  /** Cancels one of two registrations that are one person's. */
  async merge(who: Who, into: Who) {
    const [registration, kept] = [this.model.find(who), this.model.find(into)]
    const [person, other] = [
      await findPerson(this.world.deps, idOf(registration)),
      await findPerson(this.world.deps, idOf(kept)),
    ]
    const answer = person && other ? await mergePerson(this.world.deps, organiser, person, other) : 'not_found'
    await this.compare(answer, this.model.merge(registration, kept))
  }

  /** Settles that those of one name are several people. */
  async tellApart(name: string) {
    const ids = this.model.namesakes(name).map(idOf)
    const found = await findRegistrations(this.world.deps, ids)
    const people = ids.flatMap((id) => found.find((one) => one.id === id) ?? [])
    await tellApart(this.world.deps, organiser, people)
    await this.compare(`${people.length} people`, this.model.tellApart(name))
  }

  /** Corrects the name, the address, or both. */
  async edit(who: Who, changes: { name?: string; person?: Person }) {
    const registration = this.model.find(who)
    const person = await findPerson(this.world.deps, idOf(registration))
    const email = changes.person === undefined ? person?.email : addressOf(changes.person)
    const answer =
      person &&
      (await correctPerson(this.world.deps, organiser, person, {
        name: changes.name ?? person.name,
        email: email as string,
        phone: person.phone,
        company: person.company,
      }))
    const said =
      answer?.kind === 'corrected' ? ['corrected', ...answer.fields].join(' ') : (answer?.refusal ?? 'not_found')
    await this.compare(said, this.model.edit(registration, changes))
  }

  /** Signs somebody up for whom an organiser vouches. The same key is the same form sent twice. */
  async addByHand(person: Person, city: City, key = `by hand ${++this.keys}`) {
    const workshop = this.workshops.get(city) ?? unknownWorkshop(this.workshops)
    const answer = await addPerson(this.world.deps, organiser, workshop, signUpOf(person), key)
    const [id, said] =
      answer.kind === 'refused'
        ? [undefined, answer.refusal]
        : [answer.id, `${sayStanding(answer.status, answer.position)}${answer.replayed ? ' again' : ''}`]
    const mailed = await this.ticketsMailed()
    const signUp = { person, city, key }
    const expected = this.model.addByHand(signUp, id, (registration) => mailed.get(registration.id as string) ?? 0)
    await this.compare(said, expected.answer)
  }

  /** Cancels several, one after the other. */
  async cancelTogether(several: Who[]) {
    await this.together(
      several,
      (person) => cancelPerson(this.world.deps, organiser, person),
      (registration) => this.model.cancelPerson(registration),
    )
  }

  /** Moves several, one after the other. */
  async moveTogether(several: Who[], to: City) {
    await this.together(
      several,
      async (person) => {
        const answer = await movePerson(this.world.deps, organiser, person, to)
        return answer.kind === 'moved' ? answer.status : answer.refusal
      },
      (registration) => this.model.movePerson(registration, to),
    )
  }

  /** Writes to the people of a city or of the campaign. The same number is the same message sent twice. */
  async send(message: number, of: Audience['of'], status?: Status) {
    const workshop = of === 'campaign' ? undefined : this.workshops.get(of)
    const { id: campaignId } = this.campaign as Campaign
    const campaign = await findCampaignById(this.world.deps, campaignId)
    const about = of === 'campaign' ? { campaignId } : { workshopId: workshop?.id as string }
    const workshops = of === 'campaign' ? (campaign?.workshops ?? []) : workshop ? [workshop] : []
    const answer =
      workshops.length > 0 &&
      (await sendMessage(this.world.deps, organiser, {
        id: idOfMany(1, message),
        subject: `${message} to ${of}`,
        body: '{{name}}, {{ticket}}',
        audience: { about, workshops, filter: { status } },
      }))
    const said = answer && (answer.kind === 'sent' ? `sent to ${answer.people}` : answer.refusal)
    await this.compare(said || 'nobody', workshops.length > 0 ? this.model.send(message, { of, status }) : 'nobody')
  }

  /** Copies the campaign into the next month. The same number is the same form sent twice. */
  async copyMonth(copy: number) {
    const { id } = this.campaign as Campaign
    const campaign = (await findCampaignById(this.world.deps, id)) as Campaign
    const { title, summary, oneSeatPerPerson } = campaign
    const announced = await announce(
      this.world.deps,
      idOfMany(2, copy),
      { title, summary, oneSeatPerPerson },
      campaign.workshops
        .filter(({ state }) => state !== 'cancelled')
        .map((workshop) => {
          const { title, city, venue, address, capacity, boards } = workshop
          return { title, city, venue, address, capacity, boards, ...aMonthLater(workshop) }
        }),
    )
    const said = announced.kind === 'announced' ? `${announced.campaign.workshops.length} workshops` : announced.refusal
    await this.compare(
      said,
      this.model.copyMonth(copy, (startsAt) => this.sameWeekdayNextMonth(startsAt)),
    )
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
        signUpOf(signUp.person),
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

  /** Does something to several, in the order in which the model knows them, whoever was named twice once. */
  private async together(
    several: Who[],
    act: (person: NonNullable<Awaited<ReturnType<typeof findPerson>>>) => Promise<string>,
    inModel: (registration: Registration) => string,
  ) {
    const registrations = [...new Set(several.flatMap((who) => this.model.find(who) ?? []))]
    const found = await findRegistrations(this.world.deps, registrations.map(idOf))
    const answers: string[] = []
    for (const { id } of registrations) {
      const person = found.find((one) => one.id === id)
      answers.push(person ? await act(person as Parameters<typeof act>[0]) : 'not_found')
    }
    const expected = registrations.map(inModel)
    await this.compare(answers.join(', '), expected.join(', '))
  }

  /** In four weeks or in five: where it is as manieth of its weekday in its month as before, or else the fourth. */
  private sameWeekdayNextMonth(startsAt: number): number {
    const manieth = (minute: number) => {
      const inShanghai = new Date(this.moment(minute).getTime() + 8 * 3_600_000)
      return Math.ceil(inShanghai.getUTCDate() / 7)
    }
    const [inFour, inFive] = [startsAt + 28 * 24 * 60, startsAt + 35 * 24 * 60] as const
    return manieth(inFive) === manieth(startsAt) && manieth(inFour) !== manieth(startsAt) ? inFive : inFour
  }

  private async change(city: City, changes: WorkshopChanges, expected: string, tell?: boolean) {
    const answer = await changeWorkshop(this.world.deps, city, changes, { tell: tell ?? false })
    if (answer.kind === 'changed') return this.compare('changed', expected)
    const taken = answer.refusal === 'capacity_below_taken' ? ` ${answer.taken}` : ''
    await this.compare(answer.refusal + taken, expected)
  }

  private async compare(answer: unknown, expected: unknown) {
    this.answered = answer
    expect(answer, 'the answer').toEqual(expected)
    expect(await this.shown(), 'what is shown').toEqual(this.model.shown())
  }

  /** What the service shows, in the words of the model. */
  private async shown() {
    const found = await rows<StoredWorkshop>(
      this.world.db,
      sql`
        select w.slug, w.id, w.campaign_id, w.state, w.starts_at, w.venue, w.capacity, w.taken, w.waitlisted, coalesce((
          select json_agg(json_build_object(
            'seq', r.seq, 'name', r.name, 'email', r.email, 'status', r.status, 'by', r.cancelled_by,
            'until', r.offered_until, 'outOfTurn', r.out_of_turn, 'toldApart', r.told_apart,
            'mails', (
              select json_agg(json_build_object(
                'kind', m.kind, 'facts', m.facts, 'state', m.state,
                'subject', (select subject from messages where id = m.written_id)
              ) order by m.id)
              from mails m where m.registration_id = r.id
            )
          ) order by r.seq)
          from registrations r where r.workshop_id = w.id
        ), '[]') as registrations
        from workshops w`,
    )
    const cityOf = (id: string) => found.find((workshop) => workshop.id === id)?.slug
    const why = ({ facts: { by, corrected, from, before }, subject }: StoredMail) => {
      if (before) return sayTimeAndPlace(this.minuteOf(before.startsAt), before.venue.en)
      return subject ?? (by ? `by ${by}` : corrected ? 'corrected' : from ? `from ${cityOf(from)}` : '')
    }
    const known = found.filter(({ slug }) => (cities as readonly string[]).includes(slug))
    const stored = Object.fromEntries(
      known.map(({ slug, state, starts_at, venue, capacity, taken, waitlisted, registrations }) => [
        slug,
        {
          state,
          when: sayTimeAndPlace(this.minuteOf(starts_at), venue.en),
          capacity,
          taken,
          waitlisted,
          registrations: registrations.map((one) => {
            const { seq, name, email, status, by, until, outOfTurn, toldApart, mails } = one
            const told = (mails ?? []).map((mail) => sayMail(mail.kind, why(mail), mail.state === 'dead'))
            const who = sayPerson({ name, person: email.replace(domain, ''), outOfTurn, toldApart })
            return sayRegistration(seq, who, status, by, until === null ? null : this.minuteOf(until), told)
          }),
        },
      ]),
    )
    const copies = found
      .filter((workshop) => !known.includes(workshop))
      .map((copy) => sayCopy(this.minuteOf(copy.starts_at), copy.venue.en, copy.capacity, copy.state, copy))
    return { ...stored, copies: copies.sort(), logged: await this.writtenDown(), alike: await this.alike() }
  }

  /** The audit log, with addresses as the model knows them. */
  private async writtenDown() {
    const entries = await rows(
      this.world.db,
      sql`select action, registration_id as id, facts, personal as told from audit_entries e order by e.id`,
    )
    return JSON.parse(JSON.stringify(entries).replaceAll(domain, '')) as object[]
  }

  /** The registrations of the campaign that may be one person's, each group with whoever should stay first. */
  private async alike() {
    const { id } = this.campaign as Campaign
    const workshops = [...this.workshops.values()].filter(({ campaignId }) => campaignId === id)
    return (await findAlike(this.world.deps, workshops)).map(({ people }) => people.map(({ id }) => id)).sort()
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

type StoredMail = {
  kind: string
  facts: {
    by?: string
    corrected?: boolean
    from?: string
    before?: { startsAt: string; venue: { en: string } }
  }
  state: string
  /** Of a message. */
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
const addressOf = (person: Person) => person + domain

const organiser: Actor = { name: 'the organiser' }

function signUpOf(person: Person) {
  return { name: person.toLowerCase(), email: addressOf(person), locale: 'en', ready: {}, consentVersion: 'v' }
}

/** An id for the n-th of a kind of things, apart from those that the world counts. */
function idOfMany(kind: number, n: number): string {
  return `00000000-0000-7000-9000-${kind}${n.toString().padStart(11, '0')}`
}

const nobody = '00000000-0000-7000-8000-ffffffffffff'

function idOf(registration: Registration | undefined): string {
  return registration?.id ?? nobody
}

function unknownWorkshop(known: Map<City, Workshop>): Workshop {
  return { ...(known.get('shanghai') as Workshop), id: nobody }
}
