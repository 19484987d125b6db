import { test } from 'vitest'
import { createWorld } from '../support/world.ts'
import { startScenario } from './scenario.ts'

/** Divergences that the random search found, kept as tests. */
test('expireOffers counts an offer of an erased attendee', async () => {
  await using world = await createWorld()
  const scenario = await startScenario(world, {
    oneSeatPerPerson: false,
    workshops: {
      shanghai: { capacity: 1, waitlist: true, startsAt: 5760, confirmHours: 2 },
      nanjing: { capacity: 1, waitlist: true, startsAt: 5760 },
    },
  })
  await scenario.signUp('bob', 'shanghai')
  await scenario.signUpBatch([['anna', 'shanghai', 'k1']])
  await scenario.changeCapacity('shanghai', 3)
  await scenario.rescheduleIn('shanghai', 0)
  await scenario.cancel('confirmed in shanghai', 'organiser')
  await scenario.erase('anna', 'organiser')
  await scenario.rescheduleIn('shanghai', 2880)
  await scenario.expireOffers()
  await scenario.finish()
}, 60000)
