import { existsSync, readdirSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { openPglite } from '../../src/db/pglite.ts'
import { newDataDir, openOnServer } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'
import { cliCommand, runProgram, serverCommand } from '../support/processes.ts'
import { startMailServer } from '../support/smtp.ts'

const secret = 'a secret of this test that is long enough'
const start = (env: Record<string, string>) => runProgram(serverCommand, env)
const cli = (env: Record<string, string>, ...args: string[]) => runProgram([...cliCommand, ...args], env)

async function change(folder: string, work: (db: Database) => Promise<unknown>) {
  const { db, close } = await openPglite(join(folder, 'pgdata'))
  await work(db)
  await close()
}

const makeNewer = (db: Database) =>
  db.execute(sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('newer', 0)`)
const repeatLastMigration = (db: Database) =>
  db.execute(sql`
    delete from drizzle.__drizzle_migrations where id = (select max(id) from drizzle.__drizzle_migrations)
  `)

/** DB_SHUTDOWNED in pg_control.h. While the database is open it is 6, and it stays so if it is not closed. */
const shutDown = 1
const stateOf = async (folder: string) => (await readFile(join(folder, 'pgdata/global/pg_control'))).readInt32LE(16)

const locks = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('server-'))

describe('on the embedded database', () => {
  test.each([
    ['that a newer release migrated', makeNewer, /^the database has \d+ migrations[^\n]*: start the newer release\n$/],
    ['whose migration fails', repeatLastMigration, /^failed: 42\w+: [^\n]*already exists\n$/],
  ])('a command on a database %s ends, with the database closed', async (_, work, sentence) => {
    const folder = await newDataDir()
    await change(folder, work)
    const ended = await cli({ DATA_DIR: folder }, 'doctor')
    expect(ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(sentence) })
    expect(await stateOf(folder)).toBe(shutDown)
    expect(locks(folder)).toEqual([])
  })

  test('the lock is released only after the database is closed', async () => {
    const folder = await newDataDir()
    await change(folder, makeNewer)
    let isRunning = true
    const ended = cli({ DATA_DIR: folder }, 'doctor').finally(() => {
      isRunning = false
    })
    let wasLocked = false
    for await (const _ of setInterval(1)) {
      const isLocked = locks(folder).length > 0
      if ((wasLocked && !isLocked) || !isRunning) break
      wasLocked = isLocked
    }
    expect(wasLocked).toBe(true)
    expect(existsSync(join(folder, 'pgdata/postmaster.pid'))).toBe(false)
    expect(await stateOf(folder)).toBe(shutDown)
    expect(await ended).toMatchObject({ code: 1 })
  })

  test('a server with a secret that is too short ends, with the database closed', async () => {
    const folder = await newDataDir()
    await writeFile(join(folder, 'secret'), '')
    expect(await start({ DATA_DIR: folder })).toMatchObject({ code: 1 })
    expect(await stateOf(folder)).toBe(shutDown)
    expect(locks(folder)).toEqual([])
  })

  test('a server whose port is taken ends, with the database closed', async () => {
    const folder = await newDataDir()
    await using other = await startMailServer()
    const ended = await start({ DATA_DIR: folder, PORT: new URL(other.url).port })
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/^PORT: \d+ is taken by another program/) })
    expect(await stateOf(folder)).toBe(shutDown)
    expect(locks(folder)).toEqual([])
  })

  test('a folder with files but without PG_VERSION is left as it is', async () => {
    const folder = await newDataDir()
    await rm(join(folder, 'pgdata/PG_VERSION'))
    const before = await readFile(join(folder, 'pgdata/global/pg_control'))
    const ended = await cli({ DATA_DIR: folder }, 'doctor')
    expect(ended).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/PG_VERSION[^\n]*backup[^\n]*\n$/),
    })
    expect(ended.stderr).toContain(join(folder, 'pgdata'))
    expect(await readFile(join(folder, 'pgdata/global/pg_control'))).toEqual(before)
  })

  test.each(['base', 'pg_wal', 'global/pg_control'])(
    'a database that has lost %s is named in one line that says what to do',
    async (lost) => {
      const folder = await newDataDir()
      await rm(join(folder, 'pgdata', lost), { recursive: true })
      const ended = await cli({ DATA_DIR: folder }, 'doctor')
      expect(ended).toMatchObject({ code: 1, stdout: '' })
      expect(ended.stderr).toMatch(/^the database in [^\n]* does not open \([^\n]*backup[^\n]*\n$/)
      expect(ended.stderr).toContain(join(folder, 'pgdata'))
    },
  )

  test('a file in place of the folder of the database is named', async () => {
    const folder = await newDataDir()
    await rm(join(folder, 'pgdata'), { recursive: true })
    await writeFile(join(folder, 'pgdata'), '')
    const ended = await cli({ DATA_DIR: folder }, 'doctor')
    expect(ended).toMatchObject({ code: 1, stdout: '', stderr: `${join(folder, 'pgdata')} is not a folder\n` })
  })

  test('an empty postmaster.pid, as a power cut leaves it, does not keep the database from opening', async () => {
    const folder = await newDataDir()
    await writeFile(join(folder, 'pgdata/postmaster.pid'), '')
    expect(await cli({ DATA_DIR: folder }, 'doctor')).toMatchObject({ code: 0 })
  })
})

describe('on Postgres', () => {
  test.each([
    ['that a newer release migrated', makeNewer, /: start the newer release\n$/],
    [
      'whose functions cannot be read',
      (db: Database) =>
        db
          .execute(sql`drop table drizzle.functions cascade`)
          .then(() => db.execute(sql`create view drizzle.functions as select 1 as name`)),
      /^(failed|cannot start): [^\n]+\n$/,
    ],
  ])('a command and a server on a database %s end', async (_, work, sentence) => {
    await using database = await openOnServer()
    await work(database.db)
    const env = { DATABASE_URL: database.url, SECRET: secret }
    for (const ended of [await cli(env, 'doctor'), await start({ ...env, PORT: `${await freePort()}` })])
      expect(ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(sentence) })
  })

  test('a server whose port is taken ends', async () => {
    await using database = await openOnServer()
    const env = { DATABASE_URL: database.url, SECRET: secret }
    await using other = await startMailServer()
    const ended = await start({ ...env, PORT: new URL(other.url).port })
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/^PORT: \d+ is taken by another program/) })
  })
})
