import { setTimeout as sleep } from 'node:timers/promises'
import { type Booking, type Campaign, isLive, type Person, type Workshop } from './bookings.ts'
import type { Findings } from './checks.ts'
import type { Day } from './day.ts'
import type { Answer, HttpClient, Request } from './http.ts'
import type { Journal } from './journal.ts'
import type { Random } from './random.ts'
import type { Service, Stage } from './stage.ts'

/** What everyone who takes part in a run shares. */
export type Run = {
  stage: Stage
  http: HttpClient
  journal: Journal
  findings: Findings
  campaigns: Campaign[]
  /** Workshops that organisers take back and publish. */
  spares: Workshop[]
  people: Person[]
  /** The rooms so far: each has a number of its own. */
  rooms: number
  /** Who was certainly registered all the time while all were told of another place, for each time. */
  tellings: Booking[][]
  /** The messages that were acknowledged, and to whom they certainly had to go. */
  written: { id: string; bookings: Booking[] }[]
  /** The months that were copied, with how many workshops. */
  copies: { id: string; workshops: number }[]
  day: Day
  /** How many operations are to be answered. */
  target: number
}

/** Where a request goes. Without a service, to one of the two as a balancer sends it. */
export type Ask = Request & { kind: string; to?: Service | undefined }

/** Longest time that a request may take, in milliseconds. */
const mostMilliseconds = 5_000

/** Asks the service, notes how it answered, and checks what must hold of every answer. */
export async function ask(run: Run, random: Random, { kind, to, ...request }: Ask): Promise<Answer> {
  const { stage, http, journal, findings } = run
  const service = to ?? balance(stage.services, random)
  const answer = await http.ask(service.server.url, request)
  const { status, headers } = answer
  // An export goes on for as long as there is more to come.
  const milliseconds = kind === 'export' ? answer.silence : answer.milliseconds
  journal.answered(kind, { ...answer, milliseconds }, codeOf(answer))
  const where = `${kind} of ${service.name}`
  findings.check('hang', milliseconds > mostMilliseconds && `${where}: ${status} after ${Math.round(milliseconds)} ms`)
  findings.check('fault500', typeof status === 'number' && status >= 500 && status !== 503 && `${where}: ${status}`)
  if (status === 503) findings.check('retryAfter', !(Number(headers['retry-after']) > 0) && where)
  // Whoever gets no answer takes a breath; without it most of a run would be requests to what is down.
  if (!isAnswered(answer)) await sleep(random.between(50, 400))
  return answer
}

/** A balancer knows of a process that is down, most of the time. */
function balance(services: Service[], random: Random): Service {
  const chosen = random.pick(services)
  return chosen.up || random.chance(0.1) ? chosen : (services.find(({ up }) => up) ?? chosen)
}

/** Whether the service said what it did; a 503 or no answer leaves it open. */
export const isAnswered = ({ status }: Answer) => typeof status === 'number' && status < 500

/** Whether the request cannot have reached the service. */
export const isUnsent = ({ status }: Answer) => status === 'refused'

/** Notes an answer that nothing can explain. */
export function unexpected({ findings }: Run, kind: string, answer: Answer): void {
  const { status, body } = answer
  // Those have checks of their own.
  if (typeof status !== 'number' || status >= 500) return
  findings.check('answers', `${kind}: ${status} ${codeOf(answer) ?? body.slice(0, 200)}`)
}

/** The code of a problem (RFC 9457), where there is one. */
export function codeOf({ headers, body }: Answer): string | undefined {
  if (!headers['content-type']?.startsWith('application/problem+json')) return undefined
  return (JSON.parse(body) as { code: string }).code
}

/** Somebody for whom nothing is under way and of whom this is so, among those who came last; or undefined. */
export function somebody({ people }: Run, random: Random, suits: (person: Person) => boolean): Person | undefined {
  const first = Math.max(0, people.length - 4000)
  for (let tries = 0; tries < 20 && people.length > 0; tries++) {
    const person = people[random.between(first, people.length - 1)] as Person
    if (!person.busy && suits(person)) return person
  }
  return undefined
}

/** Does something in a person's name while nobody else does. */
export async function inTheNameOf(person: Person, work: () => Promise<void>): Promise<void> {
  person.busy = true
  try {
    await work()
  } finally {
    person.busy = false
  }
}

/** A booking of that person with a ticket, live if there is one. */
export function bookingOf({ bookings }: Person): Booking | undefined {
  return bookings.findLast(isLive) ?? bookings.findLast(({ ticket }) => ticket)
}

/** One of the campaigns that are talked about just now: they come one after the other as the run goes on. */
export function campaignOfTheDay({ campaigns, journal, target }: Run, random: Random): Campaign {
  const latest = Math.min(campaigns.length - 1, Math.floor((journal.answers() / target) * campaigns.length))
  return campaigns[Math.max(0, latest - random.between(0, 2))] as Campaign
}

export function workshopOfTheDay(run: Run, random: Random): Workshop {
  return random.pick(campaignOfTheDay(run, random).workshops)
}
