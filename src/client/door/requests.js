// Requests to the server, and why one was not carried out.

/**
 * Sends a request. Gives `failure` where it was not carried out, else `body` where the response has JSON.
 * @param path where to
 * @param options those of fetch, and `limit`: after so many milliseconds the server counts as unreachable
 * @returns { response?, body?, failure? }, failure being { kind, status?, retryAfter? }. Its kinds are 'offline': there was no
 * response; 'busy': 429 or 5xx, to be repeated, after `retryAfter` milliseconds if given; 'refused': any other 4xx
 */
export async function sendRequest(path, { limit, ...options }) {
  try {
    const response = await fetch(path, { ...options, signal: AbortSignal.timeout(limit) })
    // A slow network may cut the body off.
    const body = response.ok && isJson(response) ? await response.json() : undefined
    return { response, body, failure: classifyFailure(response) }
  } catch {
    return { failure: offlineFailure }
  }
}

export const offlineFailure = { kind: 'offline' }

function classifyFailure({ ok, type, status, headers }) {
  if (ok || status === 304 || type === 'opaqueredirect') return undefined
  if (status !== 429 && status < 500) return { kind: 'refused', status }
  return { kind: 'busy', status, retryAfter: 1000 * (Number(headers.get('Retry-After')) || 0) }
}

function isJson({ headers }) {
  return headers.get('Content-Type')?.startsWith('application/json')
}
