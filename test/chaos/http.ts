import { Agent, type IncomingHttpHeaders, request } from 'node:http'

export type Request = {
  method?: 'GET' | 'POST' | 'PATCH'
  path: string
  headers?: Record<string, string>
  /** Pairs where several fields have one name. */
  form?: Record<string, string> | [name: string, value: string][]
  json?: object
}

/** What came of a request. */
export type Answer = {
  /**
   * `refused`: nobody listened, so that nothing was sent. `broken`: the connection ended before the answer did.
   * `hung`: there was none within the patience of whoever asked.
   */
  status: number | 'refused' | 'broken' | 'hung'
  headers: IncomingHttpHeaders
  body: string
  milliseconds: number
  /** The longest time without a word, in milliseconds: to the head of the answer, or between parts of it. */
  silence: number
}

/** Longer than any request may take, so that one which hangs is seen to. */
export const patience = 10_000

export type HttpClient = Disposable & { ask(origin: string, request: Request): Promise<Answer> }

/** Connections that are kept, as a balancer in front of the service has them. */
export function openHttpClient(): HttpClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 128 })
  return {
    async ask(origin, { method = 'GET', path, headers = {}, form, json }) {
      const begun = performance.now()
      const body = form ? new URLSearchParams(form).toString() : json && JSON.stringify(json)
      const type = form ? 'application/x-www-form-urlencoded' : 'application/json'
      const signal = AbortSignal.timeout(patience)
      let heard = begun
      let silence = 0
      const hear = () => {
        silence = Math.max(silence, performance.now() - heard)
        heard = performance.now()
      }
      return new Promise((resolve) => {
        const end = (status: Answer['status'], headers: IncomingHttpHeaders = {}, body = '') => {
          hear()
          resolve({ status, headers, body, milliseconds: performance.now() - begun, silence })
        }
        const fail = (error: NodeJS.ErrnoException) =>
          end(signal.aborted ? 'hung' : error.code === 'ECONNREFUSED' ? 'refused' : 'broken')
        const sent = request(
          origin + path,
          { method, agent, signal, headers: { ...headers, ...(body !== undefined && { 'Content-Type': type }) } },
          (response) => {
            hear()
            let text = ''
            response.setEncoding('utf8').on('data', (part) => {
              hear()
              text += part
            })
            response.on('error', fail)
            response.on('end', () => end(response.statusCode as number, response.headers, text))
          },
        )
        sent.on('error', fail)
        sent.end(body)
      })
    },
    [Symbol.dispose]: () => agent.destroy(),
  }
}
