import { Agent, type IncomingHttpHeaders, request } from 'node:http'

export type HttpRequest = {
  method?: 'GET' | 'POST' | 'PATCH'
  path: string
  headers?: Record<string, string>
  /** Pairs where several fields have one name. */
  form?: Record<string, string> | [name: string, value: string][]
  json?: object
}

/** What came of a request. */
export type HttpResponse = {
  /**
   * `refused`: nobody listened, so that nothing was sent. `broken`: the connection ended before the answer did.
   * `hung`: there was none within the patience of whoever asked.
   */
  status: number | 'refused' | 'broken' | 'hung'
  headers: IncomingHttpHeaders
  body: string
  milliseconds: number
  /** The longest time without a word, in milliseconds: to the head of the answer, or between parts of it. */
  longestGap: number
}

/** Longer than any request may take, so that one which hangs is seen to. */
export const requestTimeout = 10_000

export type HttpClient = Disposable & { send(origin: string, request: HttpRequest): Promise<HttpResponse> }

/** Connections that are kept, as a balancer in front of the service has them. */
export function createHttpClient(): HttpClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 128 })
  return {
    async send(origin, { method = 'GET', path, headers = {}, form, json }) {
      const startedAt = performance.now()
      const body = form ? new URLSearchParams(form).toString() : json && JSON.stringify(json)
      const type = form ? 'application/x-www-form-urlencoded' : 'application/json'
      const signal = AbortSignal.timeout(requestTimeout)
      let lastDataAt = startedAt
      let longestGap = 0
      const recordGap = () => {
        longestGap = Math.max(longestGap, performance.now() - lastDataAt)
        lastDataAt = performance.now()
      }
      return new Promise((resolve) => {
        const end = (status: HttpResponse['status'], headers: IncomingHttpHeaders = {}, body = '') => {
          recordGap()
          resolve({ status, headers, body, milliseconds: performance.now() - startedAt, longestGap })
        }
        const fail = (error: NodeJS.ErrnoException) =>
          end(signal.aborted ? 'hung' : error.code === 'ECONNREFUSED' ? 'refused' : 'broken')
        const clientRequest = request(
          origin + path,
          { method, agent, signal, headers: { ...headers, ...(body !== undefined && { 'Content-Type': type }) } },
          (response) => {
            recordGap()
            let text = ''
            response.setEncoding('utf8').on('data', (part) => {
              recordGap()
              text += part
            })
            response.on('error', fail)
            response.on('end', () => end(response.statusCode as number, response.headers, text))
          },
        )
        clientRequest.on('error', fail)
        clientRequest.end(body)
      })
    },
    [Symbol.dispose]: () => agent.destroy(),
  }
}
