import { createInterface } from 'node:readline'
import { sendToLockOwner } from './db/data-dir-lock.ts'
import { parseConfig, StartupError } from './lib/config.ts'

/** Runs an operator command: inside the running server if that has the embedded database open, otherwise here. */
async function main(args: string[]): Promise<number> {
  const config = parseConfig(process.env)
  if (!config.databaseUrl) {
    const code = await runInServer(config.dataDir, args)
    if (code !== undefined) return code
  }
  // Imported late: takes a second, and is not needed when the server runs the command.
  const { runCommand, usage } = await import('./server/commands.ts')
  if (args.length === 0 || args[0] === 'help') {
    console.log(usage)
    return 0
  }
  const { openDatabase, createRuntime, createLogger } = await import('./server/runtime.ts')
  const log = createLogger({ logLevel: 'silent' })
  const opened = await openDatabase(config, log, (_request, response) => response.end(), { longRunning: true })
  const baseUrl = config.baseUrl ?? `http://localhost:${config.port}`
  let { close } = opened
  try {
    const runtime = createRuntime(config, opened, baseUrl, log, () => {})
    close = runtime.close
    return await runCommand(runtime.deps, args, { out: write, err: console.error })
  } finally {
    await close()
  }
}

/** Runs the command in the server that has the folder open. Undefined if there is none. */
async function runInServer(dataDir: string, args: string[]): Promise<number | undefined> {
  const response = await sendToLockOwner(dataDir, JSON.stringify(args))
  if (!response) return undefined
  for await (const line of createInterface(response)) {
    const message = JSON.parse(line) as { out?: string; err?: string; exit?: number }
    if (message.out !== undefined) write(Buffer.from(message.out, 'base64'))
    if (message.err !== undefined) console.error(message.err)
    if (message.exit !== undefined) return message.exit
  }
  throw new Error('the server ended before the command did')
}

function write(chunk: string | Uint8Array) {
  process.stdout.write(chunk)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const { redactError } = await import('./db/database.ts')
  console.error(error instanceof StartupError ? error.message : `failed: ${redactError(error).reason}`)
  process.exitCode = 1
}
