import type { Context } from 'hono'
import { redactError } from '../db/database.ts'
import type { Deps } from '../domain/deps.ts'
import type { App } from './context.ts'

/** Headers of every response. Pages that embed HTML of others set their own Content-Security-Policy. */
export const securityHeaderValues: Readonly<Record<string, string>> = {
  // No third parties, nothing inline.
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
  // Without includeSubDomains: other hosts of the domain may not have TLS.
  'Strict-Transport-Security': 'max-age=15552000',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}

/** Allows a response in frames, of our own pages or of any site. Forms in it cannot be submitted. */
export function allowFraming(c: Context<App>, frameAncestors: "'self'" | '*'): void {
  c.header(
    'Content-Security-Policy',
    securityHeaderValues['Content-Security-Policy']
      ?.replace("frame-ancestors 'none'", `frame-ancestors ${frameAncestors}`)
      .replace("form-action 'self'", "form-action 'none'"),
  )
}

/** qr-scanner starts its worker from a blob: URL; the service worker caches the page. */
export const doorSecurityHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': `${securityHeaderValues['Content-Security-Policy']}; worker-src 'self' blob:`,
  'Permissions-Policy': 'camera=(self)',
}

/**
 * Builds a response with its complete headers in one object, which the middleware leaves alone. For the fast path only:
 * see fast-path.ts.
 * @param headers besides those of every response
 */
export function rawResponse(
  c: Context<App>,
  body: string | Uint8Array<ArrayBuffer>,
  status: number,
  headers: Record<string, string>,
): Response {
  c.set('headersDone', true)
  return new Response(body, {
    status,
    headers: { ...securityHeaderValues, 'Content-Language': c.get('locale'), ...headers },
  })
}

/**
 * Streams chunks as a response body. Two chunks, the header row and the first rows, are read before responding, so that
 * an unavailable database still yields 503. A later failure aborts the connection, so that the client cannot mistake a
 * truncated list for a complete one; its message reaches the client on some servers and names nothing.
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
        deps.log.warn(redactError(error), 'export aborted')
        throw new Error('export aborted')
      }
    },
    async cancel() {
      await chunks.return?.()
    },
  })
}

/** Content-Disposition for a download (RFC 6266), with an ASCII name for old clients. */
export function attachment(asciiName: string, name: string): string {
  // RFC 5987, 3.2.1 reserves these; encodeURIComponent does not encode them.
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
  return `attachment; filename="${asciiName}"; filename*=UTF-8''${encoded}`
}
