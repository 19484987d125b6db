import { expect } from 'vitest'
import type { Role } from '../../../src/db/schema.ts'
import type { World } from '../world.ts'

/** A request to the API. A string body is sent unchanged, anything else as JSON. */
type ApiRequest = { body?: unknown; headers?: Record<string, string> }
// biome-ignore lint/suspicious/noExplicitAny: the tests assert the shape
type ApiResponse = { status: number; headers: Headers; body: any }

export type ApiClient = Record<
  'get' | 'post' | 'patch' | 'delete',
  (path: string, sent?: ApiRequest) => Promise<ApiResponse>
>

/** Creates an API client with a token of this role, or without one. */
export async function createApiClient(world: World, role?: Role): Promise<ApiClient> {
  const token = role && (await world.token(role))
  const send =
    (method: string) =>
    async (path: string, { body, headers }: ApiRequest = {}): Promise<ApiResponse> => {
      const response = await world.request(`/api/v1${path}`, {
        method,
        headers: {
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...(token && { Authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      const json = /json/.test(response.headers.get('content-type') ?? '')
      return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text }
    }
  return { get: send('GET'), post: send('POST'), patch: send('PATCH'), delete: send('DELETE') }
}

/** Expects a problem as in RFC 9457. Returns its body. */
export function expectProblem(response: ApiResponse, status: number, code: string) {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(response.body).toMatchObject({ type: 'about:blank', status, code })
  expect(response.status).toBe(status)
  expect(response.body.title).toMatch(/./)
  expect(response.body.detail).toMatch(/./)
  return response.body
}

/** Expects a 422 with exactly these fields and codes. */
export function expectFieldErrors(response: ApiResponse, fields: Record<string, string>) {
  const { errors } = expectProblem(response, 422, 'invalid')
  const actual = errors.map((error: { field: string; code: string }) => [error.field, error.code])
  expect(Object.fromEntries(actual)).toEqual(fields)
  expect(actual).toHaveLength(Object.keys(fields).length)
  for (const error of errors) expect(error.message).toMatch(/./)
}
