import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { percentile } from '../statistics.ts'
import { type Connection, type HttpResponse, openConnection } from './connection.ts'
import { createPerson, encodeRequest, encodeSignUp } from './requests.ts'
import { registerOne } from './single-transactions.ts'
import { exposeFunctions } from './subprocess.ts'

/** Functions of the load generator, which runs in its own process. */
export type LoadGenerator = typeof loadGenerator

/** Requests in order. `first`: number of the first person; each sign-up is of a new person. */
export type RequestPlan =
  | { kind: 'sign-ups'; paths: string[]; count: number; first: number }
  | { kind: 'the same'; path: string; count: number }
  | { kind: 'list'; method: string; paths: string[]; token: string }

export type LoadResult = {
  seconds: number
  perSecond: number
  /** Request times in milliseconds. */
  p50: number
  p99: number
  statuses: Record<number, number>
}

const loadGenerator = {
  /** Sends all requests over this many connections, one at a time on each. */
  async sendRequests({ port, connections, requests }: { port: number; connections: number; requests: RequestPlan }) {
    const queue = encodeRequests(requests)
    const open = await Promise.all(Array.from({ length: connections }, () => openConnection(port)))
    const recorder = createLatencyRecorder()
    const startedAt = performance.now()
    await Promise.all(
      open.map(async (connection) => {
        for (let next = queue.pop(); next; next = queue.pop()) {
          const sentAt = performance.now()
          recorder.add(await connection.send(next), sentAt)
        }
      }),
    )
    return closeAll(open, recorder.summarize(startedAt))
  },

  /**
   * Sends sign-ups at random times, with this average rate, whether or not earlier ones have a response. Times count
   * from the arrival, so they include waiting for a connection.
   */
  async sendArrivals(job: { port: number; path: string; perSecond: number; seconds: number; first: number }) {
    const open = await Promise.all(Array.from({ length: 256 }, () => openConnection(job.port)))
    const free = [...open]
    const queue: ((connection: Connection) => void)[] = []
    const count = Math.round(job.perSecond * job.seconds)
    const requests = encodeRequests({ kind: 'sign-ups', paths: [job.path], count, first: job.first })
    const recorder = createLatencyRecorder()
    const startedAt = performance.now()
    await Promise.all(
      await scheduleRandomly(count, job.seconds, async (n, arrived) => {
        const connection = free.shift() ?? (await new Promise<Connection>((resolve) => queue.push(resolve)))
        recorder.add(await connection.send(requests[n] as Buffer), arrived)
        const next = queue.shift()
        if (next) next(connection)
        else free.push(connection)
      }),
    )
    return closeAll(open, recorder.summarize(startedAt))
  },

  /**
   * Visitors arrive at random times, each with a new connection: they open the page, sign up, and after a 503 retry
   * with the same key when Retry-After has passed.
   */
  async simulateVisitors(job: {
    port: number
    page: string
    path: string
    people: number
    seconds: number
    first: number
  }) {
    const results = { answered: 0, retried: 0, answeredLater: 0, statuses: {} as Record<number, number> }
    const waits: number[] = []
    await Promise.all(
      await scheduleRandomly(job.people, job.seconds, async (n, arrived) => {
        const connection = await openConnection(job.port)
        const page = await connection.send(encodeRequest('GET', job.page))
        if (page.status !== 200) throw new Error(`the page returned ${page.status}`)
        waits.push(performance.now() - arrived)
        const signUp = encodeSignUp(job.path, job.first + n)
        for (let tries = 1; ; tries++) {
          const sentAt = performance.now()
          const { status, head } = await connection.send(signUp)
          waits.push(performance.now() - sentAt)
          const retryAfter = /\r\nretry-after: *(\d+)/i.exec(head)?.[1]
          if (tries === 1 && status === 503) results.retried++
          if (status === 503 && retryAfter && tries < 4) {
            await sleep(Number(retryAfter) * 1000)
            continue
          }
          const isDecided = status === 201 || status === 409
          if (isDecided && tries === 1) results.answered++
          else if (isDecided) results.answeredLater++
          results.statuses[status] = (results.statuses[status] ?? 0) + 1
          break
        }
        connection.close()
      }),
    )
    return { ...results, longestWait: Math.max(...waits), p99: percentile(waits, 0.99) }
  },

  /** Registers people in one transaction each, directly in the database, over this many connections. */
  async runTransactions(job: { url: string; clients: number; count: number; workshop: string; first: number }) {
    const sql = postgres(job.url, { max: job.clients, onnotice: () => {} })
    // Opens all connections first, so that connecting is not measured.
    await Promise.all(Array.from({ length: job.clients * 2 }, () => sql`select pg_sleep(0.05)`))
    let next = 0
    const startedAt = performance.now()
    await Promise.all(
      Array.from({ length: job.clients }, async () => {
        for (let n = next++; n < job.count; n = next++)
          await registerOne(sql, job.workshop, createPerson(job.first + n))
      }),
    )
    const seconds = (performance.now() - startedAt) / 1000
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

/** Starts tasks at random times within a period. Returns their promises once the last one has started. */
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
    add({ status }: HttpResponse, sentAt: number) {
      times.push(performance.now() - sentAt)
      statuses[status] = (statuses[status] ?? 0) + 1
    },
    summarize(startedAt: number): LoadResult {
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
