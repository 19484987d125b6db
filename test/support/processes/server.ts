import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from './free-port.ts'
import { cliCommand, type Program, runProgram, serverCommand, startProgram } from './processes.ts'

/** The service as an operator starts it, in processes of its own. */
export type Server = AsyncDisposable & {
  url: string
  /** Its DATA_DIR, which goes when the server is disposed of. */
  dataDir: string
  /** What it wrote since it was last started. */
  output(): string
  request(path: string, init?: RequestInit): Promise<Response>
  /** Runs a command of the CLI for the same installation. */
  cli(...args: string[]): ReturnType<typeof runProgram>
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>
  /** kill -9, in the middle of whatever it does. */
  kill(): Promise<void>
  /** Starts it again, on the same folder and port. */
  start(env?: Record<string, string>): Promise<void>
}

/** How the server and its command line are started. */
export type Commands = { server: string[]; cli: string[] }

/**
 * Starts the service and waits until it answers and has greeted.
 * @param env its whole environment; PORT and DATA_DIR are chosen unless given
 * @param commands other programs than those that `npm ci` builds here
 */
export async function startServer(
  env: Record<string, string> = {},
  commands: Commands = { server: serverCommand, cli: cliCommand },
): Promise<Server> {
  const dataDir = env.DATA_DIR ?? (await mkdtemp(join(tmpdir(), 'baoming-data-')))
  const port = env.PORT ?? String(await findFreePort())
  const url = `http://127.0.0.1:${port}`
  const settings = { DATA_DIR: dataDir, PORT: port, ...env }
  let program: Program | undefined

  async function start(overrides: Record<string, string> = {}) {
    program = startProgram(commands.server, { ...settings, ...overrides })
    await program.waitForOutput('baoming is at')
    const response = await fetch(`${url}/healthz`)
    if (!response.ok) throw new Error(`the server greeted but answers ${response.status}`)
  }

  const server: Server = {
    url,
    dataDir,
    output: () => program?.output() ?? '',
    request: (path, init) => fetch(url + path, { redirect: 'manual', ...init }),
    cli: (...args) => runProgram([...commands.cli, ...args], settings),
    stop: async () => program?.stop() ?? null,
    kill: async () => program?.kill(),
    start,
    async [Symbol.asyncDispose]() {
      await program?.kill()
      if (!env.DATA_DIR) await rm(dataDir, { recursive: true, force: true })
    },
  }
  try {
    await start()
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
  return server
}
