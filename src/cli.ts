import { createInterface } from 'node:readline'
import { type Output, runCommand, usage } from './commands.ts'
import { ConfigError, parseConfig } from './config.ts'
import { askHolder, FolderInUse } from './db/lock.ts'
import { NewerDatabase } from './db/migrate.ts'
import { openDatabase, openInstallation, openLog } from './installation.ts'

/** The operator's commands. While a server has the embedded database open, the command runs in the server. */
async function main(args: string[]): Promise<number> {
  if (args.length === 0 || args[0] === 'help' || args.includes('--help')) {
    console.log(usage)
    return args.length === 0 ? 2 : 0
  }
  const config = parseConfig(process.env)
  if (!config.databaseUrl) {
    const code = await runInServer(config.dataDir, args)
    if (code !== undefined) return code
  }
  const log = openLog({ logLevel: 'silent' })
  const opened = await openDatabase(config, log, (_request, response) => response.end())
  const baseUrl = config.baseUrl ?? `http://localhost:${config.port}`
  const installation = openInstallation(config, opened, baseUrl, log, () => {})
  try {
    return await runCommand(installation.deps, args, output)
  } finally {
    await installation.close()
  }
}

const output: Output = {
  out: (chunk) => void process.stdout.write(chunk),
  err: (line) => console.error(line),
}

/** Has the running server do it, or undefined if none has the folder. */
async function runInServer(dataDir: string, args: string[]): Promise<number | undefined> {
  const answer = await askHolder(dataDir, JSON.stringify(args))
  if (!answer) return undefined
  for await (const line of createInterface(answer)) {
    const said = JSON.parse(line) as { out?: string; err?: string; exit?: number }
    if (said.out !== undefined) output.out(Buffer.from(said.out, 'base64'))
    if (said.err !== undefined) output.err(said.err)
    if (said.exit !== undefined) return said.exit
  }
  throw new Error('the server ended before the command did')
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const expected = error instanceof ConfigError || error instanceof FolderInUse || error instanceof NewerDatabase
  console.error(expected ? error.message : `failed: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
