import { createInterface } from 'node:readline'
import { CannotStart, parseConfig } from './config.ts'
import { askHolder } from './db/lock.ts'

/** The operator's commands. While a server has the embedded database open, the command runs in the server. */
async function main(args: string[]): Promise<number> {
  const config = parseConfig(process.env)
  if (!config.databaseUrl) {
    const code = await runInServer(config.dataDir, args)
    if (code !== undefined) return code
  }
  // Only now, because what a command needs takes a second to load, and the server has it loaded.
  const { runCommand, usage } = await import('./commands.ts')
  if (args.length === 0 || args[0] === 'help') {
    console.log(usage)
    return 0
  }
  const { openDatabase, openInstallation, openLog } = await import('./installation.ts')
  const log = openLog({ logLevel: 'silent' })
  const opened = await openDatabase(config, log, (_request, response) => response.end(), { patient: true })
  const baseUrl = config.baseUrl ?? `http://localhost:${config.port}`
  let { close } = opened
  try {
    const installation = openInstallation(config, opened, baseUrl, log, () => {})
    close = installation.close
    return await runCommand(installation.deps, args, { out: write, err: console.error })
  } finally {
    await close()
  }
}

/** Has the running server do it, or undefined if none has the folder. */
async function runInServer(dataDir: string, args: string[]): Promise<number | undefined> {
  const answer = await askHolder(dataDir, JSON.stringify(args))
  if (!answer) return undefined
  for await (const line of createInterface(answer)) {
    const said = JSON.parse(line) as { out?: string; err?: string; exit?: number }
    if (said.out !== undefined) write(Buffer.from(said.out, 'base64'))
    if (said.err !== undefined) console.error(said.err)
    if (said.exit !== undefined) return said.exit
  }
  throw new Error('the server ended before the command did')
}

function write(chunk: string | Uint8Array) {
  process.stdout.write(chunk)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const { saidOf } = await import('./db/database.ts')
  console.error(error instanceof CannotStart ? error.message : `failed: ${saidOf(error).reason}`)
  process.exitCode = 1
}
