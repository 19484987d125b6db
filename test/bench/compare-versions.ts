import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { root } from '../support/processes/processes.ts'
import { median } from './statistics.ts'
import type { Row } from './table.ts'

/** Number of runs of each version. */
const runCount = 3

/**
 * Measures this version and another one alternately, each in its own process, so that other load affects both. Both are
 * measured with this version's bench.
 * @param commit of the other version, which is checked out and installed in a temporary folder
 * @param options of the bench for each run
 * @returns a table with the medians of each figure for both versions, and their ratio
 */
export async function compareWith(commit: string, options: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'baoming-against-'))
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', root, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
  try {
    git('worktree', 'add', '--detach', folder, commit)
    console.error(`· installing ${commit}`)
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
    const versions = { before: folder, now: root }
    const measured: Record<keyof typeof versions, Row[][]> = { before: [], now: [] }
    for (let run = 0; run < runCount; run++) {
      const names = ['before', 'now'] as const
      for (const name of run % 2 ? names.toReversed() : names) {
        console.error(`· run ${run + 1} of ${runCount}: ${name === 'now' ? 'this version' : commit}`)
        measured[name].push(await runBench(versions[name], options))
      }
    }
    return renderComparison(commit, measured.before, measured.now)
  } finally {
    git('worktree', 'remove', '--force', folder)
    await rm(folder, { recursive: true, force: true })
  }
}

async function runBench(folder: string, options: string[]): Promise<Row[]> {
  const bench = fileURLToPath(new URL('bench.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', bench, ...options, '--json', '--root', folder], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')])
  const { rows } = JSON.parse(output.trim().split('\n').at(-1) ?? '') as { rows: Row[] }
  return rows
}

/** Renders a Markdown table. `before` and `now` hold the rows of each run. */
function renderComparison(commit: string, before: Row[][], now: Row[][]): string {
  const findRows = (runs: Row[][], { item, what }: Row) =>
    runs.flatMap((rows) => rows.filter((row) => row.item === item && row.what === what)).filter((row) => !row.failed)
  const lines = (now[0] ?? []).map((row) => {
    const [previous, current] = [findRows(before, row), findRows(now, row)]
    const value = (rows: Row[]) => median(rows.map(({ figure }) => figure))
    const ratio = (rows: Row[]) => median(rows.map(({ ratio = Number.NaN }) => ratio))
    const cells = [
      row.item,
      row.what,
      row.unit,
      ...[value(previous), value(current), value(current) / value(previous)].map(formatNumber),
    ]
    return `| ${[...cells, formatNumber(ratio(previous)), formatNumber(ratio(current))].join(' | ')} |`
  })
  return [
    `| item | what | unit | ${commit} | now | now / before | ratio to baseline before | now |`,
    '|---|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n')
}

const formatNumber = (value: number) => (Number.isFinite(value) ? String(Number(value.toPrecision(3))) : '–')
