import { randomUUID } from 'node:crypto'

/** The n-th person of this run. Addresses are unordered, like real ones. */
export function createPerson(n: number) {
  return {
    name: `学员${n}`,
    email: `${(Math.imul(n, 0x9e3779b1) >>> 0).toString(36)}.${n}@example.com`,
    phone: `138${String(n % 100_000_000).padStart(8, '0')}`,
    company: '睿赛德电子科技',
    consent: true,
  }
}

/** A raw API sign-up request. */
export function encodeSignUp(path: string, n: number): Buffer {
  return encodeRequest('POST', path, {
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() },
    body: JSON.stringify(createPerson(n)),
  })
}

/** A raw HTTP request. */
export function encodeRequest(
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: string } = {},
): Buffer {
  const all: Record<string, string> = { Host: 'localhost', Accept: '*/*', ...headers }
  if (body !== undefined) all['Content-Length'] = String(Buffer.byteLength(body))
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return Buffer.from([`${method} ${path} HTTP/1.1`, ...lines, '', body ?? ''].join('\r\n'))
}
