import { test } from 'vitest'
import { createWorld } from '../support/world.ts'
import { search } from './search.ts'

/** For each kind of campaign; `npm run test:long` plays more. */
const sequences = Number(process.env.MODEL_SEQUENCES ?? 100)

test.each([
  { campaign: 'a campaign with one seat per person', oneSeatPerPerson: true },
  { campaign: 'a campaign where one may have several seats', oneSeatPerPerson: false },
])(
  'in $campaign the service does whatever the model does',
  async ({ oneSeatPerPerson }) => {
    await using world = await createWorld()
    const parting = await search(world, oneSeatPerPerson, sequences)
    if (!parting) return
    const { script, error, again } = parting
    throw new Error(`the service and the model part ways:\n\n${script}\n\nagain: ${again} npm test -- test/model`, {
      cause: error,
    })
  },
  60_000 + sequences * 2_000,
)
