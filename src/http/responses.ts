import type { Context } from 'hono'
import { redactError } from '../db/database.ts'
import type { Deps } from '../domain/deps.ts'
import type { App } from './context.ts'

/** What every answer says to browsers. Routes that must show foreign HTML bring a Content-Security-Policy of their own. */
export const securityHeaderValues: Readonly<Record<string, string>> = {
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
  'Permissions-Policy': 'camera=()',
  'Referrer-Policy': 'same-origin',
  // For this host alone: its neighbours may still speak plain HTTP.
  'Strict-Transport-Security': 'max-age=15552000',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}

/** Lets an answer be shown in frames, of our own pages or of anybody's. No form can be sent from there. */
export function allowFraming(c: Context<App>, frameAncestors: "'self'" | '*'): void {
  c.header(
    'Content-Security-Policy',
    securityHeaderValues['Content-Security-Policy']
      ?.replace("frame-ancestors 'none'", `frame-ancestors ${frameAncestors}`)
      .replace("form-action 'self'", "form-action 'none'"),
  )
}

/** The camera reads codes in a worker that its package makes of a text, and a service worker keeps the page. */
export const doorSecurityHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': `${securityHeaderValues['Content-Security-Policy']}; worker-src 'self' blob:`,
  'Permissions-Policy': 'camera=(self)',
}

/**
 * An answer with all its headers, to which nothing is added on its way out. For what thousands ask at once: Node writes
 * a plain object of headers as it stands, while adding to them one by one costs 14 µs, two thirds of a short answer.
 * @param headers save those that every answer has
 */
export function rawResponse(
  c: Context<App>,
  body: string | Uint8Array<ArrayBuffer>,
  status: number,
  headers: Record<string, string>,
): Response {
  c.set('whole', true)
  return new Response(body, {
    status,
    headers: { ...securityHeaderValues, 'Content-Language': c.get('locale'), ...headers },
  })
}

/**
 * A list as the body of an answer, piece by piece.
 * The beginning is read before there is an answer, the heads and what comes first from the database, so that one that is
 * away is told of as such. A failure on the way breaks the answer off, so that half a list is never taken for a whole one.
 * Servers send the reason for that after it, so it holds no more than that.
 */
export async function streamBody(
  deps: Deps,
  chunks: AsyncIterator<string | Uint8Array>,
): Promise<ReadableStream<Uint8Array>> {
  const encoder = new TextEncoder()
  const firstChunks = [await chunks.next(), await chunks.next()]
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = firstChunks.shift() ?? (await chunks.next())
        if (done) controller.close()
        else controller.enqueue(typeof value === 'string' ? encoder.encode(value) : value)
      } catch (error) {
        deps.log.warn(redactError(error), 'a list broke off')
        throw new Error('the list breaks off here')
      }
    },
    async cancel() {
      await chunks.return?.()
    },
  })
}

/** Offers a file under its name (RFC 6266), and under a plain one where names are ASCII. */
export function attachment(asciiName: string, name: string): string {
  // RFC 5987, 3.2.1 keeps these for itself, unlike URIs.
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
  return `attachment; filename="${asciiName}"; filename*=UTF-8''${encoded}`
}
