import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { expect, onTestFinished, test } from 'vitest'
import { query } from '../../src/db/database.ts'
import { DatabaseTooNewError, migrate } from '../../src/db/migrate.ts'
import { openTestPostgres } from '../support/databases/databases.ts'
import { root } from '../support/processes/processes.ts'
import { createWorld } from '../support/world.ts'

const drizzle = join(root, 'drizzle')

test('migrate applies everything to an empty database and nothing the second time', async () => {
  await using empty = await openTestPostgres({ migrated: false })
  const applied = await migrate(empty.db, drizzle)
  expect(applied).toContain('migration 0')
  expect(applied).toContain('function register')
  expect(await migrate(empty.db, drizzle)).toEqual([])
})

test('migrate rejects a database with an unknown migration', async () => {
  await using world = await createWorld()
  await world.db.execute(sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('of the future', 0)`)
  await expect(migrate(world.db, drizzle)).rejects.toThrow(DatabaseTooNewError)
})

test('migrate rejects a database with a newer revision of a function', async () => {
  await using world = await createWorld()
  await world.db.execute(sql`update drizzle.functions set revision = revision + 1 where name = 'register'`)
  await expect(migrate(world.db, drizzle)).rejects.toThrow(/revision \d+ of register/)
  await expect(migrate(world.db, drizzle)).rejects.toThrow(DatabaseTooNewError)
})

test('migrate rejects a changed function without a new revision and applies nothing', async () => {
  await using world = await createWorld()
  const folder = copyWithChangedFunction('can_mail_ticket', (text) => text.replace(/< \d+/, '< 0'))
  await expect(migrate(world.db, folder)).rejects.toThrow(/can_mail_ticket\.sql changed: raise its revision/)
  const [answer] = await query(world.db, sql`select can_mail_ticket('a@example.com', now()) as may`)
  expect(answer).toEqual({ may: true })
})

test('migrate applies only the function with a new revision', async () => {
  await using world = await createWorld()
  const folder = copyWithChangedFunction('can_mail_ticket', (text) =>
    text.replace(/< \d+/, '< 0').replace(/^-- revision (\d+)/, (_, revision) => `-- revision ${Number(revision) + 1}`),
  )
  expect(await migrate(world.db, folder)).toEqual(['function can_mail_ticket'])
  const [answer] = await query(world.db, sql`select can_mail_ticket('a@example.com', now()) as may`)
  expect(answer).toEqual({ may: false })
})

/** Copies drizzle/ and changes one function in the copy. */
function copyWithChangedFunction(name: string, change: (text: string) => string): string {
  const folder = mkdtempSync(join(tmpdir(), 'baoming-drizzle-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  cpSync(drizzle, folder, { recursive: true })
  const file = join(folder, 'functions', `${name}.sql`)
  const before = readFileSync(file, 'utf8')
  writeFileSync(file, change(before))
  expect(readFileSync(file, 'utf8')).not.toBe(before)
  return folder
}
