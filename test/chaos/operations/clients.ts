import type { Random } from '../random.ts'
import type { Run } from '../run.ts'
import { attendeeOperations } from './attendees.ts'
import { consoleOperations } from './console.ts'
import { dayOperations } from './day.ts'
import { doorOperations } from './door.ts'
import { organiserOperations } from './organisers.ts'

const operations = [
  ...attendeeOperations,
  ...organiserOperations,
  ...consoleOperations,
  ...doorOperations,
  ...dayOperations,
]
const totalWeight = operations.reduce((sum, [weight]) => sum + weight, 0)

/** Runs this many clients concurrently, each with one operation after another, until done. */
export async function runClients(run: Run, random: Random, count: number, isDone: () => boolean): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => runClient(run, random.fork(), isDone)))
}

async function runClient(run: Run, random: Random, isDone: () => boolean) {
  while (!isDone()) {
    const operation = pickOperation(random)
    // Waiting for all clients would mean waiting for the faults too.
    await operation(run, random).catch((error) => {
      console.error(operation.name, error)
      process.exit(1)
    })
  }
}

function pickOperation(random: Random) {
  let remaining = random.next() * totalWeight
  for (const [weight, operation] of operations) {
    remaining -= weight
    if (remaining < 0) return operation
  }
  return attendeeOperations[0]?.[1] as (typeof operations)[number][1]
}
