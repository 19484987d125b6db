import { inject } from 'vitest'

/** What a run makes once for all its test files. */
export type Prepared = {
  /** A migrated, empty database for `loadDataDir` of PGlite. */
  pglite: { file: string }
  /** A server that may be filled with databases, and a migrated, empty one to make them from. */
  postgres: { url: string; template: string }
  /** A browser, and the environment in which it starts. */
  chromium: { executable: string; env: Record<string, string> }
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Where prepare.ts hands out what it made. */
    preparations: string
  }
}

/** Asks for something that is made once a run, and waits while it is made for the first time. */
export async function prepared<Name extends keyof Prepared>(name: Name): Promise<Prepared[Name]> {
  const answer = await fetch(`${inject('preparations')}/${name}`)
  if (!answer.ok) throw new Error(`${name} could not be prepared: ${await answer.text()}`)
  return (await answer.json()) as Prepared[Name]
}
