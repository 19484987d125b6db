import { once } from 'node:events'
import { connect } from 'node:net'

/** A keep-alive connection to a local server, with one request at a time. */
export type Connection = {
  /** Sends a raw request and waits for the complete response. Rejects if the connection ends. */
  send(request: Buffer): Promise<HttpResponse>
  close(): void
}

export type HttpResponse = { status: number; head: string; body: Buffer }

/**
 * Opens a connection. Supports only the HTTP/1.1 that our own servers use, because the load generator shares the
 * machine with what it measures: node:http takes five times the CPU time per request.
 */
export async function openConnection(port: number): Promise<Connection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  let pending: PromiseWithResolvers<HttpResponse> | undefined
  let received: Buffer = emptyBuffer

  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const response = parseResponse(received)
    if (!response) return
    received = emptyBuffer
    const { resolve } = pending as PromiseWithResolvers<HttpResponse>
    pending = undefined
    resolve(response)
  })
  const fail = (error: Error) => pending?.reject(error)
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the server closed the connection')))

  return {
    send(request) {
      pending = Promise.withResolvers()
      if (socket.destroyed) fail(new Error('the connection is closed'))
      else socket.write(request)
      return pending.promise
    },
    close: () => socket.destroy(),
  }
}

const emptyBuffer = Buffer.alloc(0)

/** The response once it is complete. No second one can follow, because there is only one request at a time. */
function parseResponse(received: Buffer): HttpResponse | undefined {
  const end = received.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = received.toString('latin1', 0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  const isComplete =
    length === undefined
      ? !/\r\ntransfer-encoding: *chunked/i.test(head) ||
        received.toString('latin1', received.length - 5) === '0\r\n\r\n'
      : received.length >= end + 4 + Number(length)
  return isComplete ? { status: Number(head.slice(9, 12)), head, body: received.subarray(end + 4) } : undefined
}
