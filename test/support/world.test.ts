import { expect, test } from 'vitest'
import { createWorld } from './world.ts'

for (const postgres of [false, true]) {
  for (const n of [1, 2, 3])
    test(`a world ${postgres} ${n}`, async () => {
      const s = performance.now()
      await using world = await createWorld({ postgres })
      const m = performance.now()
      const workshop = await world.workshop()
      expect(workshop.status).toBe('open')
      expect(await world.register(workshop)).toMatchObject({ status: 'confirmed' })
      expect(await world.register(workshop)).toMatchObject({ status: 'confirmed' })
      expect(await world.register(workshop)).toMatchObject({ status: 'waitlisted', position: 1 })
      const t = performance.now()
      await world.close()
      console.log('open', m - s, 'use', t - m, 'close', performance.now() - t)
    })
}
