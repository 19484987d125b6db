import type { Context } from 'hono'
import { setCookie } from 'hono/cookie'
import { HTTPException } from 'hono/http-exception'
import type { Role } from '../db/schema.ts'
import type { Deps, RateLimitName } from '../domain/deps.ts'
import type { DoorSession } from '../domain/door/sessions.ts'
import type { Organiser, Token } from '../domain/organisers/organisers.ts'
import { fingerprint } from '../domain/tickets/signed-tokens.ts'
import type { Locale } from '../lib/config.ts'

/** What every handler finds in its context. The entries (node.ts, worker.ts, tests) give the bindings with each request. */
export type App = {
  Bindings: {
    deps: Deps
    /** Address of whoever opened the connection, as the platform tells it. */
    peer: string | undefined
  }
  Variables: {
    /** The language of this answer. */
    locale: Locale
    /** What the caller's bearer token or session allows, if there is one. */
    role: Role | undefined
    /** The API token that was brought, if there is one. */
    token: Token | undefined
    /** Who is signed in to the console. */
    organiser: SignedInOrganiser | undefined
    /** The door that the helper's phone is which asks, if it is one. */
    door: DoorSession | undefined
    /** True for a phone that was a door and is none any more. */
    doorOver: boolean | undefined
    /** True for a form of the console that was sent without its confirmation: see console/confirmation.tsx. */
    unconfirmed: boolean | undefined
    /** True for an answer that has all its headers: see answer.ts. */
    whole: true | undefined
  }
}

/** An organiser in the browser where they are signed in. */
export type SignedInOrganiser = Organiser & { sessionId: string }

/** Too many requests of one kind from one place. `retryAfter` in seconds. */
export class TooManyRequestsError extends HTTPException {
  constructor(readonly retryAfter: number) {
    super(429)
  }
}

/**
 * Takes one of the visits that the caller's address range has left.
 * @throws {TooManyRequestsError} when none is left
 */
export async function rateLimitByIp(c: Context<App>, name: RateLimitName): Promise<void> {
  const { ok, retryAfter } = await c.env.deps.rateLimit(name, ipPrefix(clientIp(c)))
  if (!ok) throw new TooManyRequestsError(retryAfter)
}

/**
 * Takes one of the visits that a mailbox has left, whoever asks.
 * @throws {TooManyRequestsError} when none is left
 */
export async function rateLimitByEmail(c: Context<App>, name: RateLimitName, email: string): Promise<void> {
  const { rateLimit, config } = c.env.deps
  const { ok, retryAfter } = await rateLimit(name, fingerprint(config.secret, email.toLowerCase()))
  if (!ok) throw new TooManyRequestsError(retryAfter)
}

/**
 * The visitor's address: the peer's, or where TRUST_PROXY proxies stand in front, the entry of X-Forwarded-For that the
 * outermost of them wrote. Whatever stands left of it was written by the visitor and is not believed.
 */
function clientIp(c: Context<App>): string {
  const hops = c.env.deps.config.trustProxy
  const forwarded =
    c.req
      .header('x-forwarded-for')
      ?.split(',')
      .map((address) => address.trim()) ?? []
  return (hops > 0 && forwarded[forwarded.length - hops]) || c.env.peer || 'unknown'
}

/** Gives a phone the token that makes it a door, for as long as the door is open. */
export function setDoorCookie(c: Context<App>, token: string, { expiresAt }: DoorSession): void {
  const secure = c.env.deps.config.baseUrl.startsWith('https:')
  // Kept a day longer than it is good, so that the phone is told that its door is closed, and not that it is none.
  const expires = new Date(expiresAt.getTime() + 24 * 3_600_000)
  setCookie(c, 'door', token, { path: '/', httpOnly: true, sameSite: 'Lax', secure, expires })
}

/**
 * Whether a request comes from this machine itself: not over the network, not through a proxy, and not by a name that
 * somebody else's page could have made to point here (DNS rebinding).
 */
export function isLoopback(c: Context<App>): boolean {
  const peer = c.env.peer?.replace(/^::ffff:/, '') ?? ''
  const host = new URL(c.req.url).hostname
  return (
    (peer.startsWith('127.') || peer === '::1') &&
    ![...c.req.raw.headers.keys()].some(isForwardingHeader) &&
    loopbackHosts.includes(host)
  )
}

/**
 * Whether a proxy, tunnel or CDN added a request header: the registered ones (RFC 9110, 7239, 8586), those that carry the
 * client's address, and the families of common products. Browsers send none of them when a page is opened.
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
 * Whether mails are shown at /mailbox: where nothing sends them, and the installation is one that is known to this machine
 * and its network only. A proxy on this machine may pass on the whole world's requests as if they were its own.
 */
export function isMailPreviewEnabled({ embedded, config }: Pick<Deps, 'embedded' | 'config'>): boolean {
  const { protocol, hostname, port } = new URL(config.baseUrl)
  // The address that is printed for HOST=0.0.0.0. On our own port no proxy can stand in front.
  const inLocalNetwork =
    protocol === 'http:' &&
    Number(port || 80) === config.port &&
    /^(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01])|169\.254)\./.test(hostname)
  return embedded && !config.smtpUrl && (loopbackHosts.includes(hostname) || inLocalNetwork)
}

const loopbackHosts = ['localhost', '127.0.0.1', '[::1]']

/** Offices and carriers share addresses: a /24 of IPv4 or a /56 of IPv6 counts as one place. */
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
