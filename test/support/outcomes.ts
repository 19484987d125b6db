import type { Deps } from '../../src/deps.ts'
import { type Attempt, type Outcome, recordOutcomes } from '../../src/domain/mails.ts'

/** Records what became of one claimed mail. */
export async function recordOutcome(deps: Deps, mail: Attempt, outcome: Outcome): Promise<Outcome['kind'] | undefined> {
  return (await recordOutcomes(deps, [{ mail, outcome }]))[0]?.kind
}
