import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import { createAdaptorServer } from '@hono/node-server'
import QRCode from 'qrcode'
import { createApp } from './app.tsx'
import { runCommand } from './commands.ts'
import { type Config, ConfigError, parseConfig } from './config.ts'
import { FolderInUse } from './db/lock.ts'
import { NewerDatabase } from './db/migrate.ts'
import type { Deps } from './deps.ts'
import { listCampaigns } from './domain/campaigns.ts'
import { firstLink } from './domain/registration-links.ts'
import { type Installation, openDatabase, openInstallation, openLog } from './installation.ts'
import { paths, urlOf } from './links.ts'
import { startDelivery } from './mail/delivery.ts'
import { openTransport } from './mail/transport.ts'
import { countMetrics } from './metrics.ts'
import { seed } from './seed.ts'

/** Opens the installation, serves it, delivers its mail, and stops cleanly. */
async function main() {
  const config = parseConfig(process.env)
  const log = openLog(config)
  let deps: Deps | undefined
  const opened = await openDatabase(
    config,
    log,
    runCommands(() => deps),
  )

  const server = createAdaptorServer({
    fetch: (request, env) =>
      app.fetch(request, (env as { incoming?: { socket: { remoteAddress?: string } } }).incoming?.socket.remoteAddress),
  }) as Server
  const port = await listen(server, config)
  const address = addressOf(config.host, port)

  let delivery: ReturnType<typeof startDelivery> | undefined
  const installation = openInstallation(config, opened, config.baseUrl ?? address, log, () => delivery?.wake())
  deps = installation.deps
  countMetrics(deps)
  const app = createApp(deps)
  const transport = openTransport(config)
  if (transport) delivery = startDelivery(deps, transport)
  else log.warn({}, 'SMTP_URL is not set: mails are kept until it is')
  if (!config.rateLimit) log.warn({}, 'RATE_LIMIT is off: do not leave it so')
  stopOn(['SIGTERM', 'SIGINT'], server, async () => {
    await delivery?.stop()
    await installation.close()
  })

  if (opened.embedded && (await listCampaigns(deps, { drafts: true, limit: 1 })).length === 0) await seed(deps)
  await greet(installation, address)
}

/** Listens, and tells the port. */
async function listen(server: Server, { port, host }: Config): Promise<number> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new ConfigError(`PORT: ${port} is taken by another program, choose another one`)
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new ConfigError(`HOST: ${host} is not an address of this machine`)
    if (code === 'EACCES') throw new ConfigError(`PORT: ${port} may not be opened by this user, choose one above 1023`)
    throw error
  }
  return (server.address() as { port: number }).port
}

/** The address to print: one that a phone in the same network can open, where we listen to the network. */
function addressOf(host: string, port: number): string {
  const everywhere = host === '0.0.0.0' || host === '::'
  const lan = Object.values(networkInterfaces())
    .flat()
    .find((net) => net?.family === 'IPv4' && !net.internal)?.address
  const name = everywhere ? (lan ?? 'localhost') : host === '127.0.0.1' || host === '::1' ? 'localhost' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}

/** What a newcomer needs to go on: the address, the QR to scan, the mails, the token. */
async function greet({ deps }: Installation, address: string) {
  const { config, embedded } = deps
  const lines = ['', `  baoming is at ${config.baseUrl}`]
  const link = await firstLink(deps)
  if (link) {
    const url = urlOf(config.baseUrl, paths.link(link.code))
    lines.push('', await QRCode.toString(url, { type: 'terminal', small: true }), `  ${url}  (${link.channel})`, '')
  }
  if (embedded && !config.smtpUrl)
    lines.push(
      `  mails         ${new URL(paths.mailbox(), address.replace(/\/\/[^:/]+/, '//localhost')).href}  (from this machine only)`,
    )
  lines.push(
    `  API           ${urlOf(config.baseUrl, paths.apiDocs())}`,
    '  organiser     npm run --silent cli -- token create --name me --role organiser',
    '',
  )
  console.log(lines.join('\n'))
}

/** Answers the command line of an embedded installation: what it wrote, line by line, then its exit code. */
function runCommands(ready: () => Deps | undefined): RequestListener {
  return async (request, response) => {
    const say = (said: object) => response.write(`${JSON.stringify(said)}\n`)
    try {
      const args = JSON.parse(await text(request)) as string[]
      const deps = ready()
      if (!deps) throw new Error('the server is still starting: try again')
      const exit = await runCommand(deps, args, {
        out: (chunk) => say({ out: Buffer.from(chunk).toString('base64') }),
        err: (line) => say({ err: line }),
      })
      say({ exit })
    } catch (error) {
      say({ err: `failed: ${(error as Error).message}` })
      say({ exit: 1 })
    }
    response.end()
  }
}

/** Finishes what runs, then stops; a second signal does not wait. */
function stopOn(signals: NodeJS.Signals[], server: Server, close: () => Promise<void>) {
  let stopping = false
  for (const signal of signals) {
    process.on(signal, async () => {
      if (stopping) process.exit(1)
      stopping = true
      const served = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      const late = setTimeout(() => server.closeAllConnections(), 10_000)
      await served
      clearTimeout(late)
      await close()
      process.exit(0)
    })
  }
}

try {
  await main()
} catch (error) {
  const expected = error instanceof ConfigError || error instanceof FolderInUse || error instanceof NewerDatabase
  console.error(expected ? error.message : `cannot start: ${error instanceof Error ? error.message : error}`)
  process.exit(1)
}
