import { addWorkshop, prepareSingleTransactions } from './single-transactions.ts'
import { type Service, type ServiceRush, type Stage, signUpPath } from './stage.ts'
import { inTurn, median } from './statistics.ts'
import { compared, type Row } from './table.ts'

/**
 * Registrations a second over 64 connections, half of them to the waitlist: `hot` on one workshop, against a transaction
 * each and against a route that only validates; `spread` over many workshops, against that route.
 */
export async function measureSignUps(stage: Stage, how: 'hot' | 'spread'): Promise<Row[]> {
  const { sizes, rounds } = stage
  const service = await stage.service('main')
  await warmUp(stage, service)
  await answerAsTheService(stage, service)
  const single = how === 'hot' ? await openSingleTransactions(stage) : undefined
  stage.say(`${how}: ${rounds} rounds`)

  const workshops = how === 'hot' ? 1 : sizes.workshops
  const rushes: ServiceRush[] = []
  const {
    registered = [],
    validated = [],
    ...inTransactions
  } = await inTurn<string>(rounds, {
    validated: () => validatedPerSecond(stage, sizes.bareSignUps),
    registered: async () => {
      const rush = await rushOfSignUps(stage, service, workshops, sizes.signUps)
      rushes.push(rush)
      return rush.perSecond
    },
    ...single,
  })
  const row = {
    item: how,
    what: how === 'hot' ? 'registrations on one workshop' : `registrations over ${workshops} workshops`,
    unit: '/s',
    figure: registered,
  }
  const micros = (of: 'service' | 'postgres') => Math.round(median(rushes.map(({ processor }) => processor[of])))
  const againstValidated = compared({
    ...row,
    baseline: validated,
    against: '/s validated only',
    bar: { atLeast: 0.4 },
    note: `processor for each: service ${micros('service')} µs, Postgres ${micros('postgres')} µs`,
  })
  if (!single) return [againstValidated]

  const clients = Object.entries(inTransactions)
  return [
    compared({
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
export async function signUpsPerSecond(...how: Parameters<typeof rushOfSignUps>): Promise<number> {
  return (await rushOfSignUps(...how)).perSecond
}

/** Signs people up for new workshops until half of them wait, and looks whether that is what the database says. */
async function rushOfSignUps(stage: Stage, service: Service, workshops: number, signUps: number): Promise<ServiceRush> {
  const seats = signUps / workshops / 2
  const slugs = await service.publish(workshops, seats)
  const rush = await service.rush(
    { kind: 'sign-ups', paths: slugs.map(signUpPath), count: signUps, first: stage.people(signUps) },
    64,
    201,
  )
  const wrong = await service.sql`
    select slug, taken, waitlisted from workshops
    where slug = any(${slugs}) and (taken <> ${seats} or waitlisted <> ${seats})`
  if (wrong.length > 0) throw new Error(`not everyone is registered: ${JSON.stringify(wrong)}`)
  return rush
}

/** The service compiles what is used often; the first seconds are not what it is like. */
export async function warmUp(stage: Stage, service: Service): Promise<void> {
  stage.say('warming up')
  await signUpsPerSecond(stage, service, 1, stage.sizes.signUps / 2)
}

/** Requests a second that the bare route answers which parses and validates. */
async function validatedPerSecond({ load, bare, people }: Stage, count: number): Promise<number> {
  const { perSecond, statuses } = await load.call('rush', {
    port: bare.port,
    connections: 64,
    requests: { kind: 'sign-ups', paths: ['/sign-up'], count, first: people(count) },
  })
  if (statuses[201] !== count) throw new Error(`the bare route answered ${JSON.stringify(statuses)}`)
  return perSecond
}

/** Lets the bare route answer what the service answers, byte for byte as long. */
async function answerAsTheService(stage: Stage, service: Service): Promise<void> {
  const [slug] = await service.publish(1, 1)
  const answer = await service.server.request(signUpPath(slug as string), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() },
    body: JSON.stringify({ name: '学员', email: 'somebody@example.com', consent: true }),
  })
  await stage.bare.call('answerJson', (await answer.json()) as object)
  await validatedPerSecond(stage, stage.sizes.bareSignUps / 4)
}

/** Registrations a second in a transaction each, for 1, 8 and 64 clients, on workshops of which half have to wait. */
async function openSingleTransactions({ emptyDatabase, load, people, sizes }: Stage) {
  const url = await emptyDatabase('single_transactions')
  await prepareSingleTransactions(url)
  const count = sizes.transactions
  const perSecond = async (clients: number) =>
    load.call('transactions', {
      url,
      clients,
      count,
      workshop: await addWorkshop(url, count / 2),
      first: people(count),
    })
  return Object.fromEntries([1, 8, 64].map((clients) => [`with ${clients}`, () => perSecond(clients)]))
}
