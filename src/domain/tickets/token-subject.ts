import type { TokenSubject } from './signed-tokens.ts'

/*
 * The parts of a signed token that need no secret, for the script on a helper's phone: a token is the registration's id, its
 * ticket version and a keyed hash of both.
 */

/** Bytes of the id and the version. */
export const subjectBytes = 17

/** Bytes of the hash in a check-in code: 96 bits keep the QR coarse. */
export const checkInHashBytes = 12

/** Reads what a token is for, without verifying it. */
export function parseTokenSubject(token: Uint8Array): TokenSubject {
  const hex = Array.from(token.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('')
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  return { id, version: token[16] ?? 0 }
}
