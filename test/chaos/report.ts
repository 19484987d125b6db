import type { Findings } from './checks.ts'
import type { FaultyMailServer } from './faulty-mail-server.ts'
import type { Journal } from './journal.ts'
import type { MailStats } from './verify/mails.ts'

/** Renders the figures and checks of a run as text. */
export function renderReport({
  journal,
  findings,
  mailbox,
  mails,
  facts,
}: {
  journal: Journal
  findings: Findings
  mailbox: FaultyMailServer
  mails: MailStats
  facts: Record<string, string | number>
}): string {
  const longest = journal.longest()
  const all = [...journal.outcomeCounts().values()].flatMap((results) => [...results])
  const answered = [...Map.groupBy(all, ([result]) => result)].map(
    ([result, counted]) => [result, counted.reduce((sum, [, n]) => sum + n, 0)] as const,
  )
  const operations = [...journal.outcomeCounts()].map(([kind, results]): string[] => [
    kind,
    formatCount([...results.values()].reduce((sum, n) => sum + n, 0)),
    formatCounts(results),
  ])
  const faults = [...Map.groupBy(journal.faults(), ({ kind }) => kind)].map(([kind, group]): string[] => [
    kind,
    formatCount(group.length),
    `${(group.reduce((sum, { from, to }) => sum + to - from, 0) / group.length / 1000).toFixed(1)} s each`,
  ])
  const checked = findings
    .results()
    .map(({ description, count, failures, failureCount }): string[] => [
      failureCount > 0 ? 'FAILED' : count > 0 ? 'ok' : 'NOT MADE',
      description,
      formatCount(count),
      formatCount(failureCount),
      failures.slice(0, 3).join(' · ').slice(0, 300),
    ])
  return [
    renderTable(['operation', 'times', 'results'], operations),
    renderTable(
      ['result', 'times'],
      answered.toSorted((a, b) => b[1] - a[1]).map(([result, n]) => [result, formatCount(n)]),
    ),
    renderTable(['fault', 'times', ''], faults),
    renderTable(
      ['mail server', 'times'],
      [...mailbox.faultCounts].sort().map(([fault, n]) => [fault, formatCount(n)]),
    ),
    renderTable(
      ['figure', ''],
      [
        ['operations', formatCount(journal.operationCount())],
        ['answered, without 503', formatCount(journal.answeredCount())],
        ['median', `${Math.round(journal.latencyPercentile(0.5))} ms`],
        ['99th percentile', `${Math.round(journal.latencyPercentile(0.99))} ms`],
        ['longest request', `${Math.round(longest.milliseconds)} ms (${longest.kind}: ${longest.result})`],
        ['mails queued', formatCount(mails.queued)],
        ['mails delivered, with duplicates', formatCount(mails.delivered)],
        ['duplicates after a dropped connection', formatCount(mails.duplicates.afterDroppedConnection)],
        ['duplicates after a fault while recording the outcome', formatCount(mails.duplicates.duringFault)],
        ...Object.entries(facts).map(([name, value]) => [name, String(value)]),
      ],
    ),
    renderTable(['', 'check', 'made', 'failed', ''], checked),
  ].join('\n\n')
}

/** Whether every check was made and passed. */
export function allChecksPass(findings: Findings): boolean {
  return findings.results().every(({ count, failureCount }) => count > 0 && failureCount === 0)
}

function formatCounts(results: Map<string, number>): string {
  return [...results]
    .sort((a, b) => b[1] - a[1])
    .map(([result, n]) => `${result}: ${formatCount(n)}`)
    .join(', ')
}

const formatCount = (n: number) => n.toLocaleString('en')

function renderTable(headers: string[], lines: string[][]): string {
  const widths = headers.map((head, n) => Math.max(...[headers, ...lines].map((line) => (line[n] ?? head).length)))
  const row = (cells: string[]) => `| ${cells.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(' | ')} |`
  return [row(headers), row(widths.map((width) => '-'.repeat(width))), ...lines.map(row)].join('\n')
}
