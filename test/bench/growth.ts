import { paths } from '../../src/links.ts'
import { fill } from './fill.ts'
import type { Requests } from './load.ts'
import { signUpsPerSecond } from './sign-ups.ts'
import { type Service, type Stage, signUpPath } from './stage.ts'
import { inTurn } from './statistics.ts'
import { compared, type Row } from './table.ts'

/** The databases with little and with much in them: their services and the workshops that are looked at. */
export type Grown = {
  few: Service
  many: Service
  /** As large as the workshop in `few`. */
  small: string
  /** A tenth of everything is in it. */
  large: string
}

/**
 * What the service does with few registrations stored and with many, on databases that were never analysed and again
 * after ANALYZE. Workshops of the same size are compared, and then one that is a hundred times as large.
 */
export async function measureGrowth(stage: Stage): Promise<Row[]> {
  const { sizes } = stage
  const grown = await openGrown(stage)
  stage.say('growth: warming up')
  for (const service of [grown.few, grown.many]) await signUpsPerSecond(stage, service, 1, sizes.signUps)

  const neverAnalysed = await measureOnce(stage, grown, 'never analysed')
  for (const { sql } of [grown.few, grown.many]) await sql`analyze`
  return [...neverAnalysed, ...(await measureOnce(stage, grown, 'analysed'))]
}

const opened = new WeakMap<Stage, Promise<Grown>>()

/** Fills both databases. Asked for again, it gives the same. */
export function openGrown(stage: Stage): Promise<Grown> {
  const grown = opened.get(stage) ?? openAndFill(stage)
  opened.set(stage, grown)
  return grown
}

async function openAndFill(stage: Stage): Promise<Grown> {
  const { storedFew, storedMany, inOneWorkshop } = stage.sizes
  const each = { registrationsEach: storedFew, mails: 'sent' as const }
  const begun = performance.now()
  const few = await stage.service('few')
  await fill(few.sql, await firstRegistration(stage, few), { ...each, slug: 'stored', workshops: 1 })
  const many = await stage.service('many')
  const like = await firstRegistration(stage, many)
  await fill(many.sql, like, { ...each, slug: 'stored', workshops: (storedMany - inOneWorkshop) / storedFew })
  await fill(many.sql, like, { ...each, slug: 'large', workshops: 1, registrationsEach: inOneWorkshop })
  stage.say(`growth: stored ${storedMany} registrations in ${Math.round((performance.now() - begun) / 1000)} s`)
  return { few, many, small: 'stored-1', large: 'large-1' }
}

/** A registration that the service stores itself, for the others to be copies of. The planner is to know nothing. */
async function firstRegistration(stage: Stage, service: Service): Promise<string> {
  for (const table of ['campaigns', 'workshops', 'registrations', 'mails']) {
    await service.sql.unsafe(`alter table ${table} set (autovacuum_enabled = false)`)
  }
  const [slug = ''] = await service.publish(1, 2)
  await service.rush({ kind: 'sign-ups', paths: [signUpPath(slug)], count: 1, first: stage.people(1) }, 1, 201)
  const [{ id }] = await service.sql<[{ id: string }]>`select id from registrations`
  return id
}

async function measureOnce(stage: Stage, { few, many, small, large }: Grown, planner: string): Promise<Row[]> {
  const { sizes, rounds } = stage
  const alone = (service: Service, requests: Requests) => service.rush(requests, 1, 200).then((rush) => rush.perSecond)
  const roster = (service: Service, slug: string) =>
    alone(service, {
      kind: 'list',
      method: 'GET',
      paths: Array(sizes.rosterPages).fill(signUpPath(slug)),
      token: service.token,
    })
  const availability = (service: Service, slug: string) =>
    alone(service, { kind: 'the same', path: paths.availability(slug), count: sizes.availabilities / 2 })
  const promotion = async (service: Service, slug: string) => {
    const confirmed = await service.sql`
      select r.id from registrations r join workshops w on w.id = r.workshop_id
      where w.slug = ${slug} and r.status = 'confirmed' order by r.seq limit ${sizes.promotions}`
    const cancels = confirmed.map(({ id }) => `${paths.api()}/registrations/${id}/cancel`)
    return alone(service, { kind: 'list', method: 'POST', paths: cancels, token: service.token })
  }

  stage.say(`growth: ${rounds} rounds, ${planner}`)
  const measured = await inTurn(rounds, {
    signUpsFew: () => signUpsPerSecond(stage, few, 1, sizes.signUps),
    signUpsMany: () => signUpsPerSecond(stage, many, 1, sizes.signUps),
    rosterFew: () => roster(few, small),
    rosterMany: () => roster(many, small),
    rosterLarge: () => roster(many, large),
    availabilityFew: () => availability(few, small),
    availabilityMany: () => availability(many, small),
    availabilityLarge: () => availability(many, large),
    promotionFew: () => promotion(few, small),
    promotionMany: () => promotion(many, small),
    promotionLarge: () => promotion(many, large),
  })

  const count = (n: number) => n.toLocaleString('en')
  const stored = `${count(sizes.storedMany)} stored, ${planner}`
  const larger = `${stored}, ${count(sizes.inOneWorkshop)} of them in its workshop`
  const row = (what: string, figure: number[], baseline: number[]) =>
    compared({
      item: 'growth',
      what,
      unit: '/s',
      figure,
      baseline,
      against: `/s with ${count(sizes.storedFew)}`,
      bar: { atLeast: 0.9 },
    })
  return [
    row(`registrations, ${stored}`, measured.signUpsMany, measured.signUpsFew),
    row(`attendee list, first page, ${stored}`, measured.rosterMany, measured.rosterFew),
    row(`attendee list, first page, ${larger}`, measured.rosterLarge, measured.rosterFew),
    row(`availability, ${stored}`, measured.availabilityMany, measured.availabilityFew),
    row(`availability, ${larger}`, measured.availabilityLarge, measured.availabilityFew),
    row(`cancel and promote, ${stored}`, measured.promotionMany, measured.promotionFew),
    row(`cancel and promote, ${larger}`, measured.promotionLarge, measured.promotionFew),
  ]
}
