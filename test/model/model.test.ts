import { expect, test } from 'vitest'
import { createWorld } from '../support/world.ts'
import { findDivergence } from './search.ts'
import { type Action, actions } from './steps.ts'

/** Per kind of campaign; `npm run test:long` runs more. */
const sequenceCount = Number(process.env.MODEL_SEQUENCES ?? 100)

/** Results that each of these actions must have reached at least once, so that it was not always refused. */
const expectedEffects: Partial<Record<Action, RegExp>> = {
  promote: /^promoted$/,
  acceptOfferFor: /^taken$/,
  merge: /^cancelled$/,
  markNotDuplicates: /^[2-9] people$/,
  edit: /^corrected .*name/,
  addManually: /^(confirmed|waitlisted \d+)$/,
  cancelInBulk: /^cancelled, cancelled/,
  moveInBulk: /^(confirmed|waitlisted)/,
  sendBroadcast: /^sent to [2-9]/,
  copyCampaign: /^[1-3] workshops$/,
  unpublish: /^changed$/,
  changeVenue: /^changed$/,
  rescheduleIn: /^changed$/,
}

test.each([
  { campaign: 'a campaign with one seat per person', oneSeatPerPerson: true },
  { campaign: 'a campaign with several seats per person', oneSeatPerPerson: false },
])(
  'in $campaign the service behaves like the model',
  async ({ oneSeatPerPerson }) => {
    await using world = await createWorld()
    const results = new Map<Action, Set<string>>()
    const onStep = (action: Action, result: unknown) =>
      results.set(action, (results.get(action) ?? new Set()).add(typeof result === 'string' ? result : typeof result))
    const divergence = await findDivergence(world, oneSeatPerPerson, sequenceCount, { onStep })
    // A reproduced script contains only its own steps.
    if (!divergence && process.env.MODEL_PATH) return
    if (!divergence) {
      expect([...results.keys()].sort(), 'the actions that were run').toEqual([...actions].sort())
      for (const [action, effect] of Object.entries(expectedEffects)) {
        const reached = [...(results.get(action as Action) ?? [])]
        expect(reached, `results of ${action}`).toContainEqual(expect.stringMatching(effect))
      }
      return
    }
    const { script, error, reproduce } = divergence
    throw new Error(
      `the service and the model diverge:\n\n${script}\n\nreproduce: ${reproduce} npm run test:slow -- test/model`,
      {
        cause: error,
      },
    )
  },
  60_000 + sequenceCount * 2_000,
)
