import { percentile } from '../bench/statistics.ts'
import type { HttpResponse } from './http.ts'

/** Operations and their responses, counted for the report. */
export type Journal = {
  /** @param code problem code of the response */
  record(kind: string, response: HttpResponse, code?: string): void
  fault(kind: string, from: number, to: number): void
  /** Number of answered operations; a 503 does not count. */
  answeredCount(): number
  operationCount(): number
  longest(): { kind: string; milliseconds: number; result: string }
  /** Percentile of all response times, in milliseconds. */
  latencyPercentile(part: number): number
  /** Number of each result by kind of operation. */
  outcomeCounts(): Map<string, Map<string, number>>
  faults(): readonly Fault[]
}

/** A fault in the service's environment; times as Date.now(). */
export type Fault = { kind: string; from: number; to: number }

export function createJournal(): Journal {
  const outcomeCounts = new Map<string, Map<string, number>>()
  const faults: Fault[] = []
  let answeredCount = 0
  let operationCount = 0
  const times: number[] = []
  let longest = { kind: 'none', milliseconds: 0, result: '' }
  return {
    record(kind, { status, milliseconds }, code) {
      const outcome = code ? `${status} ${code}` : `${status}`
      const countsOfKind = outcomeCounts.get(kind) ?? new Map<string, number>()
      countsOfKind.set(outcome, (countsOfKind.get(outcome) ?? 0) + 1)
      outcomeCounts.set(kind, countsOfKind)
      operationCount++
      if (status !== 'refused') times.push(milliseconds)
      if (typeof status === 'number' && status !== 503) answeredCount++
      if (milliseconds > longest.milliseconds) longest = { kind, milliseconds, result: outcome }
    },
    fault: (kind, from, to) => void faults.push({ kind, from, to }),
    answeredCount: () => answeredCount,
    operationCount: () => operationCount,
    longest: () => longest,
    latencyPercentile: (part) => percentile(times, part),
    outcomeCounts: () => outcomeCounts,
    faults: () => faults,
  }
}
