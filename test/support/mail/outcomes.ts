import type { Deps } from '../../../src/domain/deps.ts'
import { type DeliveryAttempt, type DeliveryOutcome, recordOutcomes } from '../../../src/domain/mails/outbox.ts'

/** Records the outcome of one claimed mail. */
export async function recordOutcome(
  deps: Deps,
  mail: DeliveryAttempt,
  outcome: DeliveryOutcome,
): Promise<DeliveryOutcome['kind'] | undefined> {
  return (await recordOutcomes(deps, [{ mail, outcome }]))[0]?.kind
}
