import { paths } from '../../../src/http/links.ts'
import { type BenchContext, signUpPath } from '../context.ts'
import { measureAlternately, median } from '../statistics.ts'
import { comparison, measurement, type Row } from '../table.ts'
import { measureSignUpRate, warmUp } from './sign-ups.ts'

/** Latency of registrations: sequential, at half of the maximum rate, and in a rush. */
export async function measureLatency(context: BenchContext): Promise<Row[]> {
  const { sizes, rounds, load } = context
  const service = await context.service('main')
  const { port } = service
  await warmUp(context, service)

  context.log(`latency: ${rounds} rounds`)
  const { most: maxRate } = await measureAlternately(3, {
    most: () => measureSignUpRate(context, service, 1, sizes.signUps / 2),
  })
  const perSecond = Math.round(median(maxRate) / 2)
  const medians: number[] = []
  const measureSequential = async () => {
    const [slug = ''] = await service.publishWorkshops(1, sizes.sequentialSignUps)
    const requests = {
      kind: 'sign-ups' as const,
      paths: [signUpPath(slug)],
      count: sizes.sequentialSignUps,
      first: context.reservePeople(sizes.sequentialSignUps),
    }
    return (await service.sendLoad(requests, 1, 201)).p50
  }
  const measureHalfLoad = async () => {
    const count = perSecond * sizes.arrivalsSeconds
    const [slug = ''] = await service.publishWorkshops(1, Math.ceil(count / 2))
    const job = {
      port,
      path: signUpPath(slug),
      perSecond,
      seconds: sizes.arrivalsSeconds,
      first: context.reservePeople(count),
    }
    const { p50, p99, statuses } = await load.call('sendArrivals', job)
    if (statuses[201] !== count) throw new Error(`expected 201, got ${JSON.stringify(statuses)}`)
    medians.push(p50)
    return p99
  }
  const times = await measureAlternately(rounds, { sequential: measureSequential, halfLoad: measureHalfLoad })
  return [
    comparison({
      item: 'latency',
      what: `99th percentile of registrations at ${perSecond}/s`,
      unit: 'ms',
      figure: times.halfLoad,
      baseline: times.sequential,
      against: 'ms sequential, median',
      bar: { atMost: 10 },
      note: `median ${median(medians).toFixed(1)} ms`,
    }),
    ...(await measureVisitors(context)),
  ]
}

/** 5,000 people in ten seconds, more than there are seats, without a waitlist. */
async function measureVisitors(context: BenchContext): Promise<Row[]> {
  const { sizes, load } = context
  const service = await context.service('main')
  const seats = sizes.visitors * 0.8
  const [slug = ''] = await service.publishWorkshops(1, seats, { waitlist: false })
  const visitors = await load.call('simulateVisitors', {
    port: service.port,
    page: paths.workshop(slug),
    path: signUpPath(slug),
    people: sizes.visitors,
    seconds: sizes.visitorSeconds,
    first: context.reservePeople(sizes.visitors),
  })
  // A 409 is correct if every seat was confirmed to somebody.
  const { taken } = await service.callApi<{ taken: number }>('GET', `/workshops/${slug}/availability`)
  const [{ stored }] = await service.sql<[{ stored: number }]>`
    select count(*)::int as stored from registrations r join workshops w on w.id = r.workshop_id where w.slug = ${slug}`
  if (stored !== seats || visitors.statuses[201] !== seats) {
    throw new Error(`${stored} stored, ${taken} taken, responses ${JSON.stringify(visitors.statuses)}, ${seats} seats`)
  }
  const what = `${sizes.visitors} people in ${sizes.visitorSeconds} s`
  return [
    measurement({
      item: 'latency',
      what: `${what}: answered by the first request`,
      unit: 'of 1',
      figure: visitors.answered / sizes.visitors,
      bar: { atLeast: 0.95 },
      note: `responses ${JSON.stringify(visitors.statuses)}, 99th percentile ${Math.round(visitors.p99)} ms`,
    }),
    measurement({
      item: 'latency',
      what: `${what}: answered after a 503`,
      unit: 'of 1',
      figure: visitors.retried === 0 ? 1 : visitors.answeredLater / visitors.retried,
      bar: { atLeast: 1 },
      note: `${visitors.retried} got a 503`,
    }),
    measurement({
      item: 'latency',
      what: `${what}: longest wait`,
      unit: 'ms',
      figure: visitors.longestWait,
      bar: { atMost: 3000 },
    }),
  ]
}
