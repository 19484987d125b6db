import { timingSafeEqual } from 'node:crypto'
import type { Deps } from '../deps.ts'
import { keyedHash } from './tickets.ts'

/** How long people take at the least from seeing a form to sending it, in milliseconds. Simple bots take none. */
export const shortestLook = 2_000

/**
 * What a form carries to show later when it was first shown: the time, with a keyed hash that holds for this workshop and
 * this idempotency key alone, so that one look at the form is good for one sign-up.
 */
export function guardOf(deps: Deps, slug: string, key: string, shownAt: Date): string {
  const time = shownAt.getTime().toString(36)
  return `${time}.${hashOf(deps, slug, key, time).toString('base64url')}`
}

/** When the form that carries a guard was first shown; undefined for a guard that is missing, forged or of another form. */
export function readGuard(deps: Deps, slug: string, key: string, guard: string): Date | undefined {
  const [, time = '', hash = ''] = /^([0-9a-z]{1,9})\.([\w-]{22})$/.exec(guard) ?? []
  const given = Buffer.from(hash, 'base64url')
  const right = hashOf(deps, slug, key, time)
  return given.length === right.length && timingSafeEqual(given, right)
    ? new Date(Number.parseInt(time, 36))
    : undefined
}

function hashOf({ config }: Deps, slug: string, key: string, time: string): Buffer {
  return keyedHash(config.secret, 'guard', Buffer.from(`${slug} ${key} ${time}`)).subarray(0, 16)
}
