import { type BenchContext, type Service, type ServiceLoadResult, signUpPath } from '../context.ts'
import { addWorkshop, prepareSingleTransactions } from '../load/single-transactions.ts'
import { measureAlternately, median } from '../statistics.ts'
import { comparison, type Row } from '../table.ts'

/**
 * Registrations per second over 64 connections, half of them waitlisted: `hot` on one workshop, compared with one
 * transaction each and with a route that only validates; `spread` over many workshops, compared with that route.
 */
export async function measureSignUps(context: BenchContext, mode: 'hot' | 'spread'): Promise<Row[]> {
  const { sizes, rounds } = context
  const service = await context.service('main')
  await warmUp(context, service)
  await copyServiceResponse(context, service)
  const single = mode === 'hot' ? await prepareTransactionBaselines(context) : undefined
  context.log(`${mode}: ${rounds} rounds`)

  const workshops = mode === 'hot' ? 1 : sizes.workshops
  const results: ServiceLoadResult[] = []
  const {
    registered = [],
    validated = [],
    ...inTransactions
  } = await measureAlternately<string>(rounds, {
    validated: () => measureValidatedRate(context, sizes.bareSignUps),
    registered: async () => {
      const result = await sendSignUps(context, service, workshops, sizes.signUps)
      results.push(result)
      return result.perSecond
    },
    ...single,
  })
  const row = {
    item: mode,
    what: mode === 'hot' ? 'registrations on one workshop' : `registrations over ${workshops} workshops`,
    unit: '/s',
    figure: registered,
  }
  const medianCpuMicros = (program: 'service' | 'postgres') =>
    Math.round(median(results.map(({ processor }) => processor[program])))
  const againstValidated = comparison({
    ...row,
    baseline: validated,
    against: '/s validated only',
    bar: { atLeast: 0.4 },
    note: `CPU per registration: service ${medianCpuMicros('service')} µs, Postgres ${medianCpuMicros('postgres')} µs`,
  })
  if (!single) return [againstValidated]

  const clients = Object.entries(inTransactions)
  return [
    comparison({
      ...row,
      baseline: registered.map((_, round) => Math.max(...clients.map(([, perSecond]) => perSecond[round] as number))),
      against: '/s with one transaction each',
      bar: { atLeast: 3 },
      note: clients.map(([name, perSecond]) => `${name} ${Math.round(median(perSecond))}/s`).join(', '),
    }),
    againstValidated,
  ]
}

/** Registrations per second in `sendSignUps`. */
export async function measureSignUpRate(...args: Parameters<typeof sendSignUps>): Promise<number> {
  return (await sendSignUps(...args)).perSecond
}

/** Signs people up for new workshops until half of them are waitlisted, and verifies the counters in the database. */
async function sendSignUps(
  context: BenchContext,
  service: Service,
  workshops: number,
  signUps: number,
): Promise<ServiceLoadResult> {
  const seats = signUps / workshops / 2
  const slugs = await service.publishWorkshops(workshops, seats)
  const result = await service.sendLoad(
    { kind: 'sign-ups', paths: slugs.map(signUpPath), count: signUps, first: context.reservePeople(signUps) },
    64,
    201,
  )
  const mismatches = await service.sql`
    select slug, taken, waitlisted from workshops
    where slug = any(${slugs}) and (taken <> ${seats} or waitlisted <> ${seats})`
  if (mismatches.length > 0) throw new Error(`unexpected counters: ${JSON.stringify(mismatches)}`)
  return result
}

/** Lets the JIT compile the hot paths; the first seconds are not representative. */
export async function warmUp(context: BenchContext, service: Service): Promise<void> {
  context.log('warming up')
  await measureSignUpRate(context, service, 1, context.sizes.signUps / 2)
}

/** Rate of the bare route that parses and validates. */
async function measureValidatedRate({ load, bare, reservePeople }: BenchContext, count: number): Promise<number> {
  const { perSecond, statuses } = await load.call('sendRequests', {
    port: bare.port,
    connections: 64,
    requests: { kind: 'sign-ups', paths: ['/sign-up'], count, first: reservePeople(count) },
  })
  if (statuses[201] !== count) throw new Error(`the bare route returned ${JSON.stringify(statuses)}`)
  return perSecond
}

/** Makes the bare route send the same response as the service. */
async function copyServiceResponse(context: BenchContext, service: Service): Promise<void> {
  const [slug] = await service.publishWorkshops(1, 1)
  const response = await service.server.request(signUpPath(slug as string), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() },
    body: JSON.stringify({ name: '学员', email: 'somebody@example.com', consent: true }),
  })
  await context.bare.call('setJson', (await response.json()) as object)
  await measureValidatedRate(context, context.sizes.bareSignUps / 4)
}

/** Rate with one transaction per registration, for 1, 8 and 64 clients, with half of the registrations waitlisted. */
async function prepareTransactionBaselines({ createEmptyDatabase, load, reservePeople, sizes }: BenchContext) {
  const url = await createEmptyDatabase('single_transactions')
  await prepareSingleTransactions(url)
  const count = sizes.transactions
  const perSecond = async (clients: number) =>
    load.call('runTransactions', {
      url,
      clients,
      count,
      workshop: await addWorkshop(url, count / 2),
      first: reservePeople(count),
    })
  return Object.fromEntries([1, 8, 64].map((clients) => [`${clients} clients`, () => perSecond(clients)]))
}
