import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { z } from 'zod'
import type { App } from './context.ts'

/**
 * The fields of a form that was sent, by name. A character NUL, which Postgres refuses, counts as a space.
 * @param all gives a field that was sent several times as a list, where otherwise the last one counts
 * @throws {HTTPException} 400 for a body that is not what its content type says
 */
export async function readFormBody(c: Context<App>, { all = false } = {}): Promise<Record<string, unknown>> {
  try {
    const body = await c.req.parseBody({ all })
    return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, withoutNul(value)]))
  } catch (error) {
    // How fetch refuses a body that it cannot read as a form.
    if (error instanceof TypeError) throw new HTTPException(400, { cause: error })
    throw error
  }
}

/** Whether what a form or an address says can be an id: a UUID. Postgres refuses to look for anything else. */
export function isId(said: unknown): said is string {
  return typeof said === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(said)
}

/** An id that a phone sends, as Postgres writes it. */
export const sentId = z.uuid().transform((text) => text.toLowerCase())

function withoutNul(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNul)
  return typeof value === 'string' ? value.replaceAll('\u0000', ' ') : value
}
