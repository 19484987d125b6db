import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { findFreePort } from '../processes/free-port.ts'

/** TCP proxy between the service and its database that can simulate network failures. */
export type DatabaseProxy = AsyncDisposable & {
  /** URL of the database through the proxy. */
  url: string
  /** Closes this share of the connections, from 0 to 1, oldest first. Returns how many. */
  dropConnections(share: number): number
  /** Blocks all traffic until `resume`. Connections are still accepted, like a black hole. */
  stall(): void
  /** Lets the blocked traffic pass. */
  resume(): void
  /**
   * Ends a stall like a firewall that has lost its connection table: blocked traffic is lost, and clients with a
   * connection of that time never get a response. The database sees every other one as closed. New connections work.
   * Returns how many are lost.
   */
  loseConnections(): number
  /** Refuses connections until `acceptConnections` and closes existing ones. */
  refuseConnections(): void
  acceptConnections(): Promise<void>
}

type Connection = { client: Socket; upstream: Socket | undefined }

/** Starts a proxy to a database on its own local port. */
export async function startDatabaseProxy(database: string): Promise<DatabaseProxy> {
  const target = new URL(database)
  const address = new URL(database)
  const port = await findFreePort()
  address.host = `127.0.0.1:${port}`
  const connections = new Set<Connection>()
  let stalled = false
  let server: Server

  async function listen() {
    // Nothing is read while paused, so a stall also blocks the first packet of a new connection.
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

  /** Connects a client to the database. */
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
