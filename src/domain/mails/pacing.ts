import type { Deps } from '../deps.ts'

/**
 * How many seconds lie between mails that are owed to many at once: with MAIL_RATE every other turn is left to tickets,
 * without it there is nothing to wait for.
 */
export function bulkMailIntervalSeconds({ config }: Pick<Deps, 'config'>): number {
  return config.mailRate ? 120 / config.mailRate : 0
}
