import { existsSync, readdirSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { openPglite } from '../../src/db/pglite.ts'
import { createDataDir, openTestPostgres } from '../support/databases/databases.ts'
import { startMailServer } from '../support/mail/smtp-server.ts'
import { findFreePort } from '../support/processes/free-port.ts'
import { cliCommand, runProgram, serverCommand } from '../support/processes/processes.ts'

const secret = 'a secret of this test that is long enough'
const runServer = (env: Record<string, string>) => runProgram(serverCommand, env)
const runCli = (env: Record<string, string>, ...args: string[]) => runProgram([...cliCommand, ...args], env)

async function changeDatabase(folder: string, callback: (db: Database) => Promise<unknown>) {
  const { db, close } = await openPglite(join(folder, 'pgdata'))
  await callback(db)
  await close()
}

const addNewerMigration = (db: Database) =>
  db.execute(sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('newer', 0)`)
const forgetLastMigration = (db: Database) =>
  db.execute(sql`
    delete from drizzle.__drizzle_migrations where id = (select max(id) from drizzle.__drizzle_migrations)
  `)

/** DB_SHUTDOWNED in pg_control.h. The state is 6 while the database is open, and remains 6 if it is not closed. */
const cleanShutdownState = 1
const readClusterState = async (folder: string) =>
  (await readFile(join(folder, 'pgdata/global/pg_control'))).readInt32LE(16)

const lockFiles = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('server-'))

describe('on the embedded database', () => {
  test.each([
    ['of a newer release', addNewerMigration, /^the database has \d+ migrations[^\n]*: start the newer release\n$/],
    ['with a failing migration', forgetLastMigration, /^failed: 42\w+: [^\n]*already exists\n$/],
  ])('a command on a database %s fails and closes the database', async (_, work, sentence) => {
    const folder = await createDataDir()
    await changeDatabase(folder, work)
    const result = await runCli({ DATA_DIR: folder }, 'doctor')
    expect(result).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(sentence) })
    expect(await readClusterState(folder)).toBe(cleanShutdownState)
    expect(lockFiles(folder)).toEqual([])
  })

  test('the lock is released after the database is closed', async () => {
    const folder = await createDataDir()
    await changeDatabase(folder, addNewerMigration)
    let isRunning = true
    const result = runCli({ DATA_DIR: folder }, 'doctor').finally(() => {
      isRunning = false
    })
    let wasLocked = false
    for await (const _ of setInterval(1)) {
      const isLocked = lockFiles(folder).length > 0
      if ((wasLocked && !isLocked) || !isRunning) break
      wasLocked = isLocked
    }
    expect(wasLocked).toBe(true)
    expect(existsSync(join(folder, 'pgdata/postmaster.pid'))).toBe(false)
    expect(await readClusterState(folder)).toBe(cleanShutdownState)
    expect(await result).toMatchObject({ code: 1 })
  })

  test('a server with a short secret fails and closes the database', async () => {
    const folder = await createDataDir()
    await writeFile(join(folder, 'secret'), '')
    expect(await runServer({ DATA_DIR: folder })).toMatchObject({ code: 1 })
    expect(await readClusterState(folder)).toBe(cleanShutdownState)
    expect(lockFiles(folder)).toEqual([])
  })

  test('a server whose port is taken fails and closes the database', async () => {
    const folder = await createDataDir()
    await using other = await startMailServer()
    const result = await runServer({ DATA_DIR: folder, PORT: new URL(other.url).port })
    expect(result).toMatchObject({ code: 1, stderr: expect.stringMatching(/^PORT: \d+ is taken by another program/) })
    expect(await readClusterState(folder)).toBe(cleanShutdownState)
    expect(lockFiles(folder)).toEqual([])
  })

  test('a folder with files but without PG_VERSION is left unchanged', async () => {
    const folder = await createDataDir()
    await rm(join(folder, 'pgdata/PG_VERSION'))
    const before = await readFile(join(folder, 'pgdata/global/pg_control'))
    const result = await runCli({ DATA_DIR: folder }, 'doctor')
    expect(result).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/PG_VERSION[^\n]*backup[^\n]*\n$/),
    })
    expect(result.stderr).toContain(join(folder, 'pgdata'))
    expect(await readFile(join(folder, 'pgdata/global/pg_control'))).toEqual(before)
  })

  test.each(['base', 'pg_wal', 'global/pg_control'])(
    'a database without %s is reported in one line with what to do',
    async (missing) => {
      const folder = await createDataDir()
      await rm(join(folder, 'pgdata', missing), { recursive: true })
      const result = await runCli({ DATA_DIR: folder }, 'doctor')
      expect(result).toMatchObject({ code: 1, stdout: '' })
      expect(result.stderr).toMatch(/^the database in [^\n]* does not open \([^\n]*backup[^\n]*\n$/)
      expect(result.stderr).toContain(join(folder, 'pgdata'))
    },
  )

  test('a file in place of the database folder is reported', async () => {
    const folder = await createDataDir()
    await rm(join(folder, 'pgdata'), { recursive: true })
    await writeFile(join(folder, 'pgdata'), '')
    const result = await runCli({ DATA_DIR: folder }, 'doctor')
    expect(result).toMatchObject({ code: 1, stdout: '', stderr: `${join(folder, 'pgdata')} is not a folder\n` })
  })

  test('an empty postmaster.pid, left by a power failure, does not block the start', async () => {
    const folder = await createDataDir()
    await writeFile(join(folder, 'pgdata/postmaster.pid'), '')
    expect(await runCli({ DATA_DIR: folder }, 'doctor')).toMatchObject({ code: 0 })
  })
})

describe('on Postgres', () => {
  test.each([
    ['of a newer release', addNewerMigration, /: start the newer release\n$/],
    [
      'with unreadable functions',
      (db: Database) =>
        db
          .execute(sql`drop table drizzle.functions cascade`)
          .then(() => db.execute(sql`create view drizzle.functions as select 1 as name`)),
      /^(failed|cannot start): [^\n]+\n$/,
    ],
  ])('a command and a server on a database %s fail', async (_, work, sentence) => {
    await using database = await openTestPostgres()
    await work(database.db)
    const env = { DATABASE_URL: database.url, SECRET: secret }
    for (const result of [await runCli(env, 'doctor'), await runServer({ ...env, PORT: `${await findFreePort()}` })])
      expect(result).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(sentence) })
  })

  test('a server whose port is taken fails', async () => {
    await using database = await openTestPostgres()
    const env = { DATABASE_URL: database.url, SECRET: secret }
    await using other = await startMailServer()
    const result = await runServer({ ...env, PORT: new URL(other.url).port })
    expect(result).toMatchObject({ code: 1, stderr: expect.stringMatching(/^PORT: \d+ is taken by another program/) })
  })
})
