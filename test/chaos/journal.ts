import { percentile } from '../bench/statistics.ts'
import type { Answer } from './http.ts'

/** What was done and how it was answered, as it is counted for the report. */
export type Journal = {
  /** @param said the code that came with a refusal */
  answered(kind: string, answer: Answer, said?: string): void
  fault(kind: string, from: number, to: number): void
  /** How many operations were answered; being told to come again later is no answer. */
  answers(): number
  operations(): number
  longest(): { kind: string; milliseconds: number; answer: string }
  /** The time that so large a part of all answers did not exceed, in milliseconds. */
  within(part: number): number
  /** How often each operation was answered how. */
  tally(): Map<string, Map<string, number>>
  faults(): readonly Fault[]
}

/** Something that was done to the service; times as of Date.now(). */
export type Fault = { kind: string; from: number; to: number }

export function openJournal(): Journal {
  const tally = new Map<string, Map<string, number>>()
  const faults: Fault[] = []
  let answers = 0
  let operations = 0
  const times: number[] = []
  let longest = { kind: 'none', milliseconds: 0, answer: '' }
  return {
    answered(kind, { status, milliseconds }, said) {
      const answer = said ? `${status} ${said}` : `${status}`
      const answersOfKind = tally.get(kind) ?? new Map<string, number>()
      answersOfKind.set(answer, (answersOfKind.get(answer) ?? 0) + 1)
      tally.set(kind, answersOfKind)
      operations++
      if (status !== 'refused') times.push(milliseconds)
      if (typeof status === 'number' && status !== 503) answers++
      if (milliseconds > longest.milliseconds) longest = { kind, milliseconds, answer }
    },
    fault: (kind, from, to) => void faults.push({ kind, from, to }),
    answers: () => answers,
    operations: () => operations,
    longest: () => longest,
    within: (part) => percentile(times, part),
    tally: () => tally,
    faults: () => faults,
  }
}
