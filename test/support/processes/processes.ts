import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { atExit } from './at-exit.ts'

/** The repository's root folder. */
export const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The programs that `npm ci` builds, run directly by Node, so that a signal reaches them. */
export const serverCommand = [process.execPath, join(root, 'dist/node.js')]
export const cliCommand = [process.execPath, join(root, 'dist/cli.js')]

/** A program with its child processes. */
export type Program = {
  /** Output of the program and its children so far, both streams. */
  output(): string
  /** Waits until the output contains this text. Fails if the program ends before. */
  waitForOutput(text: string): Promise<void>
  /** Rejects when the program ends. Never resolves. */
  rejectsOnExit: Promise<never>
  /** Sends SIGTERM to the program, which stops its children. Returns the exit code. */
  stop(): Promise<number | null>
  /** Kills the whole process group with SIGKILL. */
  kill(): Promise<void>
}

/**
 * Starts a program.
 * @param env its environment, besides PATH and HOME
 * @param folder its working directory, by default the repository
 */
export function startProgram(command: string[], env: Record<string, string>, folder = root): Program {
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...baseEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // In its own process group, so that `kill` reaches child processes: tsx and wrangler do their work there.
    detached: true,
  })
  let output = ''
  let listeners: (() => void)[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
      for (const listener of listeners) listener()
    })
  }
  const closed = once(child, 'close')
  const rejectsOnExit = closed.then(([code]) => {
    throw new Error(`${command.join(' ')} ended with ${code}:\n${output}`)
  })
  rejectsOnExit.catch(() => {})
  void closed.then(atExit(() => signalGroup(child, 'SIGKILL')))
  return {
    output: () => output,
    waitForOutput: (text) =>
      Promise.race([
        rejectsOnExit,
        new Promise<void>((resolve) => {
          const check = () => output.includes(text) && resolve()
          listeners = [...listeners, check]
          check()
        }),
      ]),
    rejectsOnExit,
    async stop() {
      child.kill('SIGTERM')
      const [code] = await closed
      return code
    },
    async kill() {
      signalGroup(child, 'SIGKILL')
      await closed
    },
  }
}

/** Runs a program to its end. */
export async function runProgram(
  command: string[],
  env: Record<string, string> = {},
  folder = root,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...baseEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}

function baseEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env
  return { PATH, HOME }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals) {
  try {
    if (child.pid) process.kill(-child.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
