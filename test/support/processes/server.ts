import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from './free-port.ts'
import { cliCommand, type Program, runProgram, serverCommand, startProgram } from './processes.ts'

/** The service in its own process, as an operator starts it. */
export type Server = AsyncDisposable & {
  url: string
  /** Its DATA_DIR, removed on disposal. */
  dataDir: string
  /** Output since the last start. */
  output(): string
  request(path: string, init?: RequestInit): Promise<Response>
  /** Runs a CLI command for the same installation. */
  cli(...args: string[]): ReturnType<typeof runProgram>
  /** Sends SIGTERM. Returns the exit code. */
  stop(): Promise<number | null>
  /** Sends SIGKILL. */
  kill(): Promise<void>
  /** Restarts it on the same folder and port. */
  start(env?: Record<string, string>): Promise<void>
}

/** Commands that start the server and the CLI. */
export type Commands = { server: string[]; cli: string[] }

/**
 * Starts the service and waits until it responds and has printed its banner.
 * @param env its whole environment; PORT and DATA_DIR have defaults
 * @param commands programs to use instead of those built by `npm ci`
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
    if (!response.ok) throw new Error(`the server started, but /healthz returns ${response.status}`)
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
