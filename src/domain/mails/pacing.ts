import type { Deps } from '../deps.ts'

/**
 * Seconds between the due times of bulk mails. With MAIL_RATE they use half of the rate and leave the rest to tickets;
 * without it all are due at once.
 */
export function bulkMailIntervalSeconds({ config }: Pick<Deps, 'config'>): number {
  return config.mailRate ? 120 / config.mailRate : 0
}
