import { paths } from '../../../src/http/links.ts'
import type { BenchContext, Service } from '../context.ts'
import { peakMemory, resetPeakMemory, residentMemory } from '../linux.ts'
import { measureAlternately, median } from '../statistics.ts'
import { comparison, failedRow, measurement, type Row } from '../table.ts'
import { openGrowthDatabases } from './growth.ts'

/** Time limit of an export in milliseconds. */
const exportTimeoutMs = 120_000

/** Exports the attendee list of a large workshop; the baseline is the same query through COPY. */
export async function measureExports(context: BenchContext): Promise<Row[]> {
  const { sizes, rounds } = context
  const { many, large } = await openGrowthDatabases(context)
  const lines = sizes.inOneWorkshop
  const rows: Row[] = []

  context.log(`export: CSV, ${rounds} rounds`)
  await download(many, large, 'csv')
  const [firstBytes, memoryGrowth]: [number[], number[]] = [[], []]
  const csv = await measureAlternately(rounds, {
    copy: async () => lines / (await measureCopySeconds(many, large)),
    csv: async () => {
      const result = await download(many, large, 'csv')
      if (result.lines !== lines + 1) throw new Error(`expected ${lines} lines and a header, got ${result.lines}`)
      firstBytes.push(result.firstByte)
      memoryGrowth.push(result.memoryGrowth)
      return lines / result.seconds
    },
  })
  rows.push(
    comparison({
      item: 'export',
      what: `CSV of ${lines.toLocaleString('en')}`,
      unit: 'rows/s',
      figure: csv.csv,
      baseline: csv.copy,
      against: 'rows/s through COPY',
      bar: { atLeast: 0.2 },
    }),
    measurement({ item: 'export', what: 'CSV: first byte', unit: 'ms', figure: firstBytes, bar: { atMost: 200 } }),
    measurement({
      item: 'export',
      what: 'CSV: memory grows by',
      unit: 'MB',
      figure: memoryGrowth,
      bar: { atMost: 32 },
    }),
  )

  context.log('export: XLSX')
  try {
    const xlsx = await download(many, large, 'xlsx')
    rows.push(
      measurement({
        item: 'export',
        what: 'XLSX: time to the last byte',
        unit: 's',
        figure: xlsx.seconds,
        note: `${(xlsx.bytes / 1e6).toFixed(1)} MB; CSV ${(lines / median(csv.csv)).toFixed(1)} s; first byte ${Math.round(xlsx.firstByte)} ms`,
      }),
      measurement({ item: 'export', what: 'XLSX: memory grows by', unit: 'MB', figure: xlsx.memoryGrowth }),
    )
  } catch (error) {
    rows.push(failedRow({ item: 'export', what: 'XLSX', note: (error as Error).message }))
  }
  return rows
}

/** Downloads a file. Returns counts, times, and the memory growth up to the peak, in MB. */
async function download({ server, token, pid }: Service, slug: string, format: 'csv' | 'xlsx') {
  const before = residentMemory(pid)
  resetPeakMemory(pid)
  const startedAt = performance.now()
  const response = await server.request(`${paths.api()}/workshops/${slug}/registrations.${format}`, {
    headers: { Authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(exportTimeoutMs),
  })
  if (response.status !== 200)
    throw new Error(`returned ${response.status} after ${Math.round(performance.now() - startedAt)} ms`)
  let [firstByte, bytes, lines] = [0, 0, 0]
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    firstByte ||= performance.now() - startedAt
    bytes += chunk.length
    if (format === 'csv') lines += countLines(chunk)
  }
  const seconds = (performance.now() - startedAt) / 1000
  return { seconds, firstByte, bytes, lines, memoryGrowth: peakMemory(pid) - before }
}

function countLines(chunk: Uint8Array): number {
  let lines = 0
  for (let offset = chunk.indexOf(10); offset !== -1; offset = chunk.indexOf(10, offset + 1)) lines++
  return lines
}

/**
 * Time in which Postgres sends the data of an attendee list as CSV. Without planner statistics a nested loop would scan
 * the list once per line; disabled, this is the fastest variant tried.
 */
async function measureCopySeconds({ sql }: Service, slug: string): Promise<number> {
  const startedAt = performance.now()
  await sql.begin(async (sql) => {
    await sql`set local enable_nestloop = off`
    const copied = await sql
      .unsafe(`copy (
      select r.seq, r.status, line.position, r.name, r.email, r.phone, same.people > 1, r.company, link.channel, r.ready,
             r.created_at, r.seated_at, r.cancelled_at, r.cancelled_by, r.locale
      from registrations r
      join workshops w on w.id = r.workshop_id
      left join registration_links link on link.code = r.link_code
      left join (
        select id, row_number() over (partition by workshop_id order by seq) as position
        from registrations where status = 'waitlisted' and workshop_id = (select id from workshops where slug = '${slug}')
      ) line on line.id = r.id
      left join (
        select phone, count(*) as people
        from registrations where status <> 'cancelled' and workshop_id = (select id from workshops where slug = '${slug}')
        group by phone
      ) same on same.phone = r.phone
      where w.slug = '${slug}'
      order by r.seq
    ) to stdout with (format csv, header)`)
      .readable()
    for await (const _ of copied);
  })
  return (performance.now() - startedAt) / 1000
}
