import { once } from 'node:events'
import { connect } from 'node:net'

/** A kept connection to a server of this machine, over which requests go one after another. */
export type Connection = {
  /** Sends a request as it is written on the wire and waits for its whole answer. Fails if the connection ends. */
  ask(request: Buffer): Promise<Answer>
  close(): void
}

export type Answer = { status: number; head: string; body: Buffer }

/**
 * Opens a connection. It understands as much of HTTP/1.1 as our own servers speak, because the load generator shares the
 * machine with what it measures: node:http takes five times the processor time for a request.
 */
export async function openConnection(port: number): Promise<Connection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  let waiting: PromiseWithResolvers<Answer> | undefined
  let received: Buffer = nothing

  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const answer = readAnswer(received)
    if (!answer) return
    received = nothing
    const { resolve } = waiting as PromiseWithResolvers<Answer>
    waiting = undefined
    resolve(answer)
  })
  const fail = (error: Error) => waiting?.reject(error)
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the server closed the connection')))

  return {
    ask(request) {
      waiting = Promise.withResolvers()
      if (socket.destroyed) fail(new Error('the connection is closed'))
      else socket.write(request)
      return waiting.promise
    },
    close: () => socket.destroy(),
  }
}

const nothing = Buffer.alloc(0)

/** The answer, once all of it is there. No second one can follow it, because there was no second request. */
function readAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = bytes.toString('latin1', 0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  const whole =
    length === undefined
      ? !/\r\ntransfer-encoding: *chunked/i.test(head) || bytes.toString('latin1', bytes.length - 5) === '0\r\n\r\n'
      : bytes.length >= end + 4 + Number(length)
  return whole ? { status: Number(head.slice(9, 12)), head, body: bytes.subarray(end + 4) } : undefined
}
