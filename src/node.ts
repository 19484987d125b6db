import type { RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { redactError } from './db/database.ts'
import type { Deps } from './domain/deps.ts'
import { closeOnError } from './lib/close-on-error.ts'
import { parseConfig, StartupError } from './lib/config.ts'
import { createLogger, openDatabase } from './server/runtime.ts'

async function main() {
  const config = parseConfig(process.env)
  const log = createLogger(config)
  let running: Deps | undefined
  const opening = openDatabase(
    config,
    log,
    commandListener(() => running),
  )
  // Imported while the database opens, which mostly waits for files, WebAssembly compilation or the network.
  const loading = import('./server/serve.ts')
  const opened = await opening
  await closeOnError(opened.close, async () => {
    const { serve } = await loading
    await serve(config, log, opened, (deps) => {
      running = deps
    })
  })
}

/**
 * Runs commands sent by cli.ts through the data folder's lock. Streams their output as JSON lines, then the exit code.
 */
function commandListener(currentDeps: () => Deps | undefined): RequestListener {
  return async (request, response) => {
    const send = (line: object) => response.write(`${JSON.stringify(line)}\n`)
    try {
      const args = JSON.parse(await text(request)) as string[]
      const deps = currentDeps()
      if (!deps) throw new Error('the server is still starting: try again')
      const { runCommand } = await import('./server/commands.ts')
      const exit = await runCommand(deps, args, {
        out: (chunk) => send({ out: Buffer.from(chunk).toString('base64') }),
        err: (line) => send({ err: line }),
      })
      send({ exit })
    } catch (error) {
      send({ err: `failed: ${redactError(error).reason}` })
      send({ exit: 1 })
    }
    response.end()
  }
}

try {
  await main()
} catch (error) {
  console.error(error instanceof StartupError ? error.message : `cannot start: ${redactError(error).reason}`)
  process.exit(1)
}
