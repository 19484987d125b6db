import { once } from 'node:events'
import { connect } from 'node:net'

/** A kept connection to a server of this machine, over which requests go one after another. */
export type Connection = {
  /** Sends a request as it is written on the wire and waits for its whole answer. Fails if the connection ends. */
  send(request: Buffer): Promise<HttpResponse>
  close(): void
}

export type HttpResponse = { status: number; head: string; body: Buffer }

/**
 * Opens a connection. It understands as much of HTTP/1.1 as our own servers speak, because the load generator shares the
 * machine with what it measures: node:http takes five times the processor time for a request.
 */
export async function openConnection(port: number): Promise<Connection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  let waiting: PromiseWithResolvers<HttpResponse> | undefined
  let received: Buffer = emptyBuffer

  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const response = parseResponse(received)
    if (!response) return
    received = emptyBuffer
    const { resolve } = waiting as PromiseWithResolvers<HttpResponse>
    waiting = undefined
    resolve(response)
  })
  const fail = (error: Error) => waiting?.reject(error)
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the server closed the connection')))

  return {
    send(request) {
      waiting = Promise.withResolvers()
      if (socket.destroyed) fail(new Error('the connection is closed'))
      else socket.write(request)
      return waiting.promise
    },
    close: () => socket.destroy(),
  }
}

const emptyBuffer = Buffer.alloc(0)

/** The answer, once all of it is there. No second one can follow it, because there was no second request. */
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
