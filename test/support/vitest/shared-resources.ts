import { inject } from 'vitest'

/** Resources that a run creates once for all test files. */
export type SharedResources = {
  /** A migrated, empty database for PGlite's `loadDataDir`. */
  pglite: { file: string }
  /** A server for test databases, and a migrated, empty database as template. */
  postgres: { url: string; template: string }
  /** A browser and its environment. */
  chromium: { executable: string; env: Record<string, string> }
}

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the server in global-setup.ts that provides the resources. */
    sharedResourcesUrl: string
  }
}

/** Returns a shared resource. The first request waits until it is created. */
export async function getSharedResource<Name extends keyof SharedResources>(
  name: Name,
): Promise<SharedResources[Name]> {
  const response = await fetch(`${inject('sharedResourcesUrl')}/${name}`)
  if (!response.ok) throw new Error(`${name} could not be prepared: ${await response.text()}`)
  return (await response.json()) as SharedResources[Name]
}
