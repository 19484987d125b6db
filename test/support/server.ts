import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { cliCommand, type Program, runProgram, serverCommand, startProgram } from './processes.ts'

/** The service as an operator starts it, in processes of its own. */
export type Server = AsyncDisposable & {
  url: string
  /** Its DATA_DIR, which goes when the server is disposed of. */
  folder: string
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
  const folder = env.DATA_DIR ?? (await mkdtemp(join(tmpdir(), 'baoming-data-')))
  const port = env.PORT ?? String(await freePort())
  const url = `http://127.0.0.1:${port}`
  const settings = { DATA_DIR: folder, PORT: port, ...env }
  let program: Program | undefined

  async function start(changed: Record<string, string> = {}) {
    program = startProgram(commands.server, { ...settings, ...changed })
    await program.wrote('baoming is at')
    const answer = await fetch(`${url}/healthz`)
    if (!answer.ok) throw new Error(`the server greeted but answers ${answer.status}`)
  }

  const server: Server = {
    url,
    folder,
    output: () => program?.output() ?? '',
    request: (path, init) => fetch(url + path, { redirect: 'manual', ...init }),
    cli: (...args) => runProgram([...commands.cli, ...args], settings),
    stop: async () => program?.stop() ?? null,
    kill: async () => program?.kill(),
    start,
    async [Symbol.asyncDispose]() {
      await program?.kill()
      if (!env.DATA_DIR) await rm(folder, { recursive: true, force: true })
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
