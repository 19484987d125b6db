import fc from 'fast-check'
import type { World } from '../support/world.ts'
import { startScenario } from './scenario.ts'
import { type Action, campaignSetup, renderScript, runStep, steps } from './steps.ts'

/** Where the service and the model part ways: the shortest script that was found, and how to find it again. */
export type Divergence = { script: string; error: unknown; reproduce: string }

/**
 * Plays random scripts until the service and the model part ways; undefined if they never do.
 * @param sequences how many scripts, of up to 60 steps each
 * @param shorten false to keep the first script as it was found
 * @param heard is told of each step that was taken, and what it was answered
 */
export async function findDivergence(
  world: World,
  oneSeatPerPerson: boolean,
  sequences: number,
  { shorten = true, heard = () => {} }: { shorten?: boolean; heard?: (verb: Action, answer: unknown) => void } = {},
): Promise<Divergence | undefined> {
  const startTime = world.clock.now()
  const property = fc.asyncProperty(campaignSetup(oneSeatPerPerson), steps, async (setup, steps) => {
    world.clock.set(startTime)
    const scenario = await startScenario(world, setup)
    for (const step of steps) heard(step[0], await runStep(scenario, step))
    await scenario.finish()
  })
  const { MODEL_SEED: seed, MODEL_PATH: path } = process.env
  const result = await fc.check(property, {
    numRuns: sequences,
    endOnFailure: !shorten,
    ...(seed && { seed: Number(seed) }),
    ...(path && { path }),
  })
  if (!result.counterexample) return undefined
  return {
    script: renderScript(...result.counterexample),
    error: result.errorInstance,
    reproduce: `MODEL_SEED=${result.seed} MODEL_PATH=${result.counterexamplePath}`,
  }
}
