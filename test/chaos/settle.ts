import { setTimeout as sleep } from 'node:timers/promises'
import { flushQueues } from './operations/door.ts'
import type { Random } from './random.ts'
import { type Run, sendRequest } from './run.ts'
import { countMissingReminders } from './verify/day.ts'

/**
 * Waits until everything is settled after the last fault: kills and restarts both processes, and waits until the queued
 * mails are delivered, with one mail in five still failing until few are left. Returns the seconds it took.
 * @param maxSeconds limit after which the remaining mails are reported
 */
export async function settle(run: Run, random: Random, maxSeconds: number): Promise<number> {
  const { cluster, journal, findings } = run
  const from = Date.now()
  await Promise.all(cluster.services.map((service) => service.killAndStart(0)))
  journal.fault('both processes killed', from, Date.now())
  // The processes that claimed these mails are dead. Skips waiting for the leases to expire.
  await cluster.sql`update mails set due_at = now() where state = 'sending'`

  await flushQueues(run, random)

  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1000
  for (;;) {
    // Failed mails are retried after 1, 5, 15 … minutes. Skips that time.
    await cluster.sql`update mails set due_at = now() where state = 'pending' and due_at > now()`
    await cluster.sql`update content_refusals set probe_at = now() where probe_at > now()`
    await resendRefused(run)
    // A request for tickets of an unknown address enqueues nothing, but wakes the mail workers.
    for (const to of cluster.services) {
      await sendRequest(run, random, {
        kind: 'find',
        service: to,
        method: 'POST',
        path: '/find',
        form: { email: 'nobody@example.com' },
      })
    }
    const [{ queued }] = await cluster.sql<[{ queued: number }]>`
      select count(*)::int as queued from mails where state in ('pending', 'sending')`
    if (queued < 100 || seconds() > maxSeconds / 2) cluster.mailServer.stopFaults()
    // Reminders that became due during a fault are enqueued within a minute.
    const missing = await countMissingReminders(run)
    if (queued === 0 && missing === 0) break
    if (seconds() > maxSeconds) {
      findings.check(
        'queued',
        `${queued} mails are still queued and ${missing} reminders missing after ${maxSeconds} s`,
      )
      break
    }
    await sleep(1000)
  }
  findings.check('queued')
  return seconds()
}

/** Resends broadcasts that were rejected for their content, as organisers do. */
async function resendRefused({ cluster }: Run) {
  await cluster.sql`
    select resume_broadcast(broadcast_id, 0, now()) from content_refusals where broadcast_id is not null and paused_at is not null`
}
