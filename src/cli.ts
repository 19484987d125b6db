import { createInterface } from 'node:readline'
import { sendToLockOwner } from './db/data-dir-lock.ts'
import { parseConfig, StartupError } from './lib/config.ts'

/** The operator's commands. While a server has the embedded database open, the command runs in the server. */
async function main(args: string[]): Promise<number> {
  const config = parseConfig(process.env)
  if (!config.databaseUrl) {
    const code = await runInServer(config.dataDir, args)
    if (code !== undefined) return code
  }
  // Only now, because what a command needs takes a second to load, and the server has it loaded.
  const { runCommand, usage } = await import('./server/commands.ts')
  if (args.length === 0 || args[0] === 'help') {
    console.log(usage)
    return 0
  }
  const { openDatabase, createRuntime, createLogger } = await import('./server/runtime.ts')
  const log = createLogger({ logLevel: 'silent' })
  const opened = await openDatabase(config, log, (_request, response) => response.end(), { patient: true })
  const baseUrl = config.baseUrl ?? `http://localhost:${config.port}`
  let { close } = opened
  try {
    const installation = createRuntime(config, opened, baseUrl, log, () => {})
    close = installation.close
    return await runCommand(installation.deps, args, { out: write, err: console.error })
  } finally {
    await close()
  }
}

/** Has the running server do it, or undefined if none has the folder. */
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
