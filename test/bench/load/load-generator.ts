import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { percentile } from '../statistics.ts'
import { type Connection, type HttpResponse, openConnection } from './connection.ts'
import { createPerson, encodeRequest, encodeSignUp } from './requests.ts'
import { registerOne } from './single-transactions.ts'
import { exposeFunctions } from './subprocess.ts'

/** What the load generator can be asked for, in a process of its own. */
export type LoadGenerator = typeof loadGenerator

/** What is asked, one request after the other. `first`: the number of the first person, new for each sign-up. */
export type RequestPlan =
  | { kind: 'sign-ups'; paths: string[]; count: number; first: number }
  | { kind: 'the same'; path: string; count: number }
  | { kind: 'list'; method: string; paths: string[]; token: string }

export type LoadResult = {
  seconds: number
  perSecond: number
  /** Milliseconds that requests took. */
  p50: number
  p99: number
  statuses: Record<number, number>
}

const loadGenerator = {
  /** So many connections, each with one request after the other until all are answered. */
  async sendRequests({ port, connections, requests }: { port: number; connections: number; requests: RequestPlan }) {
    const waiting = encodeRequests(requests)
    const open = await Promise.all(Array.from({ length: connections }, () => openConnection(port)))
    const tally = createLatencyRecorder()
    const begun = performance.now()
    await Promise.all(
      open.map(async (connection) => {
        for (let next = waiting.pop(); next; next = waiting.pop()) {
          const asked = performance.now()
          tally.add(await connection.send(next), asked)
        }
      }),
    )
    return closeAll(open, tally.rush(begun))
  },

  /**
   * Sign-ups that arrive at random moments, so many a second on average, whether or not those before have their answer.
   * Times count from the moment of arrival, so that waiting for a connection is part of them.
   */
  async sendArrivals(job: { port: number; path: string; perSecond: number; seconds: number; first: number }) {
    const open = await Promise.all(Array.from({ length: 256 }, () => openConnection(job.port)))
    const free = [...open]
    const waiting: ((connection: Connection) => void)[] = []
    const count = Math.round(job.perSecond * job.seconds)
    const requests = encodeRequests({ kind: 'sign-ups', paths: [job.path], count, first: job.first })
    const tally = createLatencyRecorder()
    const begun = performance.now()
    await Promise.all(
      await scheduleRandomly(count, job.seconds, async (n, arrived) => {
        const connection = free.shift() ?? (await new Promise<Connection>((resolve) => waiting.push(resolve)))
        tally.add(await connection.send(requests[n] as Buffer), arrived)
        const next = waiting.shift()
        if (next) next(connection)
        else free.push(connection)
      }),
    )
    return closeAll(open, tally.rush(begun))
  },

  /**
   * People who come at random moments, each over a new connection: they open the page, then sign up, and where they are
   * told to come again later they do, with the same key, until they are told something else.
   */
  async simulateVisitors(job: {
    port: number
    page: string
    path: string
    people: number
    seconds: number
    first: number
  }) {
    const told = { answered: 0, later: 0, answeredLater: 0, statuses: {} as Record<number, number> }
    const waits: number[] = []
    await Promise.all(
      await scheduleRandomly(job.people, job.seconds, async (n, arrived) => {
        const connection = await openConnection(job.port)
        const page = await connection.send(encodeRequest('GET', job.page))
        if (page.status !== 200) throw new Error(`the page answered ${page.status}`)
        waits.push(performance.now() - arrived)
        const signUp = encodeSignUp(job.path, job.first + n)
        for (let tries = 1; ; tries++) {
          const asked = performance.now()
          const { status, head } = await connection.send(signUp)
          waits.push(performance.now() - asked)
          const retryAfter = /\r\nretry-after: *(\d+)/i.exec(head)?.[1]
          if (tries === 1 && status === 503) told.later++
          if (status === 503 && retryAfter && tries < 4) {
            await sleep(Number(retryAfter) * 1000)
            continue
          }
          const known = status === 201 || status === 409
          if (known && tries === 1) told.answered++
          else if (known) told.answeredLater++
          told.statuses[status] = (told.statuses[status] ?? 0) + 1
          break
        }
        connection.close()
      }),
    )
    return { ...told, longestWait: Math.max(...waits), p99: percentile(waits, 0.99) }
  },

  /** Sign-ups in a transaction each, straight to the database, over so many connections. */
  async runTransactions(job: { url: string; clients: number; count: number; workshop: string; first: number }) {
    const sql = postgres(job.url, { max: job.clients, onnotice: () => {} })
    // A connection each from the start, with the statement known to it.
    await Promise.all(Array.from({ length: job.clients * 2 }, () => sql`select pg_sleep(0.05)`))
    let next = 0
    const begun = performance.now()
    await Promise.all(
      Array.from({ length: job.clients }, async () => {
        for (let n = next++; n < job.count; n = next++)
          await registerOne(sql, job.workshop, createPerson(job.first + n))
      }),
    )
    const seconds = (performance.now() - begun) / 1000
    await sql.end()
    return job.count / seconds
  },
}

exposeFunctions(loadGenerator)

function encodeRequests(requests: RequestPlan): Buffer[] {
  switch (requests.kind) {
    case 'sign-ups':
      return Array.from({ length: requests.count }, (_, n) =>
        encodeSignUp(requests.paths[n % requests.paths.length] as string, requests.first + n),
      )
    case 'the same':
      return Array(requests.count).fill(encodeRequest('GET', requests.path))
    case 'list':
      return requests.paths.map((path) =>
        encodeRequest(requests.method, path, { headers: { Authorization: `Bearer ${requests.token}` } }),
      )
  }
}

/** Starts so many pieces of work at random moments within a time, and gives them once the last one has begun. */
async function scheduleRandomly(
  count: number,
  seconds: number,
  work: (n: number, moment: number) => Promise<void>,
): Promise<Promise<void>[]> {
  const moments = Array.from({ length: count }, () => Math.random() * seconds * 1000).sort((a, b) => a - b)
  const startedAt = performance.now()
  const started: Promise<void>[] = []
  while (started.length < count) {
    const passed = performance.now() - startedAt
    for (let n = started.length; n < count && (moments[n] as number) <= passed; n++) {
      started.push(work(n, startedAt + (moments[n] as number)))
    }
    await sleep(1)
  }
  return started
}

function createLatencyRecorder() {
  const times: number[] = []
  const statuses: Record<number, number> = {}
  return {
    add({ status }: HttpResponse, asked: number) {
      times.push(performance.now() - asked)
      statuses[status] = (statuses[status] ?? 0) + 1
    },
    rush(startedAt: number): LoadResult {
      const seconds = (performance.now() - startedAt) / 1000
      const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)]
      return { seconds, perSecond: times.length / seconds, p50, p99, statuses }
    },
  }
}

function closeAll<T>(connections: Connection[], result: T): T {
  for (const connection of connections) connection.close()
  return result
}
