import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { findFreePort } from '../processes/free-port.ts'

/** A wire between the service and its database, to which everything may happen that happens to wires. */
export type DatabaseProxy = AsyncDisposable & {
  /** The address of the database over the wire. */
  url: string
  /** Cuts this share of the connections, from 0 to 1, the oldest first. Gives how many. */
  dropConnections(share: number): number
  /** From now until `resume` nothing passes. Connections are accepted all the same, as a black hole does. */
  stall(): void
  /** What was held back passes. */
  resume(): void
  /**
   * Ends a stall as a firewall does that has forgotten its connections: what was held back is lost, and whoever has a
   * connection of that time never hears of it again. The database hears of every other one that it is closed. New ones
   * work. Gives how many are lost.
   */
  loseConnections(): number
  /** From now until `answer` connections are refused; those that are there are cut. */
  refuseConnections(): void
  acceptConnections(): Promise<void>
}

type Connection = { client: Socket; upstream: Socket | undefined }

/** Lays a wire to a database, on a port of its own on this machine. */
export async function startDatabaseProxy(database: string): Promise<DatabaseProxy> {
  const target = new URL(database)
  const address = new URL(database)
  const port = await findFreePort()
  address.host = `127.0.0.1:${port}`
  const connections = new Set<Connection>()
  let stalled = false
  let server: Server

  async function listen() {
    // Nothing is read before it may pass, so that a stall holds back the first word of a new connection too.
    server = createServer({ pauseOnConnect: true }, accept).listen(port, '127.0.0.1')
    await once(server, 'listening')
  }

  function accept(client: Socket) {
    const connection: Connection = { client, upstream: undefined }
    connections.add(connection)
    client.on('error', () => {})
    client.on('close', () => {
      connections.delete(connection)
      connection.upstream?.destroy()
    })
    if (!stalled) connectUpstream(connection)
  }

  /** Lets a connection through to the other end. */
  function connectUpstream(connection: Connection) {
    const { client } = connection
    const upstream = connect(Number(target.port), target.hostname)
    connection.upstream = upstream
    upstream.on('error', () => {})
    upstream.on('close', () => client.destroy())
    client.on('data', (bytes) => upstream.write(bytes))
    upstream.on('data', (bytes) => client.write(bytes))
    client.resume()
  }

  function destroy(connection: Connection) {
    connection.upstream?.destroy()
    connection.client.destroy()
  }

  await listen()
  return {
    url: address.href,
    dropConnections(share) {
      const affected = [...connections].slice(0, Math.ceil(share * connections.size))
      for (const connection of affected) destroy(connection)
      return affected.length
    },
    stall() {
      stalled = true
      for (const { client, upstream } of connections) {
        client.pause()
        upstream?.pause()
      }
    },
    resume() {
      stalled = false
      for (const connection of connections) {
        if (!connection.upstream) connectUpstream(connection)
        connection.client.resume()
        connection.upstream?.resume()
      }
    },
    loseConnections() {
      stalled = false
      const lostConnections = [...connections]
      for (const [n, { client, upstream }] of lostConnections.entries()) {
        for (const socket of [client, upstream]) socket?.removeAllListeners('data').resume()
        upstream?.removeAllListeners('close')
        if (n % 2) upstream?.destroy()
      }
      return lostConnections.length
    },
    refuseConnections() {
      server.close()
      for (const connection of connections) destroy(connection)
    },
    acceptConnections: listen,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const connection of connections) destroy(connection)
    },
  }
}
