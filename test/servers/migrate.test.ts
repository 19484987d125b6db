import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { isMigrated, query } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openTestPostgres } from '../support/databases/databases.ts'
import { cliCommand, root, runProgram } from '../support/processes/processes.ts'

const drizzle = join(root, 'drizzle')

test('two processes migrating an empty database at once both succeed and run each step once', async () => {
  await using empty = await openTestPostgres({ migrated: false })
  const env = { DATABASE_URL: empty.url, SECRET: 'a secret of the tests, known to everyone' }
  const [first, second] = await Promise.all([1, 2].map(() => runProgram([...cliCommand, 'migrate'], env)))
  expect([first, second]).toMatchObject([{ code: 0 }, { code: 0 }])
  expect(await migrate(empty.db, drizzle)).toEqual([])
  const [steps] = await query<{ n: number }>(empty.db, sql`select count(*)::int as n from drizzle.__drizzle_migrations`)
  expect(await isMigrated(empty.db, steps?.n ?? 0)).toBe(true)
})
