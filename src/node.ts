import type { RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { CannotStart, parseConfig } from './config.ts'
import { closeOnError } from './db/close-on-error.ts'
import { saidOf } from './db/database.ts'
import type { Deps } from './deps.ts'
import { openDatabase, openLog } from './installation.ts'

/** Opens the installation and serves it. */
async function main() {
  const config = parseConfig(process.env)
  const log = openLog(config)
  let running: Deps | undefined
  const opening = openDatabase(
    config,
    log,
    runCommands(() => running),
  )
  // The pages are loaded while the database opens, which mostly waits: for files, for compiled WebAssembly, for the network.
  const loading = import('./serve.ts')
  const opened = await opening
  await closeOnError(opened.close, async () => {
    const { serve } = await loading
    await serve(config, log, opened, (deps) => {
      running = deps
    })
  })
}

/** Answers the command line of an embedded installation: what it wrote, line by line, then its exit code. */
function runCommands(ready: () => Deps | undefined): RequestListener {
  return async (request, response) => {
    const say = (said: object) => response.write(`${JSON.stringify(said)}\n`)
    try {
      const args = JSON.parse(await text(request)) as string[]
      const deps = ready()
      if (!deps) throw new Error('the server is still starting: try again')
      const { runCommand } = await import('./commands.ts')
      const exit = await runCommand(deps, args, {
        out: (chunk) => say({ out: Buffer.from(chunk).toString('base64') }),
        err: (line) => say({ err: line }),
      })
      say({ exit })
    } catch (error) {
      say({ err: `failed: ${saidOf(error).reason}` })
      say({ exit: 1 })
    }
    response.end()
  }
}

try {
  await main()
} catch (error) {
  console.error(error instanceof CannotStart ? error.message : `cannot start: ${saidOf(error).reason}`)
  process.exit(1)
}
