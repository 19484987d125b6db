import { attendeeOperations } from './attendees.ts'
import { consoleOperations } from './console.ts'
import { dayOperations } from './day-people.ts'
import { doorOperations } from './door.ts'
import { organiserOperations } from './organisers.ts'
import type { Random } from './random.ts'
import type { Run } from './run.ts'

const operations = [
  ...attendeeOperations,
  ...organiserOperations,
  ...consoleOperations,
  ...doorOperations,
  ...dayOperations,
]
const sum = operations.reduce((sum, [weight]) => sum + weight, 0)

/** So many clients at once, each with one operation after the other, until there are enough. */
export async function letClientsIn(run: Run, random: Random, count: number, enough: () => boolean): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => beClient(run, random.fork(), enough)))
}

async function beClient(run: Run, random: Random, enough: () => boolean) {
  while (!enough()) {
    const operation = chosen(random)
    // Whoever waits for all clients would go on waiting for the faults.
    await operation(run, random).catch((error) => {
      console.error(operation.name, error)
      process.exit(1)
    })
  }
}

function chosen(random: Random) {
  let left = random.next() * sum
  for (const [weight, operation] of operations) {
    left -= weight
    if (left < 0) return operation
  }
  return attendeeOperations[0]?.[1] as (typeof operations)[number][1]
}
