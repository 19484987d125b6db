import fc from 'fast-check'
import type { World } from '../support/world.ts'
import { startScenario } from './scenario.ts'
import { type Action, campaignSetup, renderScript, runStep, steps } from './steps.ts'

/** The shortest script found on which the service and the model diverge, and how to reproduce it. */
export type Divergence = { script: string; error: unknown; reproduce: string }

/**
 * Runs random scripts until the service and the model diverge; undefined if they never do.
 * @param sequences number of scripts, of up to 60 steps each
 * @param shorten false to return the first script without shortening it
 * @param onStep called after each step with its result
 */
export async function findDivergence(
  world: World,
  oneSeatPerPerson: boolean,
  sequences: number,
  { shorten = true, onStep = () => {} }: { shorten?: boolean; onStep?: (action: Action, result: unknown) => void } = {},
): Promise<Divergence | undefined> {
  const startTime = world.clock.now()
  const property = fc.asyncProperty(campaignSetup(oneSeatPerPerson), steps, async (setup, steps) => {
    world.clock.set(startTime)
    const scenario = await startScenario(world, setup)
    for (const step of steps) onStep(step[0], await runStep(scenario, step))
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
