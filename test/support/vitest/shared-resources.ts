import { inject } from 'vitest'

/** What a run makes once for all its test files. */
export type SharedResources = {
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
    sharedResourcesUrl: string
  }
}

/** Asks for something that is made once a run, and waits while it is made for the first time. */
export async function getSharedResource<Name extends keyof SharedResources>(
  name: Name,
): Promise<SharedResources[Name]> {
  const response = await fetch(`${inject('sharedResourcesUrl')}/${name}`)
  if (!response.ok) throw new Error(`${name} could not be prepared: ${await response.text()}`)
  return (await response.json()) as SharedResources[Name]
}
