import { hash, timingSafeEqual } from 'node:crypto'

/** Which registration a ticket or door code stands for. */
export type Bearer = { id: string; version: number }

/**
 * The secret of the attendee's ticket link: id, version and a keyed hash of both, so that nothing secret is stored and
 * a forged one is refused without asking the database. 128 bits of hash.
 */
export const ticketOf = (secret: string, bearer: Bearer) => seal(secret, 'ticket', bearer, 16)

/** What the QR on the ticket says: good for checking in and nothing else. 96 bits of hash keep the QR coarse. */
export const doorCodeOf = (secret: string, bearer: Bearer) => seal(secret, 'door', bearer, 12)

/** The registration of a ticket, or undefined for a forged or mangled one. Its version is still to be compared. */
export const readTicket = (secret: string, ticket: string) => unseal(secret, 'ticket', ticket, 16)

/** The registration of a door code, or undefined for a forged or mangled one. Its version is still to be compared. */
export const readDoorCode = (secret: string, code: string) => unseal(secret, 'door', code, 12)

/** The secret of the link that is mailed to whoever is to confirm a held sign-up. 128 bits of hash. */
export const heldCodeOf = (secret: string, id: string) => seal(secret, 'held', { id, version: 1 }, 16)

/** The id of the held sign-up that a code stands for, or undefined for a forged or mangled one. */
export const readHeldCode = (secret: string, code: string) => unseal(secret, 'held', code, 16)?.id

/** The secret of the link that signs an organiser in, which is mailed to them; once good for one sign-in. */
export const signInCodeOf = (secret: string, id: string) => seal(secret, 'sign-in', { id, version: 1 }, 16)

/** What the QR says that lets helpers' phones in to a workshop; another one once its version is raised. 128 bits of hash. */
export const joinCodeOf = (secret: string, { id, version }: Bearer) =>
  seal(secret, 'join', { id, version: version % 256 }, 16)

/** The workshop of a join code, with its version (of which the rest by 256 is kept), or undefined for a forged one. */
export const readJoinCode = (secret: string, code: string) => unseal(secret, 'join', code, 16)

/** What a sign-in code was made of, or undefined for one that is none of ours. */
export const readSignInCode = (secret: string, code: string) => unseal(secret, 'sign-in', code, 16)?.id

/** The secret of the link that makes the first owner, for as long as there is none. */
export const firstOwnerCodeOf = (secret: string) => keyFor(secret, 'first-owner')

/** Whether a code makes the first owner. */
export const isFirstOwnerCode = (secret: string, code: string) => isSameKey(code, firstOwnerCodeOf(secret))

/** The key that opens /mailbox. It stays the same, so that a printed link is still good after a restart. */
export const mailboxKeyOf = (secret: string) => keyFor(secret, 'mailbox')

/** Whether a key opens /mailbox. */
export const isMailboxKey = (secret: string, key: string) => isSameKey(key, mailboxKeyOf(secret))

/** A keyed hash of a text: to recognise it again without keeping it. */
export function fingerprintOf(secret: string, text: string): string {
  return keyedHash(secret, 'fingerprint', Buffer.from(text)).subarray(0, 16).toString('base64url')
}

/** What only this installation can make of a text, another for each purpose. */
export function keyedHash(secret: string, purpose: Purpose, body: Buffer): Buffer {
  if (padded?.secret !== secret) padded = { secret, ...padsOf(secret) }
  return sha256(padded.outer, sha256(padded.inner, Buffer.from(`${purpose}:`), body))
}

const sha256 = (...parts: Buffer[]) => hash('sha256', Buffer.concat(parts), 'buffer')

/**
 * The secret that was used last, as HMAC begins with it (RFC 2104). `createHmac` makes an object of each hash, which took
 * a tenth of the time of a sign-up.
 */
let padded: { secret: string; inner: Buffer; outer: Buffer } | undefined

function padsOf(secret: string): { inner: Buffer; outer: Buffer } {
  const bytes = Buffer.from(secret)
  const key = Buffer.alloc(64)
  const fitting = bytes.length > key.length ? hash('sha256', bytes, 'buffer') : bytes
  fitting.copy(key)
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
function keyFor(secret: string, purpose: Purpose): string {
  return keyedHash(secret, purpose, Buffer.alloc(0)).subarray(0, 16).toString('base64url')
}

/** Compares keys in a time that does not depend on where they differ. */
function isSameKey(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function seal(secret: string, purpose: Purpose, { id, version }: Bearer, hashBytes: number): string {
  const body = Buffer.alloc(17)
  body.write(id.replaceAll('-', ''), 'hex')
  body.writeUInt8(version, 16)
  return Buffer.concat([body, keyedHash(secret, purpose, body).subarray(0, hashBytes)]).toString('base64url')
}

function unseal(secret: string, purpose: Purpose, text: string, hashBytes: number): Bearer | undefined {
  if (!/^[A-Za-z0-9_-]{30,60}$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length !== 17 + hashBytes || bytes.toString('base64url') !== text) return undefined
  const body = bytes.subarray(0, 17)
  if (!timingSafeEqual(bytes.subarray(17), keyedHash(secret, purpose, body).subarray(0, hashBytes))) return undefined
  const hex = body.toString('hex', 0, 16)
  const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  return { id, version: body.readUInt8(16) }
}
