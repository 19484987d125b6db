import { expect } from 'vitest'
import type { Role } from '../../src/db/schema.ts'
import type { World } from '../support/world.ts'

/** What a program sends to the API. A body that is a string is sent as it is, anything else as JSON. */
type Sent = { body?: unknown; headers?: Record<string, string> }
// biome-ignore lint/suspicious/noExplicitAny: what an answer holds is for the tests to say
type Answer = { status: number; headers: Headers; body: any }

export type Client = Record<'get' | 'post' | 'patch' | 'delete', (path: string, sent?: Sent) => Promise<Answer>>

/** A program that calls the API of a world, with a token of this role or with none. */
export async function openClient(world: World, role?: Role): Promise<Client> {
  const token = role && (await world.token(role))
  const send =
    (method: string) =>
    async (path: string, { body, headers }: Sent = {}): Promise<Answer> => {
      const answer = await world.request(`/api/v1${path}`, {
        method,
        headers: {
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...(token && { Authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await answer.text()
      const json = /json/.test(answer.headers.get('content-type') ?? '')
      return { status: answer.status, headers: answer.headers, body: json ? JSON.parse(text) : text }
    }
  return { get: send('GET'), post: send('POST'), patch: send('PATCH'), delete: send('DELETE') }
}

/** Expects a problem as in RFC 9457, and gives it. */
export function expectProblem(answer: Answer, status: number, code: string) {
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.body).toMatchObject({ type: 'about:blank', status, code })
  expect(answer.status).toBe(status)
  expect(answer.body.title).toMatch(/./)
  expect(answer.body.detail).toMatch(/./)
  return answer.body
}

/** Expects a 422 that names these fields, each once and with this code. */
export function expectRefusedFields(answer: Answer, fields: Record<string, string>) {
  const { errors } = expectProblem(answer, 422, 'invalid')
  const named = errors.map((error: { field: string; code: string }) => [error.field, error.code])
  expect(Object.fromEntries(named)).toEqual(fields)
  expect(named).toHaveLength(Object.keys(fields).length)
  for (const error of errors) expect(error.message).toMatch(/./)
}
