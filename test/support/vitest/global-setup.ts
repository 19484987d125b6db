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
import { migrate } from '../../../src/db/migrate.ts'
import { wrapPglite } from '../../../src/db/pglite.ts'
import { openPostgres } from '../../../src/db/postgres.ts'
import { unpackChromium } from '../browser/chromium.ts'
import { startPostgres } from '../databases/postgres.ts'
import { atExit } from '../processes/at-exit.ts'
import type { SharedResources } from './shared-resources.ts'

const drizzle = fileURLToPath(new URL('../../../drizzle', import.meta.url))

/**
 * Creates expensive resources shared by all test files of a run: a migrated PGlite, a Postgres with a migrated
 * database, a browser. Each is created on first request (see shared-resources.ts) and removed when the run ends.
 */
export default async function globalSetup(project: TestProject): Promise<() => Promise<void>> {
  const run = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'baoming-test-'))
  run.defer(() => rm(folder, { recursive: true, force: true }))
  run.defer(atExit(() => rmSync(folder, { recursive: true, force: true })))

  const factories: { [Name in keyof SharedResources]: () => Promise<SharedResources[Name]> } = {
    pglite: memoizeAsync(() => createPgliteTemplate(folder)),
    postgres: memoizeAsync(() => createPostgresTemplate(run)),
    chromium: memoizeAsync(() => unpackChromium(folder)),
  }
  const server = createServer(async (request, response) => {
    // Creating a resource blocks this process for seconds, in which a kept-alive connection goes stale.
    response.setHeader('Connection', 'close')
    const create = factories[request.url?.slice(1) as keyof SharedResources]
    await create().then(
      (resource) => response.end(JSON.stringify(resource)),
      (error) => response.writeHead(500).end(String(error)),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  run.defer(() => void server.close())
  project.provide('sharedResourcesUrl', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return () => run.disposeAsync()
}

/** A migrated, empty PGlite as a file for `loadDataDir`: opens in 0.3 s instead of 3 s. */
async function createPgliteTemplate(folder: string): Promise<SharedResources['pglite']> {
  const client = await PGlite.create()
  await migrate(wrapPglite(client).db, drizzle)
  const file = join(folder, 'pglite.tar')
  await writeFile(file, Buffer.from(await (await client.dumpDataDir('none')).arrayBuffer()))
  await client.close()
  return { file }
}

/** A migrated, empty database for `create database … template …`, on TEST_DATABASE_URL if set. */
async function createPostgresTemplate(run: AsyncDisposableStack): Promise<SharedResources['postgres']> {
  const configuredUrl = process.env.TEST_DATABASE_URL
  const url = configuredUrl ?? run.use(await startPostgres({ durable: false })).url()
  const admin = postgres(url, { max: 1, onnotice: () => {} })
  run.defer(() => admin.end())
  const [version] = await admin`select current_setting('server_version_num')::int / 10000 as major`
  if (version?.major < 15) throw new Error(`TEST_DATABASE_URL is Postgres ${version?.major}; 15 is the oldest promised`)

  const template = `baoming_test_${Date.now()}`
  await admin.unsafe(`create database ${template}`)
  run.defer(async () => {
    const leftovers = await admin`select datname from pg_database where starts_with(datname, ${template})`
    for (const { datname } of leftovers) await admin.unsafe(`drop database ${datname} with (force)`)
  })
  const address = new URL(url)
  address.pathname = template
  const { db, close } = openPostgres(address.href, { max: 1 })
  await migrate(db, drizzle).finally(close)
  return { url, template }
}

/** Caches the promise of an async function. A failure is not cached. */
function memoizeAsync<T>(create: () => Promise<T>): () => Promise<T> {
  let promise: Promise<T> | undefined
  return () => {
    promise ??= create().catch((error) => {
      promise = undefined
      throw error
    })
    return promise
  }
}
