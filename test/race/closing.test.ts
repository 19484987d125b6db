import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { query, timestamptz } from '../../src/db/database.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { claimDueMails, recordOutcomes } from '../../src/domain/mails/outbox.ts'
import { changeWorkshop } from '../../src/domain/workshops/workshops.ts'
import { createWorld, type World } from '../support/world.ts'

test('closing a workshop again while a sender discards the reopening mail still mails everyone about the closing', async () => {
  await using world = await createWorld({
    postgres: true,
    env: { SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'a@b.cd' },
  })
  const workshop = await world.workshop()
  const { id } = await world.register(workshop)
  await world.db.execute(sql`update mails set state = 'sent'`)
  const change = (state: 'closed' | 'published') => changeWorkshop(world.deps, workshop.slug, { state })

  await change('closed')
  const { mails } = await claimDueMails(world.deps, 1, 120)
  await change('published')
  await recordOutcomes(world.deps, [{ mail: mails[0] as (typeof mails)[0], outcome: { kind: 'again', reason: '451' } }])
  world.clock.advance({ minutes: 2 })
  await world.db.execute(sql`update mails set due_at = ${timestamptz(world.clock.now())} where kind = 'reopened'`)

  // The sender has discarded the mail in an open transaction.
  await using sender = openSecondConnection(world)
  const closing = await sender.db.transaction(async (tx) => {
    await claimDueMails({ ...world.deps, db: tx }, 1, 120)
    const closing = change('closed')
    await waitUntilBlocked(world)
    return { closing }
  })
  await closing.closing

  expect(
    await query(
      world.db,
      sql`select kind, state from mails where registration_id = ${id} and state <> 'sent' order by id`,
    ),
  ).toEqual([
    { kind: 'closed', state: 'dead' },
    { kind: 'reopened', state: 'dead' },
    { kind: 'closed', state: 'pending' },
  ])
})

function openSecondConnection(world: World) {
  const { db, close } = openPostgres(world.databaseUrl as string)
  return { db, [Symbol.asyncDispose]: close }
}

async function waitUntilBlocked(world: World) {
  for (let tries = 0; tries < 200; tries++) {
    const blocked = await query(world.db, sql`select 1 from pg_stat_activity where wait_event_type = 'Lock'`)
    if (blocked.length > 0) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('no query was blocked')
}
