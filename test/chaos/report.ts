import type { Findings } from './checks.ts'
import type { FaultyMailServer } from './faulty-mail-server.ts'
import type { Journal } from './journal.ts'
import type { MailStats } from './verify/mails.ts'

/** The figures of a run and what was checked, as text. */
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
  const all = [...journal.outcomeCounts().values()].flatMap((answers) => [...answers])
  const answered = [...Map.groupBy(all, ([answer]) => answer)].map(
    ([answer, counted]) => [answer, counted.reduce((sum, [, n]) => sum + n, 0)] as const,
  )
  const operations = [...journal.outcomeCounts()].map(([kind, answers]): string[] => [
    kind,
    formatCount([...answers.values()].reduce((sum, n) => sum + n, 0)),
    formatCounts(answers),
  ])
  const faults = [...Map.groupBy(journal.faults(), ({ kind }) => kind)].map(([kind, of]): string[] => [
    kind,
    formatCount(of.length),
    `${(of.reduce((sum, { from, to }) => sum + to - from, 0) / of.length / 1000).toFixed(1)} s each`,
  ])
  const checked = findings
    .results()
    .map(({ sentence, made, broken, brokenTimes }): string[] => [
      brokenTimes > 0 ? 'BROKEN' : made > 0 ? 'holds' : 'NOT MADE',
      sentence,
      formatCount(made),
      formatCount(brokenTimes),
      broken.slice(0, 3).join(' · ').slice(0, 300),
    ])
  return [
    renderTable(['operation', 'times', 'answers'], operations),
    renderTable(
      ['answer', 'times'],
      answered.toSorted((a, b) => b[1] - a[1]).map(([answer, n]) => [answer, formatCount(n)]),
    ),
    renderTable(['fault', 'times', ''], faults),
    renderTable(
      ['mail server', 'times'],
      [...mailbox.faultCounts].sort().map(([mishap, n]) => [mishap, formatCount(n)]),
    ),
    renderTable(
      ['figure', ''],
      [
        ['operations', formatCount(journal.operationCount())],
        ['of these answered, 503 left out', formatCount(journal.answeredCount())],
        ['half of them within', `${Math.round(journal.latencyPercentile(0.5))} ms`],
        ['99 of 100 within', `${Math.round(journal.latencyPercentile(0.99))} ms`],
        ['longest request', `${Math.round(longest.milliseconds)} ms (${longest.kind}: ${longest.answer})`],
        ['mails owed', formatCount(mails.queued)],
        ['mails delivered, copies counted', formatCount(mails.delivered)],
        ['copies after a cut after DATA', formatCount(mails.duplicates.afterACut)],
        ['copies after a fault while it was to be written down', formatCount(mails.duplicates.duringAFault)],
        ...Object.entries(facts).map(([name, value]) => [name, String(value)]),
      ],
    ),
    renderTable(['', 'check', 'made', 'broken', ''], checked),
  ].join('\n\n')
}

/** Whether all that was to be shown was checked and holds. */
export function allChecksPass(findings: Findings): boolean {
  return findings.results().every(({ made, brokenTimes }) => made > 0 && brokenTimes === 0)
}

function formatCounts(answers: Map<string, number>): string {
  return [...answers]
    .sort((a, b) => b[1] - a[1])
    .map(([answer, n]) => `${answer}: ${formatCount(n)}`)
    .join(', ')
}

const formatCount = (n: number) => n.toLocaleString('en')

function renderTable(headers: string[], lines: string[][]): string {
  const widths = headers.map((head, n) => Math.max(...[headers, ...lines].map((line) => (line[n] ?? head).length)))
  const row = (cells: string[]) => `| ${cells.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(' | ')} |`
  return [row(headers), row(widths.map((width) => '-'.repeat(width))), ...lines.map(row)].join('\n')
}
