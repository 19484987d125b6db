import { timingSafeEqual } from 'node:crypto'
import type { Deps } from '../deps.ts'
import { hmac } from '../tickets/signed-tokens.ts'

/** How long people take at the least from seeing a form to sending it, in milliseconds. Simple bots take none. */
export const minFillTimeMs = 2_000

/**
 * What a form carries to show later when it was first shown: the time, with a keyed hash that holds for this workshop and
 * this idempotency key alone, so that one look at the form is good for one sign-up.
 */
export function signFormTimestamp(deps: Deps, slug: string, key: string, shownAt: Date): string {
  const time = shownAt.getTime().toString(36)
  return `${time}.${timestampHmac(deps, slug, key, time).toString('base64url')}`
}

/** When the form that carries a guard was first shown; undefined for a guard that is missing, forged or of another form. */
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
