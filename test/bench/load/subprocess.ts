import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { atExit } from '../../support/processes/at-exit.ts'

// biome-ignore lint/suspicious/noExplicitAny: whatever a function takes and gives, as long as it can be sent.
type Functions = Record<string, (argument: any) => unknown>

/** Another process of the bench and the functions that it offers. */
export type Subprocess<Offered extends Functions> = AsyncDisposable & {
  pid: number
  /** Runs one of its functions there. Fails with what it threw, or when the process ends before it has answered. */
  call<Name extends keyof Offered>(
    name: Name,
    argument: Parameters<Offered[Name]>[0],
  ): Promise<Awaited<ReturnType<Offered[Name]>>>
}

type CallMessage = { n: number; name: string; argument: unknown }
type ResultMessage = { n: number; answer?: unknown; error?: string }

/** Starts a file of this folder that calls `offer`. It ends with this process, however that ends. */
export function startSubprocess<Offered extends Functions>(file: string): Subprocess<Offered> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
  })
  const removeExitHook = atExit(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  const pendingCalls = new Map<number, PromiseWithResolvers<unknown>>()
  child.on('message', ({ n, answer, error }: ResultMessage) => {
    const pending = pendingCalls.get(n)
    pendingCalls.delete(n)
    if (error === undefined) pending?.resolve(answer)
    else pending?.reject(new Error(error))
  })
  void ended.then(([code]) => {
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
      await ended
      removeExitHook()
    },
  }
}

/** Offers functions to the process that started this one. */
export function exposeFunctions(functions: Functions): void {
  process.on('disconnect', () => process.exit())
  process.on('message', async ({ n, name, argument }: CallMessage) => {
    const reply: ResultMessage = { n }
    try {
      reply.answer = await functions[name]?.(argument)
    } catch (error) {
      reply.error = (error as Error).stack ?? String(error)
    }
    process.send?.(reply)
  })
}
