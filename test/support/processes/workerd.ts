import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from './free-port.ts'
import { startProgram } from './processes.ts'

/** The service as Cloudflare runs it: in workerd, with the repository's wrangler.toml, without network access. */
export type Worker = AsyncDisposable & {
  url: string
  output(): string
  request(path: string, init?: RequestInit): Promise<Response>
  /** Triggers the cron handler and waits until it has finished. */
  scheduled(): Promise<void>
}

/**
 * Starts the Worker and waits until it responds.
 * @param databaseUrl the database behind the HYPERDRIVE binding
 * @param vars variables that override those of wrangler.toml
 * @param config another wrangler.toml
 * @param env additional environment of wrangler
 */
export async function startWorker(
  databaseUrl: string,
  vars: Record<string, string> = {},
  config = 'wrangler.toml',
  env: Record<string, string> = {},
): Promise<Worker> {
  const folder = await mkdtemp(join(tmpdir(), 'baoming-workerd-'))
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const program = startProgram(
    [
      'node_modules/.bin/wrangler',
      ...['dev', '--config', config, '--local', '--ip', '127.0.0.1', '--port', `${port}`],
      ...['--inspector-port', `${await findFreePort()}`, '--persist-to', join(folder, 'state')],
      ...['--test-scheduled', '--show-interactive-dev-session', 'false'],
      ...Object.entries(vars).flatMap(([name, value]) => ['--var', `${name}:${value}`]),
    ],
    {
      CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE: databaseUrl,
      WRANGLER_SEND_METRICS: 'false',
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      // Keeps logs and settings out of the home folder.
      XDG_CONFIG_HOME: folder,
      WRANGLER_LOG_PATH: folder,
      NO_COLOR: '1',
      ...env,
    },
  )
  const request = (path: string, init?: RequestInit) => fetch(url + path, { redirect: 'manual', ...init })

  async function dispose() {
    await program.kill()
    await rm(folder, { recursive: true, force: true })
  }

  try {
    await program.waitForOutput('Ready on')
    await request('/healthz')
  } catch (error) {
    await dispose()
    throw error
  }
  return {
    url,
    output: program.output,
    request,
    async scheduled() {
      const response = await request('/__scheduled')
      if (!response.ok) throw new Error(`the cron trigger failed: ${await response.text()}\n${program.output()}`)
    },
    [Symbol.asyncDispose]: dispose,
  }
}
