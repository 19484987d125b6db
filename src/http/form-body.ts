import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { z } from 'zod'
import { truncate } from '../lib/text.ts'
import type { App } from './context.ts'

/** How many fields a form may have. One with a checklist of 50 items has 306. */
const maxFields = { signedIn: 2_000, anonymous: 200 }

/** UTF-16 units that are kept of a field: twice as many as the longest text may have, so that it is still too long. */
const maxFieldLength = 100_000

/** UTF-16 units of all fields together, because a form that is refused comes back with them. */
const maxFormLength = 400_000

/**
 * The fields of a form that was sent, by name. A character NUL, which Postgres refuses, counts as a space.
 * @param all gives a field that was sent several times as a list, where otherwise the last one counts
 * @throws {HTTPException} 400 for a body that is not what its content type says, 413 for one with too many fields or too much
 *   text
 */
export async function parseFormBody(c: Context<App>, { all = false } = {}): Promise<Record<string, unknown>> {
  // The body is kept, so that it is parsed as it is left here.
  const bytes = Buffer.from(await c.req.arrayBuffer())
  const [, boundary] =
    /^multipart\/form-data *;.*\bboundary="?([^";,]+)/i.exec(c.req.header('content-type') ?? '') ?? []
  const max = c.get('organiser') || c.get('door') ? maxFields.signedIn : maxFields.anonymous
  if (boundary ? exceedsPartCount(bytes, boundary, max) : countFields(bytes) > max) throw new HTTPException(413)
  const body = await parseBody(c, all)
  const fields = Object.entries(body).map(([name, value]) => [name, sanitizeValue(value)] as const)
  const length = fields.reduce((sum, [name, value]) => sum + name.length + valueLength(value), 0)
  if (length > maxFormLength) throw new HTTPException(413)
  return Object.fromEntries(fields)
}

async function parseBody(c: Context<App>, all: boolean): Promise<Record<string, unknown>> {
  try {
    return await c.req.parseBody({ all })
  } catch (error) {
    // How fetch refuses a body that it cannot read as a form.
    if (error instanceof TypeError) throw new HTTPException(400, { cause: error })
    throw error
  }
}

/**
 * Counts the fields of an URL-encoded body without parsing it: 520,000 of them in 1 MB take 3 s to parse. Plus signs become
 * the spaces that they stand for, in place: the parser takes 70 ms for a million of them.
 */
function countFields(bytes: Buffer): number {
  let pairs = 1
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === 0x26) pairs++
    else if (bytes[at] === 0x2b) bytes[at] = 0x20
  }
  return pairs
}

/** Whether a multipart body has more than so many parts, by what stands between them. */
function exceedsPartCount(bytes: Buffer, boundary: string, max: number): boolean {
  const delimiter = `--${boundary}`
  let delimiters = 0
  for (let at = bytes.indexOf(delimiter); at >= 0 && delimiters <= max + 1; at = bytes.indexOf(delimiter, at + 1)) {
    delimiters++
  }
  return delimiters > max + 1
}

/** Whether what a form or an address says can be an id: a UUID. Postgres refuses to look for anything else. */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)
}

/** An id that a phone sends, as Postgres writes it. */
export const uuidField = z.uuid().transform((text) => text.toLowerCase())

/** A value without the character NUL, cut where it is longer than any field may be. */
function sanitizeValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sanitizeValue)
  return typeof value === 'string' ? truncate(value, maxFieldLength).replaceAll('\u0000', ' ') : value
}

function valueLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + valueLength(each), 0)
  return typeof value === 'string' ? value.length : 0
}
