import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { z } from 'zod'
import { truncate } from '../lib/text.ts'
import type { App } from './context.ts'

/** Maximum number of fields. A form with a checklist of 50 items has 306. */
const maxFields = { signedIn: 2_000, anonymous: 200 }

/** UTF-16 units kept of a field: twice the longest permitted text, so that a truncated one is still too long. */
const maxFieldLength = 100_000

/** UTF-16 units of all fields together: a form with errors is rendered with all of them. */
const maxFormLength = 400_000

/**
 * Parses a submitted form into its fields by name. NUL characters, which Postgres rejects, become spaces.
 * @param all returns a repeated field as a list; otherwise the last value counts
 * @throws {HTTPException} 400 for a body that does not match its content type, 413 for too many fields or too much text
 */
export async function parseFormBody(c: Context<App>, { all = false } = {}): Promise<Record<string, unknown>> {
  // Store the body as it is modified here, so that it is what Hono parses.
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
    // Thrown by fetch for a body that is not a form.
    if (error instanceof TypeError) throw new HTTPException(400, { cause: error })
    throw error
  }
}

/**
 * Counts the fields of a URL-encoded body before it is parsed: parsing 520,000 of them, 1 MB, takes 3 s. Also replaces
 * plus signs by spaces in place: the parser takes 70 ms for a million of them.
 */
function countFields(bytes: Buffer): number {
  let pairs = 1
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === 0x26) pairs++
    else if (bytes[at] === 0x2b) bytes[at] = 0x20
  }
  return pairs
}

/** True if a multipart body has more parts than `most`; counts its boundaries. */
function exceedsPartCount(bytes: Buffer, boundary: string, max: number): boolean {
  const delimiter = `--${boundary}`
  let delimiters = 0
  for (let at = bytes.indexOf(delimiter); at >= 0 && delimiters <= max + 1; at = bytes.indexOf(delimiter, at + 1)) {
    delimiters++
  }
  return delimiters > max + 1
}

/** True for a UUID. Postgres rejects anything else as an id. */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)
}

/** A UUID in lower case, as Postgres returns it. */
export const uuidField = z.uuid().transform((text) => text.toLowerCase())

/** Replaces NUL characters and truncates values longer than any field may be. */
function sanitizeValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sanitizeValue)
  return typeof value === 'string' ? truncate(value, maxFieldLength).replaceAll('\u0000', ' ') : value
}

function valueLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + valueLength(each), 0)
  return typeof value === 'string' ? value.length : 0
}
