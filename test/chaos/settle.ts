import { setTimeout as sleep } from 'node:timers/promises'
import { remindersMissing } from './day-reckoning.ts'
import { allComeOnline } from './door.ts'
import type { Random } from './random.ts'
import { ask, type Run } from './run.ts'

/**
 * Lets everything come to rest after the last fault: both processes are killed and started once more, and what is owed
 * is delivered, with one mail in five still failing until few are left, then without. Gives how many seconds that took.
 * @param mostSeconds after which what is still owed is given up
 */
export async function settle(run: Run, random: Random, mostSeconds: number): Promise<number> {
  const { stage, journal, findings } = run
  const from = Date.now()
  await Promise.all(stage.services.map((service) => service.killAndStart(0)))
  journal.fault('both processes killed with -9', from, Date.now())
  // Whoever had claimed a mail is dead, so that nobody has to wait until its lease runs out. Only the time is changed.
  await stage.sql`update mails set due_at = now() where state = 'sending'`

  await allComeOnline(run, random)

  const begun = performance.now()
  const seconds = () => (performance.now() - begun) / 1000
  for (;;) {
    // By the rules a mail that failed is tried again after 1, 5, 15 … minutes. Here that time is let pass at once.
    await stage.sql`update mails set due_at = now() where state = 'pending' and due_at > now()`
    await stage.sql`update content_refusals set probe_at = now() where probe_at > now()`
    await sendRefusedAgain(run)
    // Asking for the tickets of somebody unknown owes nothing and wakes whoever delivers.
    for (const to of stage.services) {
      await ask(run, random, { kind: 'find', to, method: 'POST', path: '/find', form: { email: 'nobody@example.com' } })
    }
    const [{ owed }] = await stage.sql<[{ owed: number }]>`
      select count(*)::int as owed from mails where state in ('pending', 'sending')`
    if (owed < 100 || seconds() > mostSeconds / 2) stage.mailbox.behave()
    // Those whose time came while everything was down are owed within a minute.
    const missing = await remindersMissing(run)
    if (owed === 0 && missing === 0) break
    if (seconds() > mostSeconds) {
      findings.check('owed', `${owed} mails are still owed and ${missing} reminders not yet after ${mostSeconds} s`)
      break
    }
    await sleep(1000)
  }
  findings.check('owed')
  return seconds()
}

/** What organisers do: messages that were refused for their content are sent again. */
async function sendRefusedAgain({ stage }: Run) {
  await stage.sql`
    select resume_message(written_id, 0, now()) from content_refusals where written_id is not null and paused_at is not null`
}
