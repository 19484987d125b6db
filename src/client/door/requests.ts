// Requests to the server, with a classification of what went wrong.

/**
 * Why a request was not carried out. `offline`: no response. `busy`: 429 or 5xx; retry, after `retryAfter` milliseconds if
 * that is more than 0. `refused`: any other 4xx.
 */
export type Failure =
  | { kind: 'offline' }
  | { kind: 'busy'; status: number; retryAfter: number }
  | { kind: 'refused'; status: number }

/** `body`: the JSON of a response of 2xx, unchecked. */
export type ServerResponse<Body> = { response?: Response; body?: Body; failure?: Failure | undefined }

/** Sends a request. @param timeout after which the server counts as unreachable, in milliseconds */
export async function sendRequest<Body>(
  path: string,
  { timeout, ...options }: RequestInit & { timeout: number },
): Promise<ServerResponse<Body>> {
  try {
    const response = await fetch(path, { ...options, signal: AbortSignal.timeout(timeout) })
    // A slow network may cut the body off.
    const body = response.ok && isJson(response) ? ((await response.json()) as Body) : undefined
    return { response, body, failure: classifyFailure(response) }
  } catch {
    return { failure: offlineFailure }
  }
}

export const offlineFailure: Failure = { kind: 'offline' }

function classifyFailure({ ok, type, status, headers }: Response): Failure | undefined {
  if (ok || status === 304 || type === 'opaqueredirect') return undefined
  if (status !== 429 && status < 500) return { kind: 'refused', status }
  return { kind: 'busy', status, retryAfter: 1000 * (Number(headers.get('Retry-After')) || 0) }
}

function isJson({ headers }: Response): boolean {
  return headers.get('Content-Type')?.startsWith('application/json') ?? false
}
