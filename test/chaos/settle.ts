import { setTimeout as sleep } from 'node:timers/promises'
import { flushQueues } from './operations/door.ts'
import type { Random } from './random.ts'
import { type Run, sendRequest } from './run.ts'
import { countMissingReminders } from './verify/day.ts'

/**
 * Lets everything come to rest after the last fault: both processes are killed and started once more, and what is owed
 * is delivered, with one mail in five still failing until few are left, then without. Gives how many seconds that took.
 * @maxSeconds maxSeconds after which what is still owed is given up
 */
export async function settle(run: Run, random: Random, maxSeconds: number): Promise<number> {
  const { cluster, journal, findings } = run
  const from = Date.now()
  await Promise.all(cluster.services.map((service) => service.killAndStart(0)))
  journal.fault('both processes killed with -9', from, Date.now())
  // Whoever had claimed a mail is dead, so that nobody has to wait until its lease runs out. Only the time is changed.
  await cluster.sql`update mails set due_at = now() where state = 'sending'`

  await flushQueues(run, random)

  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1000
  for (;;) {
    // By the rules a mail that failed is tried again after 1, 5, 15 … minutes. Here that time is let pass at once.
    await cluster.sql`update mails set due_at = now() where state = 'pending' and due_at > now()`
    await cluster.sql`update content_refusals set probe_at = now() where probe_at > now()`
    await resendRefused(run)
    // Asking for the tickets of somebody unknown owes nothing and wakes whoever delivers.
    for (const to of cluster.services) {
      await sendRequest(run, random, {
        kind: 'find',
        service: to,
        method: 'POST',
        path: '/find',
        form: { email: 'nobody@example.com' },
      })
    }
    const [{ owed: queued }] = await cluster.sql<[{ owed: number }]>`
      select count(*)::int as owed from mails where state in ('pending', 'sending')`
    if (queued < 100 || seconds() > maxSeconds / 2) cluster.mailServer.stopFaults()
    // Those whose time came while everything was down are owed within a minute.
    const missing = await countMissingReminders(run)
    if (queued === 0 && missing === 0) break
    if (seconds() > maxSeconds) {
      findings.check('queued', `${queued} mails are still owed and ${missing} reminders not yet after ${maxSeconds} s`)
      break
    }
    await sleep(1000)
  }
  findings.check('queued')
  return seconds()
}

/** What organisers do: messages that were refused for their content are sent again. */
async function resendRefused({ cluster }: Run) {
  await cluster.sql`
    select resume_broadcast(broadcast_id, 0, now()) from content_refusals where broadcast_id is not null and paused_at is not null`
}
