import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { atExit } from '../../support/processes/at-exit.ts'

// biome-ignore lint/suspicious/noExplicitAny: any serializable argument
type Functions = Record<string, (argument: any) => unknown>

/** A child process of the bench and the functions it exposes. */
export type Subprocess<Exposed extends Functions> = AsyncDisposable & {
  pid: number
  /** Calls a function of the process. Rejects with its error, or if the process ends before the result. */
  call<Name extends keyof Exposed>(
    name: Name,
    argument: Parameters<Exposed[Name]>[0],
  ): Promise<Awaited<ReturnType<Exposed[Name]>>>
}

type CallMessage = { n: number; name: string; argument: unknown }
type ResultMessage = { n: number; result?: unknown; error?: string }

/** Starts a file of this folder that calls `exposeFunctions`. It ends with this process in any case. */
export function startSubprocess<Exposed extends Functions>(file: string): Subprocess<Exposed> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
  })
  const removeExitHook = atExit(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  const pendingCalls = new Map<number, PromiseWithResolvers<unknown>>()
  child.on('message', ({ n, result, error }: ResultMessage) => {
    const pending = pendingCalls.get(n)
    pendingCalls.delete(n)
    if (error === undefined) pending?.resolve(result)
    else pending?.reject(new Error(error))
  })
  void exited.then(([code]) => {
    for (const { reject } of pendingCalls.values()) reject(new Error(`${file} ended with ${code}`))
  })
  let callCount = 0
  return {
    pid: child.pid as number,
    call(name, argument) {
      const pending = Promise.withResolvers<unknown>()
      const message: CallMessage = { n: ++callCount, name: String(name), argument }
      pendingCalls.set(message.n, pending)
      child.send(message, (error) => error && pending.reject(error))
      return pending.promise as never
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
      removeExitHook()
    },
  }
}

/** Exposes functions to the parent process. */
export function exposeFunctions(functions: Functions): void {
  process.on('disconnect', () => process.exit())
  process.on('message', async ({ n, name, argument }: CallMessage) => {
    const reply: ResultMessage = { n }
    try {
      reply.result = await functions[name]?.(argument)
    } catch (error) {
      reply.error = (error as Error).stack ?? String(error)
    }
    process.send?.(reply)
  })
}
