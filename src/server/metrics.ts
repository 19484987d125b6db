import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Deps } from '../domain/deps.ts'
import { countMails, findDeliveryPause } from '../domain/mails/outbox.ts'
import { countSeats } from '../domain/workshops/workshops.ts'

/**
 * Registers the metrics of /metrics: the process, HTTP responses, seats and mails. Sets `onResponse` and
 * `renderMetrics`.
 */
export function collectMetrics(deps: Deps): void {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'HTTP responses',
    labelNames: ['route', 'status'],
    registers,
  })
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to the response',
    labelNames: ['route'],
    buckets: [0.005, 0.02, 0.1, 0.5, 1, 3],
    registers,
  })
  new Gauge({
    name: 'baoming_seats',
    help: 'Seats of upcoming workshops',
    labelNames: ['kind'],
    registers,
    async collect() {
      for (const [kind, n] of Object.entries(await countSeats(deps))) this.set({ kind }, n)
    },
  })
  new Gauge({
    name: 'baoming_mails',
    help: 'Mails by state',
    labelNames: ['state'],
    registers,
    async collect() {
      const { states } = await countMails(deps)
      for (const [state, n] of Object.entries(states)) this.set({ state }, n)
    },
  })
  new Gauge({
    name: 'baoming_mail_oldest_due_seconds',
    help: 'How long the oldest mail has been due, except mails of paused broadcasts',
    registers,
    async collect() {
      this.set((await countMails(deps)).oldestDueSeconds)
    },
  })
  new Gauge({
    name: 'baoming_mail_delivery_paused',
    help: '1 while delivery is paused because the mail server refuses the content of mails',
    registers,
    async collect() {
      this.set((await findDeliveryPause(deps)) ? 1 : 0)
    },
  })
  // Cached, because looking a counter up by its labels takes longer than incrementing it.
  const counters = new Map<string, { count: Counter.Internal; time: Histogram.Internal<'route'> }>()
  deps.onResponse = (route = 'none', status, milliseconds) => {
    const name = `${status} ${route}`
    let counter = counters.get(name)
    if (!counter) {
      counter = { count: requests.labels({ route, status: String(status) }), time: durations.labels({ route }) }
      counters.set(name, counter)
    }
    counter.count.inc()
    counter.time.observe(milliseconds / 1000)
  }
  deps.renderMetrics = () => registry.metrics()
}
