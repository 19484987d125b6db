import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { atExit } from '../support/at-exit.ts'

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

type Question = { n: number; name: string; argument: unknown }
type Reply = { n: number; answer?: unknown; error?: string }

/** Starts a file of this folder that calls `offer`. It ends with this process, however that ends. */
export function startSubprocess<Offered extends Functions>(file: string): Subprocess<Offered> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
  })
  const forgotten = atExit(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  const asked = new Map<number, PromiseWithResolvers<unknown>>()
  child.on('message', ({ n, answer, error }: Reply) => {
    const waiting = asked.get(n)
    asked.delete(n)
    if (error === undefined) waiting?.resolve(answer)
    else waiting?.reject(new Error(error))
  })
  void ended.then(([code]) => {
    for (const { reject } of asked.values()) reject(new Error(`${file} ended with ${code}`))
  })
  let questions = 0
  return {
    pid: child.pid as number,
    call(name, argument) {
      const waiting = Promise.withResolvers<unknown>()
      const question: Question = { n: ++questions, name: String(name), argument }
      asked.set(question.n, waiting)
      child.send(question, (error) => error && waiting.reject(error))
      return waiting.promise as never
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
      forgotten()
    },
  }
}

/** Offers functions to the process that started this one. */
export function offer(functions: Functions): void {
  process.on('disconnect', () => process.exit())
  process.on('message', async ({ n, name, argument }: Question) => {
    const reply: Reply = { n }
    try {
      reply.answer = await functions[name]?.(argument)
    } catch (error) {
      reply.error = (error as Error).stack ?? String(error)
    }
    process.send?.(reply)
  })
}
