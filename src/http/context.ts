import type { Context } from 'hono'
import { setCookie } from 'hono/cookie'
import { HTTPException } from 'hono/http-exception'
import type { Role } from '../db/schema.ts'
import type { Deps, RateLimitName } from '../domain/deps.ts'
import type { DoorSession } from '../domain/door/sessions.ts'
import type { Organiser, Token } from '../domain/organisers/organisers.ts'
import { fingerprint } from '../domain/tickets/signed-tokens.ts'
import type { Locale } from '../lib/config.ts'

/** Types of the Hono context. The entries (node.ts, worker.ts, tests) pass the bindings with each request. */
export type App = {
  Bindings: {
    deps: Deps
    /** Address of the client's end of the connection. Undefined where the platform does not tell it. */
    remoteAddress: string | undefined
  }
  Variables: {
    /** Language of the response. */
    locale: Locale
    /** Role of the bearer token or the session. */
    role: Role | undefined
    /** API token of the request. */
    token: Token | undefined
    /** Organiser who is signed in to the console. */
    organiser: SignedInOrganiser | undefined
    /** Door session of the helper's phone. */
    door: DoorSession | undefined
    /** The door session behind this cookie has ended. */
    doorSessionExpired: boolean | undefined
    /** A form of the console was sent without its confirmation: see web/console/ui/confirmation.tsx. */
    unconfirmed: boolean | undefined
    /** The response has all its headers: see responses.ts. */
    headersDone: true | undefined
  }
}

/** The organiser of a console session. */
export type SignedInOrganiser = Organiser & { sessionId: string }

/** A rate limit is exhausted. `retryAfter` in seconds. */
export class TooManyRequestsError extends HTTPException {
  constructor(readonly retryAfter: number) {
    super(429)
  }
}

/**
 * Consumes one point of a rate limit for the client's IP prefix.
 * @throws {TooManyRequestsError} when none is left
 */
export async function rateLimitByIp(c: Context<App>, name: RateLimitName): Promise<void> {
  const { ok, retryAfter } = await c.env.deps.rateLimit(name, ipPrefix(clientIp(c)))
  if (!ok) throw new TooManyRequestsError(retryAfter)
}

/**
 * Consumes one point of a rate limit for an e-mail address, from any client.
 * @throws {TooManyRequestsError} when none is left
 */
export async function rateLimitByEmail(c: Context<App>, name: RateLimitName, email: string): Promise<void> {
  const { rateLimit, config } = c.env.deps
  const { ok, retryAfter } = await rateLimit(name, fingerprint(config.secret, email.toLowerCase()))
  if (!ok) throw new TooManyRequestsError(retryAfter)
}

/**
 * The client's address: that of the connection or, behind TRUST_PROXY proxies, the entry of X-Forwarded-For that the
 * outermost of them added. Entries to its left come from the client and are not trusted.
 */
function clientIp(c: Context<App>): string {
  const hops = c.env.deps.config.trustProxy
  const forwarded =
    c.req
      .header('x-forwarded-for')
      ?.split(',')
      .map((address) => address.trim()) ?? []
  return (hops > 0 && forwarded[forwarded.length - hops]) || c.env.remoteAddress || 'unknown'
}

/** Sets the door session cookie. */
export function setDoorCookie(c: Context<App>, token: string, { expiresAt }: DoorSession): void {
  const secure = c.env.deps.config.baseUrl.startsWith('https:')
  // A day longer than the session, so that the page can say that check-in has closed.
  const expires = new Date(expiresAt.getTime() + 24 * 3_600_000)
  setCookie(c, 'door', token, { path: '/', httpOnly: true, sameSite: 'Lax', secure, expires })
}

/**
 * True for a request from this machine itself: not over the network, not through a proxy, and not to a host name that
 * another site may have pointed here (DNS rebinding).
 */
export function isLoopback(c: Context<App>): boolean {
  const address = c.env.remoteAddress?.replace(/^::ffff:/, '') ?? ''
  const host = new URL(c.req.url).hostname
  return (
    (address.startsWith('127.') || address === '::1') &&
    ![...c.req.raw.headers.keys()].some(isForwardingHeader) &&
    loopbackHosts.includes(host)
  )
}

/**
 * True for headers that proxies, tunnels and CDNs add: the registered ones (RFC 9110, 7239, 8586), those with the
 * client's address, and the families of common products. Browsers send none of them when they open a page.
 */
function isForwardingHeader(name: string): boolean {
  return [
    /^(?:via|forwarded|cdn-loop|x-(?:host|scheme|request-id))$/,
    /(?:client|connecting|real|remote|source|user)-?(?:ip|addr|port)$/,
    /^x-(?:forwarded|original|envoy|proxy|cluster|real|amzn|amz|azure|appengine|arr|varnish)(?:-|$)/,
    /^(?:cf|fastly|fly|akamai|ali|tailscale)-/,
  ].some((pattern) => pattern.test(name))
}

/**
 * Whether mails are shown at /mailbox: when no SMTP server is set and BASE_URL is on this machine or in its network. With
 * a public BASE_URL a proxy on this machine may forward requests from anywhere.
 */
export function isMailPreviewEnabled({ embedded, config }: Pick<Deps, 'embedded' | 'config'>): boolean {
  const { protocol, hostname, port } = new URL(config.baseUrl)
  // The address that is printed for HOST=0.0.0.0. There is no proxy in front of our own port.
  const inLocalNetwork =
    protocol === 'http:' &&
    Number(port || 80) === config.port &&
    /^(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01])|169\.254)\./.test(hostname)
  return embedded && !config.smtpUrl && (loopbackHosts.includes(hostname) || inLocalNetwork)
}

const loopbackHosts = ['localhost', '127.0.0.1', '[::1]']

/** The /24 of an IPv4 address or the /56 of an IPv6 address: offices and carriers share addresses. */
export function ipPrefix(address: string): string {
  const normalized = address.replace(/^::ffff:/, '').replace(/%.*$/, '')
  if (normalized.includes('.')) return normalized.split('.').slice(0, 3).join('.')
  if (!normalized.includes(':')) return normalized
  const [head = '', tail] = normalized.split('::')
  const left = head ? head.split(':') : []
  const right = tail ? tail.split(':') : []
  const zeros = tail === undefined ? [] : Array(Math.max(0, 8 - left.length - right.length)).fill('0')
  const groups = [...left, ...zeros, ...right].map((group) => group.padStart(4, '0'))
  return `${groups.slice(0, 3).join(':')}:${groups[3]?.slice(0, 2) ?? '00'}`
}
