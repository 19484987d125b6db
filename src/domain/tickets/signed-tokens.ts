import { hash, timingSafeEqual } from 'node:crypto'

/** Which registration a ticket or door code stands for. */
export type TokenSubject = { id: string; version: number }

/**
 * The secret of the attendee's ticket link: id, version and a keyed hash of both, so that nothing secret is stored and
 * a forged one is refused without asking the database. 128 bits of hash.
 */
export const createTicketToken = (secret: string, subject: TokenSubject) => signToken(secret, 'ticket', subject, 16)

/** What the QR on the ticket says: good for checking in and nothing else. 96 bits of hash keep the QR coarse. */
export const createCheckInCode = (secret: string, subject: TokenSubject) => signToken(secret, 'door', subject, 12)

/** The registration of a ticket, or undefined for a forged or mangled one. Its version is still to be compared. */
export const verifyTicketToken = (secret: string, ticket: string) => verifyToken(secret, 'ticket', ticket, 16)

/** The registration of a door code, or undefined for a forged or mangled one. Its version is still to be compared. */
export const verifyCheckInCode = (secret: string, code: string) => verifyToken(secret, 'door', code, 12)

/** The secret of the link that is mailed to whoever is to confirm a held sign-up. 128 bits of hash. */
export const createPendingSignUpCode = (secret: string, id: string) => signToken(secret, 'held', { id, version: 1 }, 16)

/** The id of the held sign-up that a code stands for, or undefined for a forged or mangled one. */
export const verifyPendingSignUpCode = (secret: string, code: string) => verifyToken(secret, 'held', code, 16)?.id

/** The secret of the link that signs an organiser in, which is mailed to them; once good for one sign-in. */
export const createSignInCode = (secret: string, id: string) => signToken(secret, 'sign-in', { id, version: 1 }, 16)

/** What the QR says that lets helpers' phones in to a workshop; another one once its version is raised. 128 bits of hash. */
export const createJoinCode = (secret: string, { id, version }: TokenSubject) =>
  signToken(secret, 'join', { id, version: version % 256 }, 16)

/** The workshop of a join code, with its version (of which the rest by 256 is kept), or undefined for a forged one. */
export const verifyJoinCode = (secret: string, code: string) => verifyToken(secret, 'join', code, 16)

/** What a sign-in code was made of, or undefined for one that is none of ours. */
export const verifySignInCode = (secret: string, code: string) => verifyToken(secret, 'sign-in', code, 16)?.id

/** The secret of the link that makes the first owner, for as long as there is none. */
export const createFirstOwnerCode = (secret: string) => deriveKey(secret, 'first-owner')

/** Whether a code makes the first owner. */
export const isFirstOwnerCode = (secret: string, code: string) => isSameKey(code, createFirstOwnerCode(secret))

/** The key that opens /mailbox. It stays the same, so that a printed link is still good after a restart. */
export const createMailboxKey = (secret: string) => deriveKey(secret, 'mailbox')

/** Whether a key opens /mailbox. */
export const isMailboxKey = (secret: string, key: string) => isSameKey(key, createMailboxKey(secret))

/** A keyed hash of a text: to recognise it again without keeping it. */
export function fingerprint(secret: string, text: string): string {
  return hmac(secret, 'fingerprint', Buffer.from(text)).subarray(0, 16).toString('base64url')
}

/** What only this installation can make of a text, another for each purpose. */
export function hmac(secret: string, purpose: Purpose, body: Buffer): Buffer {
  if (cachedPads?.secret !== secret) cachedPads = { secret, ...hmacPads(secret) }
  return sha256(cachedPads.outer, sha256(cachedPads.inner, Buffer.from(`${purpose}:`), body))
}

const sha256 = (...parts: Buffer[]) => hash('sha256', Buffer.concat(parts), 'buffer')

/**
 * The secret that was used last, as HMAC begins with it (RFC 2104). `createHmac` makes an object of each hash, which took
 * a tenth of the time of a sign-up.
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

/** The installation's one key for a purpose. 128 bits of hash. */
function deriveKey(secret: string, purpose: Purpose): string {
  return hmac(secret, purpose, Buffer.alloc(0)).subarray(0, 16).toString('base64url')
}

/** Compares keys in a time that does not depend on where they differ. */
function isSameKey(actual: string, expected: string): boolean {
  const [a, b] = [Buffer.from(actual), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function signToken(secret: string, purpose: Purpose, { id, version }: TokenSubject, hashBytes: number): string {
  const body = Buffer.alloc(17)
  body.write(id.replaceAll('-', ''), 'hex')
  body.writeUInt8(version, 16)
  return Buffer.concat([body, hmac(secret, purpose, body).subarray(0, hashBytes)]).toString('base64url')
}

function verifyToken(secret: string, purpose: Purpose, text: string, hashBytes: number): TokenSubject | undefined {
  if (!/^[A-Za-z0-9_-]{30,60}$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length !== 17 + hashBytes || bytes.toString('base64url') !== text) return undefined
  const body = bytes.subarray(0, 17)
  if (!timingSafeEqual(bytes.subarray(17), hmac(secret, purpose, body).subarray(0, hashBytes))) return undefined
  const hex = body.toString('hex', 0, 16)
  const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  return { id, version: body.readUInt8(16) }
}
