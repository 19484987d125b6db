import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from './free-port.ts'

/** A wire between the service and its database, to which everything may happen that happens to wires. */
export type Wire = AsyncDisposable & {
  /** The address of the database over the wire. */
  url: string
  /** Cuts this share of the connections, from 0 to 1, the oldest first. Gives how many. */
  cut(share: number): number
  /** From now until `resume` nothing passes. Connections are accepted all the same, as a black hole does. */
  stall(): void
  /** What was held back passes. */
  resume(): void
  /**
   * Ends a stall as a firewall does that has forgotten its connections: what was held back is lost, and whoever has a
   * connection of that time never hears of it again. The database hears of every other one that it is closed. New ones
   * work. Gives how many are lost.
   */
  lose(): number
  /** From now until `answer` connections are refused; those that are there are cut. */
  refuse(): void
  answer(): Promise<void>
}

type Connection = { here: Socket; there: Socket | undefined }

/** Lays a wire to a database, on a port of its own on this machine. */
export async function openWire(database: string): Promise<Wire> {
  const target = new URL(database)
  const address = new URL(database)
  const port = await freePort()
  address.host = `127.0.0.1:${port}`
  const connections = new Set<Connection>()
  let stalled = false
  let server: Server

  async function listen() {
    // Nothing is read before it may pass, so that a stall holds back the first word of a new connection too.
    server = createServer({ pauseOnConnect: true }, accept).listen(port, '127.0.0.1')
    await once(server, 'listening')
  }

  function accept(here: Socket) {
    const connection: Connection = { here, there: undefined }
    connections.add(connection)
    here.on('error', () => {})
    here.on('close', () => {
      connections.delete(connection)
      connection.there?.destroy()
    })
    if (!stalled) join(connection)
  }

  /** Lets a connection through to the other end. */
  function join(connection: Connection) {
    const { here } = connection
    const there = connect(Number(target.port), target.hostname)
    connection.there = there
    there.on('error', () => {})
    there.on('close', () => here.destroy())
    here.on('data', (bytes) => there.write(bytes))
    there.on('data', (bytes) => here.write(bytes))
    here.resume()
  }

  function destroy(connection: Connection) {
    connection.there?.destroy()
    connection.here.destroy()
  }

  await listen()
  return {
    url: address.href,
    cut(share) {
      const chosen = [...connections].slice(0, Math.ceil(share * connections.size))
      for (const connection of chosen) destroy(connection)
      return chosen.length
    },
    stall() {
      stalled = true
      for (const { here, there } of connections) {
        here.pause()
        there?.pause()
      }
    },
    resume() {
      stalled = false
      for (const connection of connections) {
        if (!connection.there) join(connection)
        connection.here.resume()
        connection.there?.resume()
      }
    },
    lose() {
      stalled = false
      const lost = [...connections]
      for (const [n, { here, there }] of lost.entries()) {
        for (const socket of [here, there]) socket?.removeAllListeners('data').resume()
        there?.removeAllListeners('close')
        if (n % 2) there?.destroy()
      }
      return lost.length
    },
    refuse() {
      server.close()
      for (const connection of connections) destroy(connection)
    },
    answer: listen,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const connection of connections) destroy(connection)
    },
  }
}
