import { z } from 'zod'

/*
 * Limits on request input besides the length of a text. zod counts elements only after it has validated each of them, and
 * reports every one that is invalid.
 */

/** A zod transform that normalizes a text with a function of text.ts and reports `too_long` where that returns undefined. */
export function normalizedWith(normalize: (text: string) => string | undefined) {
  return (text: string, context: z.RefinementCtx): string => {
    const plain = normalize(text)
    if (plain !== undefined) return plain
    context.addIssue({ code: 'custom', message: 'too_long' })
    return z.NEVER
  }
}

/** A zod array or record of at most `max` elements, counted before they are validated; `too_long` for more. */
export function limitSize<Schema extends z.ZodArray | z.ZodRecord>(max: number, schema: Schema) {
  return z.preprocess((value, context) => {
    const size = Array.isArray(value) ? value.length : isObject(value) ? Object.keys(value).length : 0
    if (size <= max) return value
    context.addIssue({ code: 'custom', message: 'too_long' })
    return z.NEVER
  }, schema)
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** The number of problems reported for one request. */
export const maxProblems = 50

/** The first problem of each key, at most `maxProblems`. */
export function firstPerKey<Problem>(problems: Iterable<Problem>, getKey: (problem: Problem) => string): Problem[] {
  const first = new Map<string, Problem>()
  for (const problem of problems) {
    if (first.size === maxProblems) break
    const key = getKey(problem)
    if (!first.has(key)) first.set(key, problem)
  }
  return [...first.values()]
}
