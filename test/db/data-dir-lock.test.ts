import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { acquireDataDirLock, DataDirLockedError, sendToLockOwner } from '../../src/db/data-dir-lock.ts'

const createFolder = () => mkdtempSync(join(tmpdir(), 'baoming-lock-'))
const noop = () => {}

test('acquireDataDirLock has one owner at a time, which answers requests sent through the lock', async () => {
  const folder = createFolder()
  const lock = await acquireDataDirLock(
    folder,
    async (request, response) => void response.end(`heard ${await text(request)}`),
  )
  await expect(acquireDataDirLock(folder, noop)).rejects.toThrow(DataDirLockedError)
  const answer = await sendToLockOwner(folder, 'hello')
  expect(answer && (await text(answer))).toBe('heard hello')
  await lock.release()
  expect(await sendToLockOwner(folder, 'hello')).toBeUndefined()
  expect(readdirSync(folder)).toEqual([])
  await (await acquireDataDirLock(folder, noop)).release()
})

test('acquireDataDirLock succeeds for at most one of many concurrent starts', async () => {
  const folder = createFolder()
  const starts = await Promise.allSettled(Array.from({ length: 20 }, () => acquireDataDirLock(folder, noop)))
  const locks = starts.filter((start) => start.status === 'fulfilled').map((start) => start.value)
  expect(locks.length).toBeLessThanOrEqual(1)
  await Promise.all(locks.map((lock) => lock.release()))
})

test('a killed owner does not block the next one', async () => {
  const folder = createFolder()
  const lockModule = fileURLToPath(new URL('../../src/db/data-dir-lock.ts', import.meta.url))
  const script = `import { acquireDataDirLock } from '${lockModule}'; await acquireDataDirLock('${folder}', () => {}); console.log('held')`
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', script])
  await once(owner.stdout, 'data')
  await expect(acquireDataDirLock(folder, noop)).rejects.toThrow(DataDirLockedError)
  owner.kill('SIGKILL')
  await once(owner, 'exit')
  const lock = await acquireDataDirLock(folder, noop)
  expect(readdirSync(folder)).toHaveLength(1)
  await lock.release()
})
