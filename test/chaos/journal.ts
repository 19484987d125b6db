import { percentile } from '../bench/statistics.ts'
import type { HttpResponse } from './http.ts'

/** What was done and how it was answered, as it is counted for the report. */
export type Journal = {
  /** @param said the code that came with a refusal */
  record(kind: string, answer: HttpResponse, said?: string): void
  fault(kind: string, from: number, to: number): void
  /** How many operations were answered; being told to come again later is no answer. */
  answeredCount(): number
  operationCount(): number
  longest(): { kind: string; milliseconds: number; answer: string }
  /** The time that so large a part of all answers did not exceed, in milliseconds. */
  latencyPercentile(part: number): number
  /** How often each operation was answered how. */
  outcomeCounts(): Map<string, Map<string, number>>
  faults(): readonly Fault[]
}

/** Something that was done to the service; times as of Date.now(). */
export type Fault = { kind: string; from: number; to: number }

export function createJournal(): Journal {
  const outcomeCounts = new Map<string, Map<string, number>>()
  const faults: Fault[] = []
  let answeredCount = 0
  let operationCount = 0
  const times: number[] = []
  let longest = { kind: 'none', milliseconds: 0, answer: '' }
  return {
    record(kind, { status, milliseconds }, code) {
      const result = code ? `${status} ${code}` : `${status}`
      const countsOfKind = outcomeCounts.get(kind) ?? new Map<string, number>()
      countsOfKind.set(result, (countsOfKind.get(result) ?? 0) + 1)
      outcomeCounts.set(kind, countsOfKind)
      operationCount++
      if (status !== 'refused') times.push(milliseconds)
      if (typeof status === 'number' && status !== 503) answeredCount++
      if (milliseconds > longest.milliseconds) longest = { kind, milliseconds, answer: result }
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
