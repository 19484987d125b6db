import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
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

function withoutNul(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNul)
  return typeof value === 'string' ? value.replaceAll('\u0000', ' ') : value
}
