import { expect, test } from 'vitest'
import { createWorld } from '../support/world.ts'
import { search } from './search.ts'
import { type Verb, verbs } from './steps.ts'

/** For each kind of campaign; `npm run test:long` plays more. */
const sequences = Number(process.env.MODEL_SEQUENCES ?? 100)

/** What steps have to have come to, and not to a refusal each time. */
const effects: Partial<Record<Verb, RegExp>> = {
  promote: /^promoted$/,
  confirmFor: /^taken$/,
  merge: /^cancelled$/,
  tellApart: /^[2-9] people$/,
  edit: /^corrected .*name/,
  addByHand: /^(confirmed|waitlisted \d+)$/,
  cancelTogether: /^cancelled, cancelled/,
  moveTogether: /^(confirmed|waitlisted)/,
  send: /^sent to [2-9]/,
  copyMonth: /^[1-3] workshops$/,
  unpublish: /^changed$/,
  changeVenue: /^changed$/,
  startIn: /^changed$/,
}

test.each([
  { campaign: 'a campaign with one seat per person', oneSeatPerPerson: true },
  { campaign: 'a campaign where one may have several seats', oneSeatPerPerson: false },
])(
  'in $campaign the service does whatever the model does',
  async ({ oneSeatPerPerson }) => {
    await using world = await createWorld()
    const answers = new Map<Verb, Set<string>>()
    const heard = (verb: Verb, answer: unknown) =>
      answers.set(verb, (answers.get(verb) ?? new Set()).add(typeof answer === 'string' ? answer : typeof answer))
    const parting = await search(world, oneSeatPerPerson, sequences, { heard })
    // A script that is played again has but its own steps.
    if (!parting && process.env.MODEL_PATH) return
    if (!parting) {
      expect([...answers.keys()].sort(), 'the steps that were taken').toEqual([...verbs].sort())
      for (const [verb, effect] of Object.entries(effects)) {
        const said = [...(answers.get(verb as Verb) ?? [])]
        expect(said, `what ${verb} came to`).toContainEqual(expect.stringMatching(effect))
      }
      return
    }
    const { script, error, again } = parting
    throw new Error(`the service and the model part ways:\n\n${script}\n\nagain: ${again} npm test -- test/model`, {
      cause: error,
    })
  },
  60_000 + sequences * 2_000,
)
