import { setTimeout as sleep } from 'node:timers/promises'
import { type Booking, type Campaign, isActive, type Person, type Workshop } from './bookings.ts'
import type { Findings } from './checks.ts'
import type { Cluster, Service } from './cluster.ts'
import type { Day } from './day.ts'
import type { HttpClient, HttpRequest, HttpResponse } from './http.ts'
import type { Journal } from './journal.ts'
import type { Random } from './random.ts'

/** What everyone who takes part in a run shares. */
export type Run = {
  cluster: Cluster
  http: HttpClient
  journal: Journal
  findings: Findings
  campaigns: Campaign[]
  /** Workshops that organisers take back and publish. */
  spareWorkshops: Workshop[]
  people: Person[]
  /** The rooms so far: each has a number of its own. */
  roomCount: number
  /** Who was certainly registered all the time while all were told of another place, for each time. */
  venueNotices: Booking[][]
  /** The messages that were acknowledged, and to whom they certainly had to go. */
  broadcasts: { id: string; bookings: Booking[] }[]
  /** The months that were copied, with how many workshops. */
  campaignCopies: { id: string; workshops: number }[]
  day: Day
  /** How many operations are to be answered. */
  targetOperations: number
}

/** Where a request goes. Without a service, to one of the two as a balancer sends it. */
export type ServiceRequest = HttpRequest & { kind: string; service?: Service | undefined }

/** Longest time that a request may take, in milliseconds. */
const maxRequestMs = 5_000

/** Asks the service, notes how it answered, and checks what must hold of every answer. */
export async function sendRequest(
  run: Run,
  random: Random,
  { kind, service: to, ...request }: ServiceRequest,
): Promise<HttpResponse> {
  const { cluster, http, journal, findings } = run
  const service = to ?? pickService(cluster.services, random)
  const response = await http.send(service.server.url, request)
  const { status, headers } = response
  // An export goes on for as long as there is more to come.
  const milliseconds = kind === 'export' ? response.longestGap : response.milliseconds
  journal.record(kind, { ...response, milliseconds }, problemCode(response))
  const where = `${kind} of ${service.name}`
  findings.check('hang', milliseconds > maxRequestMs && `${where}: ${status} after ${Math.round(milliseconds)} ms`)
  findings.check('fault500', typeof status === 'number' && status >= 500 && status !== 503 && `${where}: ${status}`)
  if (status === 503) findings.check('retryAfter', !(Number(headers['retry-after']) > 0) && where)
  // Whoever gets no answer takes a breath; without it most of a run would be requests to what is down.
  if (!isAnswered(response)) await sleep(random.between(50, 400))
  return response
}

/** A balancer knows of a process that is down, most of the time. */
function pickService(services: Service[], random: Random): Service {
  const service = random.pick(services)
  return service.up || random.chance(0.1) ? service : (services.find(({ up }) => up) ?? service)
}

/** Whether the service said what it did; a 503 or no answer leaves it open. */
export const isAnswered = ({ status }: HttpResponse) => typeof status === 'number' && status < 500

/** Whether the request cannot have reached the service. */
export const wasNotSent = ({ status }: HttpResponse) => status === 'refused'

/** Notes an answer that nothing can explain. */
export function reportUnexpected({ findings }: Run, kind: string, response: HttpResponse): void {
  const { status, body } = response
  // Those have checks of their own.
  if (typeof status !== 'number' || status >= 500) return
  findings.check('answers', `${kind}: ${status} ${problemCode(response) ?? body.slice(0, 200)}`)
}

/** The code of a problem (RFC 9457), where there is one. */
export function problemCode({ headers, body }: HttpResponse): string | undefined {
  if (!headers['content-type']?.startsWith('application/problem+json')) return undefined
  return (JSON.parse(body) as { code: string }).code
}

/** Somebody for whom nothing is under way and of whom this is so, among those who came last; or undefined. */
export function pickIdlePerson(
  { people }: Run,
  random: Random,
  matches: (person: Person) => boolean,
): Person | undefined {
  const first = Math.max(0, people.length - 4000)
  for (let tries = 0; tries < 20 && people.length > 0; tries++) {
    const person = people[random.between(first, people.length - 1)] as Person
    if (!person.busy && matches(person)) return person
  }
  return undefined
}

/** Does something in a person's name while nobody else does. */
export async function withPersonLocked(person: Person, callback: () => Promise<void>): Promise<void> {
  person.busy = true
  try {
    await callback()
  } finally {
    person.busy = false
  }
}

/** A booking of that person with a ticket, live if there is one. */
export function latestBooking({ bookings }: Person): Booking | undefined {
  return bookings.findLast(isActive) ?? bookings.findLast(({ ticket }) => ticket)
}

/** One of the campaigns that are talked about just now: they come one after the other as the run goes on. */
export function pickCurrentCampaign({ campaigns, journal, targetOperations }: Run, random: Random): Campaign {
  const latest = Math.min(
    campaigns.length - 1,
    Math.floor((journal.answeredCount() / targetOperations) * campaigns.length),
  )
  return campaigns[Math.max(0, latest - random.between(0, 2))] as Campaign
}

export function pickCurrentWorkshop(run: Run, random: Random): Workshop {
  return random.pick(pickCurrentCampaign(run, random).workshops)
}
