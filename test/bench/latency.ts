import { paths } from '../../src/links.ts'
import { signUpsPerSecond, warmUp } from './sign-ups.ts'
import { type Stage, signUpPath } from './stage.ts'
import { inTurn, median } from './statistics.ts'
import { compared, measured, type Row } from './table.ts'

/** How long registrations take: alone, at half of what is possible at most, and when everybody comes at once. */
export async function measureLatency(stage: Stage): Promise<Row[]> {
  const { sizes, rounds, load } = stage
  const service = await stage.service('main')
  const { port } = service
  await warmUp(stage, service)

  stage.say(`latency: ${rounds} rounds`)
  const { most } = await inTurn(3, { most: () => signUpsPerSecond(stage, service, 1, sizes.signUps / 2) })
  const perSecond = Math.round(median(most) / 2)
  const medians: number[] = []
  const alone = async () => {
    const [slug = ''] = await service.publish(1, sizes.lonely)
    const requests = {
      kind: 'sign-ups' as const,
      paths: [signUpPath(slug)],
      count: sizes.lonely,
      first: stage.people(sizes.lonely),
    }
    return (await service.rush(requests, 1, 201)).p50
  }
  const atHalf = async () => {
    const count = perSecond * sizes.arrivalsSeconds
    const [slug = ''] = await service.publish(1, Math.ceil(count / 2))
    const job = { port, path: signUpPath(slug), perSecond, seconds: sizes.arrivalsSeconds, first: stage.people(count) }
    const { p50, p99, statuses } = await load.call('arrivals', job)
    if (statuses[201] !== count) throw new Error(`expected 201, got ${JSON.stringify(statuses)}`)
    medians.push(p50)
    return p99
  }
  const times = await inTurn(rounds, { alone, atHalf })
  return [
    compared({
      item: 'latency',
      what: `99 of 100 registrations, ${perSecond} arriving a second`,
      unit: 'ms',
      figure: times.atHalf,
      baseline: times.alone,
      against: 'ms alone, median',
      bar: { atMost: 10 },
      note: `median ${median(medians).toFixed(1)} ms`,
    }),
    ...(await measureCrowd(stage)),
  ]
}

/** 5,000 people in ten seconds, for whom there are not seats enough and no waitlist. */
async function measureCrowd(stage: Stage): Promise<Row[]> {
  const { sizes, load } = stage
  const service = await stage.service('main')
  const seats = sizes.crowd * 0.8
  const [slug = ''] = await service.publish(1, seats, { waitlist: false })
  const crowd = await load.call('crowd', {
    port: service.port,
    page: paths.workshop(slug),
    path: signUpPath(slug),
    people: sizes.crowd,
    seconds: sizes.crowdSeconds,
    first: stage.people(sizes.crowd),
  })
  // A 409 is true if every seat is really taken, by those who were told so.
  const { taken } = await service.ask<{ taken: number }>('GET', `/workshops/${slug}/availability`)
  const [{ stored }] = await service.sql<[{ stored: number }]>`
    select count(*)::int as stored from registrations r join workshops w on w.id = r.workshop_id where w.slug = ${slug}`
  if (stored !== seats || crowd.statuses[201] !== seats) {
    throw new Error(`${stored} stored, ${taken} taken, answers ${JSON.stringify(crowd.statuses)}, ${seats} seats`)
  }
  const what = `${sizes.crowd} people in ${sizes.crowdSeconds} s`
  return [
    measured({
      item: 'latency',
      what: `${what}: answered at once`,
      unit: 'of 1',
      figure: crowd.answered / sizes.crowd,
      bar: { atLeast: 0.95 },
      note: `answers ${JSON.stringify(crowd.statuses)}, 99 of 100 waits under ${Math.round(crowd.p99)} ms`,
    }),
    measured({
      item: 'latency',
      what: `${what}: told to come later and answered then`,
      unit: 'of 1',
      figure: crowd.later === 0 ? 1 : crowd.answeredLater / crowd.later,
      bar: { atLeast: 1 },
      note: `${crowd.later} were told`,
    }),
    measured({
      item: 'latency',
      what: `${what}: longest wait`,
      unit: 'ms',
      figure: crowd.longestWait,
      bar: { atMost: 3000 },
    }),
  ]
}
