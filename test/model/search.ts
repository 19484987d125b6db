import fc from 'fast-check'
import type { World } from '../support/world.ts'
import { startPlay } from './play.ts'
import { announcement, scriptOf, steps, take, type Verb } from './steps.ts'

/** Where the service and the model part ways: the shortest script that was found, and how to find it again. */
export type Parting = { script: string; error: unknown; again: string }

/**
 * Plays random scripts until the service and the model part ways; undefined if they never do.
 * @param sequences how many scripts, of up to 60 steps each
 * @param shorten false to keep the first script as it was found
 * @param heard is told of each step that was taken, and what it was answered
 */
export async function search(
  world: World,
  oneSeatPerPerson: boolean,
  sequences: number,
  { shorten = true, heard = () => {} }: { shorten?: boolean; heard?: (verb: Verb, answer: unknown) => void } = {},
): Promise<Parting | undefined> {
  const beginning = world.clock.now()
  const agrees = fc.asyncProperty(announcement(oneSeatPerPerson), steps, async (announcement, steps) => {
    world.clock.set(beginning)
    const play = await startPlay(world, announcement)
    for (const step of steps) heard(step[0], await take(play, step))
    await play.end()
  })
  const { MODEL_SEED: seed, MODEL_PATH: path } = process.env
  const found = await fc.check(agrees, {
    numRuns: sequences,
    endOnFailure: !shorten,
    ...(seed && { seed: Number(seed) }),
    ...(path && { path }),
  })
  if (!found.counterexample) return undefined
  return {
    script: scriptOf(...found.counterexample),
    error: found.errorInstance,
    again: `MODEL_SEED=${found.seed} MODEL_PATH=${found.counterexamplePath}`,
  }
}
