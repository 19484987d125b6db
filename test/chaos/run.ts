import { setTimeout as sleep } from 'node:timers/promises'
import { type Booking, type Campaign, isActive, type Person, type Workshop } from './bookings.ts'
import type { Findings } from './checks.ts'
import type { Cluster, Service } from './cluster.ts'
import type { Day } from './day.ts'
import type { HttpClient, HttpRequest, HttpResponse } from './http.ts'
import type { Journal } from './journal.ts'
import type { Random } from './random.ts'

/** State shared by all parts of a run. */
export type Run = {
  cluster: Cluster
  http: HttpClient
  journal: Journal
  findings: Findings
  campaigns: Campaign[]
  /** Workshops to be unpublished and published. */
  spareWorkshops: Workshop[]
  people: Person[]
  /** Number of rooms so far; each has its own number. */
  roomCount: number
  /** For each venue change, the bookings that were certainly registered during it. */
  venueNotices: Booking[][]
  /** Acknowledged broadcasts with their certain recipients. */
  broadcasts: { id: string; bookings: Booking[] }[]
  /** Campaign copies with their number of workshops. */
  campaignCopies: { id: string; workshops: number }[]
  day: Day
  /** Number of operations to be answered. */
  targetOperations: number
}

/** A request to a service, or to one chosen by the load balancer. */
export type ServiceRequest = HttpRequest & { kind: string; service?: Service | undefined }

/** Maximum request time in milliseconds. */
const maxRequestMs = 5_000

/** Sends a request, records its result, and checks what must hold for every response. */
export async function sendRequest(
  run: Run,
  random: Random,
  { kind, service: to, ...request }: ServiceRequest,
): Promise<HttpResponse> {
  const { cluster, http, journal, findings } = run
  const service = to ?? pickService(cluster.services, random)
  const response = await http.send(service.server.url, request)
  const { status, headers } = response
  // An export may take longer, so only its gaps count.
  const milliseconds = kind === 'export' ? response.longestGap : response.milliseconds
  journal.record(kind, { ...response, milliseconds }, problemCode(response))
  const where = `${kind} of ${service.name}`
  findings.check('hang', milliseconds > maxRequestMs && `${where}: ${status} after ${Math.round(milliseconds)} ms`)
  findings.check('fault500', typeof status === 'number' && status >= 500 && status !== 503 && `${where}: ${status}`)
  if (status === 503) findings.check('retryAfter', !(Number(headers['retry-after']) > 0) && where)
  // Clients without an answer back off; otherwise most requests would go to a service that is down.
  if (!isAnswered(response)) await sleep(random.between(50, 400))
  return response
}

/** A load balancer mostly knows which process is down. */
function pickService(services: Service[], random: Random): Service {
  const service = random.pick(services)
  return service.up || random.chance(0.1) ? service : (services.find(({ up }) => up) ?? service)
}

/** Whether the service reported an outcome. A 503 or no response does not. */
export const isAnswered = ({ status }: HttpResponse) => typeof status === 'number' && status < 500

/** Whether the request cannot have reached the service. */
export const wasNotSent = ({ status }: HttpResponse) => status === 'refused'

/** Records an unexpected response. */
export function reportUnexpected({ findings }: Run, kind: string, response: HttpResponse): void {
  const { status, body } = response
  // These have their own checks.
  if (typeof status !== 'number' || status >= 500) return
  findings.check('answers', `${kind}: ${status} ${problemCode(response) ?? body.slice(0, 200)}`)
}

/** Problem code (RFC 9457) of a response, if any. */
export function problemCode({ headers, body }: HttpResponse): string | undefined {
  if (!headers['content-type']?.startsWith('application/problem+json')) return undefined
  return (JSON.parse(body) as { code: string }).code
}

/** A random recent person without an operation in progress who matches, or undefined. */
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

/** Runs a callback while the person is locked against other operations. */
export async function withPersonLocked(person: Person, callback: () => Promise<void>): Promise<void> {
  person.busy = true
  try {
    await callback()
  } finally {
    person.busy = false
  }
}

/** The latest active booking of a person, or else the latest with a ticket. */
export function latestBooking({ bookings }: Person): Booking | undefined {
  return bookings.findLast(isActive) ?? bookings.findLast(({ ticket }) => ticket)
}

/** One of the current campaigns, which change as the run progresses. */
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
