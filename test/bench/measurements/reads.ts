import { paths } from '../../../src/http/links.ts'
import type { BenchContext } from '../context.ts'
import { measureAlternately } from '../statistics.ts'
import { comparison, type Row } from '../table.ts'

/** Availability and the workshop page, compared with bare routes that send the same amount. */
export async function measureReads(context: BenchContext): Promise<Row[]> {
  const { sizes, rounds, load, bare } = context
  const service = await context.service('main')
  const [slug = ''] = await service.publishWorkshops(1, 40)

  const availability = (await (await service.server.request(paths.availability(slug))).json()) as object
  const page = await (await service.server.request(paths.workshop(slug))).text()
  await bare.call('setJson', availability)
  await bare.call('setPage', page)

  const measureRate = async (port: number, path: string, count: number) => {
    const requests = { kind: 'the same' as const, path, count }
    const { perSecond, statuses } = await load.call('sendRequests', { port, connections: 64, requests })
    if (statuses[200] !== count) throw new Error(`${path} returned ${JSON.stringify(statuses)}`)
    return perSecond
  }
  const { port } = service
  const measures = (part: number) => ({
    bareJson: () => measureRate(bare.port, '/json', sizes.availabilities * part),
    availability: () => measureRate(port, paths.availability(slug), sizes.availabilities * part),
    barePage: () => measureRate(bare.port, '/page', sizes.pages * 2 * part),
    page: () => measureRate(port, paths.workshop(slug), sizes.pages * part),
  })
  context.log(`reads: ${rounds} rounds`)
  await measureAlternately(1, measures(0.25))
  const measured = await measureAlternately(rounds, measures(1))
  return [
    comparison({
      item: 'reads',
      what: 'availability',
      unit: '/s',
      figure: measured.availability,
      baseline: measured.bareJson,
      against: '/s bare JSON',
      bar: { atLeast: 0.7 },
    }),
    comparison({
      item: 'reads',
      what: `workshop page, ${Math.round(Buffer.byteLength(page) / 102.4) / 10} kB`,
      unit: '/s',
      figure: measured.page,
      baseline: measured.barePage,
      against: '/s bare page',
      bar: { atLeast: 0.4 },
    }),
  ]
}
