import type { Context } from 'hono'
import type { App } from './context.ts'

/** What every answer says to browsers. Routes that must show foreign HTML bring a Content-Security-Policy of their own. */
export const everyAnswer: Readonly<Record<string, string>> = {
  // Nothing from elsewhere, nothing inline.
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "frame-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Referrer-Policy': 'same-origin',
  // For this host alone: its neighbours may still speak plain HTTP.
  'Strict-Transport-Security': 'max-age=15552000',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}

/**
 * An answer with all its headers, to which nothing is added on its way out. For what thousands ask at once: Node writes
 * a plain object of headers as it stands, while adding to them one by one costs 14 µs, two thirds of a short answer.
 * @param headers save those that every answer has
 */
export function wholeAnswer(
  c: Context<App>,
  body: string | Uint8Array<ArrayBuffer>,
  status: number,
  headers: Record<string, string>,
): Response {
  c.set('whole', true)
  return new Response(body, {
    status,
    headers: { ...everyAnswer, 'Content-Language': c.get('locale'), ...headers },
  })
}
