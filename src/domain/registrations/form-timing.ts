import { timingSafeEqual } from 'node:crypto'
import type { Deps } from '../deps.ts'
import { hmac } from '../tickets/signed-tokens.ts'

/** Shortest plausible time for filling in the form. Simple bots submit at once. */
export const minFillTimeMs = 2_000

/**
 * Signs the time at which a form was first shown. The HMAC covers workshop and idempotency key, so a rendered form can be
 * submitted only once.
 */
export function signFormTimestamp(deps: Deps, slug: string, key: string, shownAt: Date): string {
  const time = shownAt.getTime().toString(36)
  return `${time}.${timestampHmac(deps, slug, key, time).toString('base64url')}`
}

/** Returns the time signed by `signFormTimestamp`. Undefined if missing, forged or of another form. */
export function verifyFormTimestamp(deps: Deps, slug: string, key: string, timestamp: string): Date | undefined {
  const [, time = '', hash = ''] = /^([0-9a-z]{1,9})\.([\w-]{22})$/.exec(timestamp) ?? []
  const actual = Buffer.from(hash, 'base64url')
  const expected = timestampHmac(deps, slug, key, time)
  return actual.length === expected.length && timingSafeEqual(actual, expected)
    ? new Date(Number.parseInt(time, 36))
    : undefined
}

function timestampHmac({ config }: Deps, slug: string, key: string, time: string): Buffer {
  return hmac(config.secret, 'guard', Buffer.from(`${slug} ${key} ${time}`)).subarray(0, 16)
}
