import { expect, test } from 'vitest'
import { createWorld } from '../support/world.ts'
import { findDivergence } from './search.ts'
import { type Action, actions } from './steps.ts'

/** For each kind of campaign; `npm run test:long` plays more. */
const sequenceCount = Number(process.env.MODEL_SEQUENCES ?? 100)

/** What steps have to have come to, and not to a refusal each time. */
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
  { campaign: 'a campaign where one may have several seats', oneSeatPerPerson: false },
])(
  'in $campaign the service does whatever the model does',
  async ({ oneSeatPerPerson }) => {
    await using world = await createWorld()
    const answers = new Map<Action, Set<string>>()
    const heard = (verb: Action, answer: unknown) =>
      answers.set(verb, (answers.get(verb) ?? new Set()).add(typeof answer === 'string' ? answer : typeof answer))
    const parting = await findDivergence(world, oneSeatPerPerson, sequenceCount, { heard })
    // A script that is played again has but its own steps.
    if (!parting && process.env.MODEL_PATH) return
    if (!parting) {
      expect([...answers.keys()].sort(), 'the steps that were taken').toEqual([...actions].sort())
      for (const [verb, effect] of Object.entries(expectedEffects)) {
        const said = [...(answers.get(verb as Action) ?? [])]
        expect(said, `what ${verb} came to`).toContainEqual(expect.stringMatching(effect))
      }
      return
    }
    const { script, error, reproduce } = parting
    throw new Error(`the service and the model part ways:\n\n${script}\n\nagain: ${reproduce} npm test -- test/model`, {
      cause: error,
    })
  },
  60_000 + sequenceCount * 2_000,
)
