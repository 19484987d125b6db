import { hash, timingSafeEqual } from 'node:crypto'
import { checkInHashBytes, parseTokenSubject, subjectBytes } from './token-subject.ts'

/** The id (a registration, workshop, …) and version that a token is signed for. */
export type TokenSubject = { id: string; version: number }

/**
 * Secret of the attendee's ticket link: id, version and an HMAC of both, so that no secret is stored and forged ones are
 * rejected without a database query. 128-bit HMAC.
 */
export const createTicketToken = (secret: string, subject: TokenSubject) => signToken(secret, 'ticket', subject, 16)

/** Check-in code in the ticket's QR, valid for checking in only. 96-bit HMAC, to keep the QR small. */
export const createCheckInCode = (secret: string, subject: TokenSubject) =>
  signToken(secret, 'door', subject, checkInHashBytes)

/** Verifies a ticket token. Undefined if forged or malformed. The caller must compare the version. */
export const verifyTicketToken = (secret: string, ticket: string) => verifyToken(secret, 'ticket', ticket, 16)

/** Verifies a check-in code. Undefined if forged or malformed. The caller must compare the version. */
export const verifyCheckInCode = (secret: string, code: string) => verifyToken(secret, 'door', code, checkInHashBytes)

/** Secret of the mailed link that confirms a pending sign-up. 128-bit HMAC. */
export const createPendingSignUpCode = (secret: string, id: string) => signToken(secret, 'held', { id, version: 1 }, 16)

/** Returns the id of the pending sign-up. Undefined if the code is forged or malformed. */
export const verifyPendingSignUpCode = (secret: string, code: string) => verifyToken(secret, 'held', code, 16)?.id

/** Secret of the mailed link that signs an organiser in once. */
export const createSignInCode = (secret: string, id: string) => signToken(secret, 'sign-in', { id, version: 1 }, 16)

/** Join code in the helpers' QR. Raising the version invalidates it. 128-bit HMAC. */
export const createJoinCode = (secret: string, { id, version }: TokenSubject) =>
  signToken(secret, 'join', { id, version: version % 256 }, 16)

/** Returns the workshop id and the version modulo 256. Undefined if the code is forged or malformed. */
export const verifyJoinCode = (secret: string, code: string) => verifyToken(secret, 'join', code, 16)

/** Returns the id that a sign-in code was created with. Undefined if the code is forged or malformed. */
export const verifySignInCode = (secret: string, code: string) => verifyToken(secret, 'sign-in', code, 16)?.id

/** Secret of the link that creates the first owner. The caller must check that there is none yet. */
export const createFirstOwnerCode = (secret: string) => deriveKey(secret, 'first-owner')

export const isFirstOwnerCode = (secret: string, code: string) => isSameKey(code, createFirstOwnerCode(secret))

/** Key that opens /mailbox. Derived from the secret, so that a printed link survives a restart. */
export const createMailboxKey = (secret: string) => deriveKey(secret, 'mailbox')

export const isMailboxKey = (secret: string, key: string) => isSameKey(key, createMailboxKey(secret))

/** Keyed hash of a text, to compare it later without storing it. */
export function fingerprint(secret: string, text: string): string {
  return hmac(secret, 'fingerprint', Buffer.from(text)).subarray(0, 16).toString('base64url')
}

/** HMAC-SHA256 of a body with the installation's secret, prefixed with the purpose. */
export function hmac(secret: string, purpose: Purpose, body: Buffer): Buffer {
  if (cachedPads?.secret !== secret) cachedPads = { secret, ...hmacPads(secret) }
  return sha256(cachedPads.outer, sha256(cachedPads.inner, Buffer.from(`${purpose}:`), body))
}

const sha256 = (...parts: Buffer[]) => hash('sha256', Buffer.concat(parts), 'buffer')

/**
 * Inner and outer pad (RFC 2104) of the secret that was used last. `createHmac` allocates an object per hash, which took a
 * tenth of the time of a sign-up.
 */
let cachedPads: { secret: string; inner: Buffer; outer: Buffer } | undefined

function hmacPads(secret: string): { inner: Buffer; outer: Buffer } {
  const bytes = Buffer.from(secret)
  const key = Buffer.alloc(64)
  const keyBytes = bytes.length > key.length ? hash('sha256', bytes, 'buffer') : bytes
  keyBytes.copy(key)
  const padWith = (pad: number) => Buffer.from(key.map((byte) => byte ^ pad))
  return { inner: padWith(0x36), outer: padWith(0x5c) }
}

type Purpose =
  | 'ticket'
  | 'door'
  | 'join'
  | 'held'
  | 'sign-in'
  | 'first-owner'
  | 'mailbox'
  | 'fingerprint'
  | 'guard'
  | 'challenge'
  | 'solution'

/** Derives the installation's key for a purpose. 128 bits. */
function deriveKey(secret: string, purpose: Purpose): string {
  return hmac(secret, purpose, Buffer.alloc(0)).subarray(0, 16).toString('base64url')
}

/** Compares keys in constant time. */
function isSameKey(actual: string, expected: string): boolean {
  const [a, b] = [Buffer.from(actual), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function signToken(secret: string, purpose: Purpose, { id, version }: TokenSubject, hashBytes: number): string {
  const body = Buffer.alloc(subjectBytes)
  body.write(id.replaceAll('-', ''), 'hex')
  body.writeUInt8(version, 16)
  return Buffer.concat([body, hmac(secret, purpose, body).subarray(0, hashBytes)]).toString('base64url')
}

function verifyToken(secret: string, purpose: Purpose, text: string, hashBytes: number): TokenSubject | undefined {
  if (!/^[A-Za-z0-9_-]{30,60}$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length !== subjectBytes + hashBytes || bytes.toString('base64url') !== text) return undefined
  const body = bytes.subarray(0, subjectBytes)
  if (!timingSafeEqual(bytes.subarray(subjectBytes), hmac(secret, purpose, body).subarray(0, hashBytes)))
    return undefined
  return parseTokenSubject(body)
}
