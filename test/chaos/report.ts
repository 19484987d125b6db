import type { Findings } from './checks.ts'
import type { Journal } from './journal.ts'
import type { MailFigures } from './mail-reckoning.ts'
import type { Mailbox } from './mailbox.ts'

/** The figures of a run and what was checked, as text. */
export function reportOf({
  journal,
  findings,
  mailbox,
  mails,
  facts,
}: {
  journal: Journal
  findings: Findings
  mailbox: Mailbox
  mails: MailFigures
  facts: Record<string, string | number>
}): string {
  const longest = journal.longest()
  const all = [...journal.tally().values()].flatMap((answers) => [...answers])
  const answered = [...Map.groupBy(all, ([answer]) => answer)].map(
    ([answer, counted]) => [answer, counted.reduce((sum, [, n]) => sum + n, 0)] as const,
  )
  const operations = [...journal.tally()].map(([kind, answers]): string[] => [
    kind,
    count([...answers.values()].reduce((sum, n) => sum + n, 0)),
    byCount(answers),
  ])
  const faults = [...Map.groupBy(journal.faults(), ({ kind }) => kind)].map(([kind, of]): string[] => [
    kind,
    count(of.length),
    `${(of.reduce((sum, { from, to }) => sum + to - from, 0) / of.length / 1000).toFixed(1)} s each`,
  ])
  const checked = findings
    .results()
    .map(({ sentence, made, broken, brokenTimes }): string[] => [
      brokenTimes > 0 ? 'BROKEN' : made > 0 ? 'holds' : 'NOT MADE',
      sentence,
      count(made),
      count(brokenTimes),
      broken.slice(0, 3).join(' · ').slice(0, 300),
    ])
  return [
    table(['operation', 'times', 'answers'], operations),
    table(
      ['answer', 'times'],
      answered.toSorted((a, b) => b[1] - a[1]).map(([answer, n]) => [answer, count(n)]),
    ),
    table(['fault', 'times', ''], faults),
    table(
      ['mail server', 'times'],
      [...mailbox.mishaps].sort().map(([mishap, n]) => [mishap, count(n)]),
    ),
    table(
      ['figure', ''],
      [
        ['operations', count(journal.operations())],
        ['of these answered, 503 left out', count(journal.answers())],
        ['half of them within', `${Math.round(journal.within(0.5))} ms`],
        ['99 of 100 within', `${Math.round(journal.within(0.99))} ms`],
        ['longest request', `${Math.round(longest.milliseconds)} ms (${longest.kind}: ${longest.answer})`],
        ['mails owed', count(mails.owed)],
        ['mails delivered, copies counted', count(mails.delivered)],
        ['copies after a cut after DATA', count(mails.copies.afterACut)],
        ['copies after a fault while it was to be written down', count(mails.copies.duringAFault)],
        ...Object.entries(facts).map(([name, value]) => [name, String(value)]),
      ],
    ),
    table(['', 'check', 'made', 'broken', ''], checked),
  ].join('\n\n')
}

/** Whether all that was to be shown was checked and holds. */
export function allHold(findings: Findings): boolean {
  return findings.results().every(({ made, brokenTimes }) => made > 0 && brokenTimes === 0)
}

function byCount(answers: Map<string, number>): string {
  return [...answers]
    .sort((a, b) => b[1] - a[1])
    .map(([answer, n]) => `${answer}: ${count(n)}`)
    .join(', ')
}

const count = (n: number) => n.toLocaleString('en')

function table(heads: string[], lines: string[][]): string {
  const widths = heads.map((head, n) => Math.max(...[heads, ...lines].map((line) => (line[n] ?? head).length)))
  const row = (cells: string[]) => `| ${cells.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(' | ')} |`
  return [row(heads), row(widths.map((width) => '-'.repeat(width))), ...lines.map(row)].join('\n')
}
