import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { askHolder, FolderInUse, lockFolder } from '../../src/db/lock.ts'

const newFolder = () => mkdtempSync(join(tmpdir(), 'baoming-lock-'))
const nothing = () => {}

test('a folder has one holder, who answers what is asked through the lock, until it lets go', async () => {
  const folder = newFolder()
  const lock = await lockFolder(folder, async (request, response) => void response.end(`heard ${await text(request)}`))
  await expect(lockFolder(folder, nothing)).rejects.toThrow(FolderInUse)
  const answer = await askHolder(folder, 'hello')
  expect(answer && (await text(answer))).toBe('heard hello')
  await lock.release()
  expect(await askHolder(folder, 'hello')).toBeUndefined()
  expect(readdirSync(folder)).toEqual([])
  await (await lockFolder(folder, nothing)).release()
})

test('of many that start at once at most one goes on', async () => {
  const folder = newFolder()
  const starts = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder, nothing)))
  const locks = starts.filter((start) => start.status === 'fulfilled').map((start) => start.value)
  expect(locks.length).toBeLessThanOrEqual(1)
  await Promise.all(locks.map((lock) => lock.release()))
})

test('a holder that was killed leaves nothing that keeps the next one out', async () => {
  const folder = newFolder()
  const lockModule = fileURLToPath(new URL('../../src/db/lock.ts', import.meta.url))
  const script = `import { lockFolder } from '${lockModule}'; await lockFolder('${folder}', () => {}); console.log('held')`
  const holder = spawn(process.execPath, ['--input-type=module', '--eval', script])
  await once(holder.stdout, 'data')
  await expect(lockFolder(folder, nothing)).rejects.toThrow(FolderInUse)
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  const lock = await lockFolder(folder, nothing)
  expect(readdirSync(folder)).toHaveLength(1)
  await lock.release()
})
