import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import postgres from 'postgres'
import type { TestProject } from 'vitest/node'
import { migrate } from '../../src/db/migrate.ts'
import { overPglite } from '../../src/db/pglite.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { atExit } from './at-exit.ts'
import { unpackChromium } from './chromium.ts'
import { startPostgres } from './postgres.ts'
import type { Prepared } from './prepared.ts'

const drizzle = fileURLToPath(new URL('../../drizzle', import.meta.url))

/**
 * Makes what is expensive and shared by all test files of a run: a migrated PGlite, a Postgres with a migrated database,
 * a browser. Each is made when a test first asks for it (see prepared.ts), and all are gone when the run ends.
 */
export default async function prepare(project: TestProject): Promise<() => Promise<void>> {
  const run = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'baoming-test-'))
  run.defer(() => rm(folder, { recursive: true, force: true }))
  run.defer(atExit(() => rmSync(folder, { recursive: true, force: true })))

  const makers: { [Name in keyof Prepared]: () => Promise<Prepared[Name]> } = {
    pglite: firstTime(() => makePgliteTemplate(folder)),
    postgres: firstTime(() => makePostgresTemplate(run)),
    chromium: firstTime(() => unpackChromium(folder)),
  }
  const server = createServer(async (request, response) => {
    // Making blocks this process for seconds, in which a connection kept for later goes stale.
    response.setHeader('Connection', 'close')
    const make = makers[request.url?.slice(1) as keyof Prepared]
    await make().then(
      (made) => response.end(JSON.stringify(made)),
      (error) => response.writeHead(500).end(String(error)),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  run.defer(() => void server.close())
  project.provide('preparations', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return () => run.disposeAsync()
}

/** A migrated and empty PGlite as a file, for `loadDataDir`: 0.3 s instead of the 3 s that a new one takes. */
async function makePgliteTemplate(folder: string): Promise<Prepared['pglite']> {
  const client = await PGlite.create()
  await migrate(overPglite(client).db, drizzle)
  const file = join(folder, 'pglite.tar')
  await writeFile(file, Buffer.from(await (await client.dumpDataDir('none')).arrayBuffer()))
  await client.close()
  return { file }
}

/** A migrated and empty database for `create database … template …`, on TEST_DATABASE_URL where that is set. */
async function makePostgresTemplate(run: AsyncDisposableStack): Promise<Prepared['postgres']> {
  const given = process.env.TEST_DATABASE_URL
  const url = given ?? run.use(await startPostgres({ durable: false })).url()
  const admin = postgres(url, { max: 1, onnotice: () => {} })
  run.defer(() => admin.end())
  const [version] = await admin`select current_setting('server_version_num')::int / 10000 as major`
  if (version?.major < 15) throw new Error(`TEST_DATABASE_URL is Postgres ${version?.major}; 15 is the oldest promised`)

  const template = `baoming_test_${Date.now()}`
  await admin.unsafe(`create database ${template}`)
  run.defer(async () => {
    const left = await admin`select datname from pg_database where starts_with(datname, ${template})`
    for (const { datname } of left) await admin.unsafe(`drop database ${datname} with (force)`)
  })
  const address = new URL(url)
  address.pathname = template
  const { db, close } = openPostgres(address.href, { max: 1 })
  await migrate(db, drizzle).finally(close)
  return { url, template }
}

/** Makes something once and hands it to everyone who asks; after a failure the next one who asks has it made again. */
function firstTime<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error) => {
      made = undefined
      throw error
    })
    return made
  }
}
