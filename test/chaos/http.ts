import { Agent, type IncomingHttpHeaders, request } from 'node:http'

export type HttpRequest = {
  method?: 'GET' | 'POST' | 'PATCH'
  path: string
  headers?: Record<string, string>
  /** Pairs if several fields have the same name. */
  form?: Record<string, string> | [name: string, value: string][]
  json?: object
}

/** Outcome of a request. */
export type HttpResponse = {
  /**
   * `refused`: no server was listening, so nothing was sent. `broken`: the connection ended before the response did.
   * `hung`: no response within `requestTimeout`.
   */
  status: number | 'refused' | 'broken' | 'hung'
  headers: IncomingHttpHeaders
  body: string
  milliseconds: number
  /** Longest gap without data in milliseconds: until the head of the response, or between its parts. */
  longestGap: number
}

/** Longer than any request may take, so that hanging requests are detected. */
export const requestTimeout = 10_000

export type HttpClient = Disposable & { send(origin: string, request: HttpRequest): Promise<HttpResponse> }

/** HTTP client with keep-alive connections, like a load balancer in front of the service. */
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
