import { paths } from '../../../src/http/links.ts'
import { type BenchContext, type Service, signUpPath } from '../context.ts'
import { fillDatabase } from '../fill-database.ts'
import type { RequestPlan } from '../load/load-generator.ts'
import { measureAlternately } from '../statistics.ts'
import { comparison, type Row } from '../table.ts'
import { measureSignUpRate } from './sign-ups.ts'

/** Services on a database with few and one with many registrations, and the measured workshops. */
export type GrowthDatabases = {
  few: Service
  many: Service
  /** Same size as the workshop in `few`. */
  small: string
  /** Contains a tenth of all registrations. */
  large: string
}

/**
 * Compares the service with few and many stored registrations, before and after ANALYZE: for workshops of the same
 * size, and for one that is a hundred times larger.
 */
export async function measureGrowth(context: BenchContext): Promise<Row[]> {
  const { sizes } = context
  const databases = await openGrowthDatabases(context)
  context.log('growth: warming up')
  for (const service of [databases.few, databases.many]) await measureSignUpRate(context, service, 1, sizes.signUps)

  const neverAnalysed = await measureState(context, databases, 'never analysed')
  for (const { sql } of [databases.few, databases.many]) await sql`analyze`
  return [...neverAnalysed, ...(await measureState(context, databases, 'analysed'))]
}

const growthDatabases = new WeakMap<BenchContext, Promise<GrowthDatabases>>()

/** Fills both databases once. */
export function openGrowthDatabases(context: BenchContext): Promise<GrowthDatabases> {
  const databases = growthDatabases.get(context) ?? createGrowthDatabases(context)
  growthDatabases.set(context, databases)
  return databases
}

async function createGrowthDatabases(context: BenchContext): Promise<GrowthDatabases> {
  const { storedFew, storedMany, inOneWorkshop } = context.sizes
  const perWorkshop = { registrationsEach: storedFew, mails: 'sent' as const }
  const startedAt = performance.now()
  const few = await context.service('few')
  await fillDatabase(few.sql, await createTemplateRegistration(context, few), {
    ...perWorkshop,
    slug: 'stored',
    workshops: 1,
  })
  const many = await context.service('many')
  const templateId = await createTemplateRegistration(context, many)
  await fillDatabase(many.sql, templateId, {
    ...perWorkshop,
    slug: 'stored',
    workshops: (storedMany - inOneWorkshop) / storedFew,
  })
  await fillDatabase(many.sql, templateId, {
    ...perWorkshop,
    slug: 'large',
    workshops: 1,
    registrationsEach: inOneWorkshop,
  })
  context.log(`growth: stored ${storedMany} registrations in ${Math.round((performance.now() - startedAt) / 1000)} s`)
  return { few, many, small: 'stored-1', large: 'large-1' }
}

/**
 * A registration stored by the service, the template for the others. Autovacuum is off, so that there are no planner
 * statistics.
 */
async function createTemplateRegistration(context: BenchContext, service: Service): Promise<string> {
  for (const table of ['campaigns', 'workshops', 'registrations', 'mails']) {
    await service.sql.unsafe(`alter table ${table} set (autovacuum_enabled = false)`)
  }
  const [slug = ''] = await service.publishWorkshops(1, 2)
  await service.sendLoad(
    { kind: 'sign-ups', paths: [signUpPath(slug)], count: 1, first: context.reservePeople(1) },
    1,
    201,
  )
  const [{ id }] = await service.sql<[{ id: string }]>`select id from registrations`
  return id
}

async function measureState(
  context: BenchContext,
  { few, many, small, large }: GrowthDatabases,
  plannerState: string,
): Promise<Row[]> {
  const { sizes, rounds } = context
  const sequentialRate = (service: Service, requests: RequestPlan) =>
    service.sendLoad(requests, 1, 200).then((result) => result.perSecond)
  const roster = (service: Service, slug: string) =>
    sequentialRate(service, {
      kind: 'list',
      method: 'GET',
      paths: Array(sizes.rosterPages).fill(signUpPath(slug)),
      token: service.token,
    })
  const availability = (service: Service, slug: string) =>
    sequentialRate(service, { kind: 'the same', path: paths.availability(slug), count: sizes.availabilities / 2 })
  const promotion = async (service: Service, slug: string) => {
    const confirmed = await service.sql`
      select r.id from registrations r join workshops w on w.id = r.workshop_id
      where w.slug = ${slug} and r.status = 'confirmed' order by r.seq limit ${sizes.promotions}`
    const cancels = confirmed.map(({ id }) => `${paths.api()}/registrations/${id}/cancel`)
    return sequentialRate(service, { kind: 'list', method: 'POST', paths: cancels, token: service.token })
  }

  context.log(`growth: ${rounds} rounds, ${plannerState}`)
  const measured = await measureAlternately(rounds, {
    signUpsFew: () => measureSignUpRate(context, few, 1, sizes.signUps),
    signUpsMany: () => measureSignUpRate(context, many, 1, sizes.signUps),
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
  const stored = `${count(sizes.storedMany)} stored, ${plannerState}`
  const larger = `${stored}, ${count(sizes.inOneWorkshop)} of them in its workshop`
  const row = (what: string, figure: number[], baseline: number[]) =>
    comparison({
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
