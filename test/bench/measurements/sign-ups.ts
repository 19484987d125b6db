import { type BenchContext, type Service, type ServiceLoadResult, signUpPath } from '../context.ts'
import { addWorkshop, prepareSingleTransactions } from '../load/single-transactions.ts'
import { measureAlternately, median } from '../statistics.ts'
import { comparison, type Row } from '../table.ts'

/**
 * Registrations a second over 64 connections, half of them to the waitlist: `hot` on one workshop, against a transaction
 * each and against a route that only validates; `spread` over many workshops, against that route.
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
  const medianCpuMicros = (of: 'service' | 'postgres') =>
    Math.round(median(results.map(({ processor }) => processor[of])))
  const againstValidated = comparison({
    ...row,
    baseline: validated,
    against: '/s validated only',
    bar: { atLeast: 0.4 },
    note: `processor for each: service ${medianCpuMicros('service')} µs, Postgres ${medianCpuMicros('postgres')} µs`,
  })
  if (!single) return [againstValidated]

  const clients = Object.entries(inTransactions)
  return [
    comparison({
      ...row,
      baseline: registered.map((_, round) => Math.max(...clients.map(([, perSecond]) => perSecond[round] as number))),
      against: '/s in a transaction each',
      bar: { atLeast: 3 },
      note: clients.map(([name, perSecond]) => `${name} ${Math.round(median(perSecond))}/s`).join(', '),
    }),
    againstValidated,
  ]
}

/** Registrations a second, as `rushOfSignUps` makes them. */
export async function measureSignUpRate(...how: Parameters<typeof sendSignUps>): Promise<number> {
  return (await sendSignUps(...how)).perSecond
}

/** Signs people up for new workshops until half of them wait, and looks whether that is what the database says. */
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
  if (mismatches.length > 0) throw new Error(`not everyone is registered: ${JSON.stringify(mismatches)}`)
  return result
}

/** The service compiles what is used often; the first seconds are not what it is like. */
export async function warmUp(context: BenchContext, service: Service): Promise<void> {
  context.log('warming up')
  await measureSignUpRate(context, service, 1, context.sizes.signUps / 2)
}

/** Requests a second that the bare route answers which parses and validates. */
async function measureValidatedRate({ load, bare, reservePeople }: BenchContext, count: number): Promise<number> {
  const { perSecond, statuses } = await load.call('sendRequests', {
    port: bare.port,
    connections: 64,
    requests: { kind: 'sign-ups', paths: ['/sign-up'], count, first: reservePeople(count) },
  })
  if (statuses[201] !== count) throw new Error(`the bare route answered ${JSON.stringify(statuses)}`)
  return perSecond
}

/** Lets the bare route answer what the service answers, byte for byte as long. */
async function copyServiceResponse(context: BenchContext, service: Service): Promise<void> {
  const [slug] = await service.publishWorkshops(1, 1)
  const response = await service.server.request(signUpPath(slug as string), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() },
    body: JSON.stringify({ name: '学员', email: 'somebody@example.com', consent: true }),
  })
  await context.bare.call('answerJson', (await response.json()) as object)
  await measureValidatedRate(context, context.sizes.bareSignUps / 4)
}

/** Registrations a second in a transaction each, for 1, 8 and 64 clients, on workshops of which half have to wait. */
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
  return Object.fromEntries([1, 8, 64].map((clients) => [`with ${clients}`, () => perSecond(clients)]))
}
