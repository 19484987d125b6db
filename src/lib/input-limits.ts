import { z } from 'zod'

/*
 * What bounds the input of a request besides the length of a text: zod counts elements after it has validated each of
 * them, and reports every one that is wrong.
 */

/** For zod: reads a text by a function of plain-text.ts; one that it finds too long is refused as `too_long`. */
export function normalizedWith(normalize: (text: string) => string | undefined) {
  return (text: string, context: z.RefinementCtx): string => {
    const plain = normalize(text)
    if (plain !== undefined) return plain
    context.addIssue({ code: 'custom', message: 'too_long' })
    return z.NEVER
  }
}

/** For zod: an array or a record of at most `most` elements, counted before they are validated; `too_long` for more. */
export function limitSize<Schema extends z.ZodArray | z.ZodRecord>(max: number, schema: Schema) {
  return z.preprocess((value, context) => {
    const size = Array.isArray(value) ? value.length : isObject(value) ? Object.keys(value).length : 0
    if (size <= max) return value
    context.addIssue({ code: 'custom', message: 'too_long' })
    return z.NEVER
  }, schema)
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** How many problems are reported at once. */
export const maxProblems = 50

/** The first problem of each field, at most 50. */
export function firstPerKey<Problem>(problems: Iterable<Problem>, keyOf: (problem: Problem) => string): Problem[] {
  const first = new Map<string, Problem>()
  for (const problem of problems) {
    if (first.size === maxProblems) break
    const key = keyOf(problem)
    if (!first.has(key)) first.set(key, problem)
  }
  return [...first.values()]
}
