import { once } from 'node:events'
import type { Server } from 'node:http'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import { redactError } from '../db/database.ts'
import { hasCampaigns } from '../domain/campaigns/campaigns.ts'
import type { Deps, Log } from '../domain/deps.ts'
import { enqueueReminders } from '../domain/mails/reminders.ts'
import { purge } from '../domain/registrations/privacy.ts'
import { expireOffers } from '../domain/registrations/seats.ts'
import { type DeliveryWorker, startDeliveryWorker } from '../email/delivery.ts'
import { createApp } from '../http/app.ts'
import { type Config, ConfigError } from '../lib/config.ts'
import { collectMetrics } from './metrics.ts'
import { createRuntime, type RuntimeDatabase } from './runtime.ts'
import { seed } from './seed.ts'
import { defaultBaseUrl, renderStartupBanner } from './startup-banner.ts'

/**
 * Serves an installation, delivers its mail, does its scheduled work, and stops cleanly on a signal.
 * @param ready called with the dependencies as soon as commands can run with them
 * @throws {ConfigError} if the port or the address cannot be had
 */
export async function serve(
  config: Config,
  log: Log,
  opened: RuntimeDatabase,
  ready: (deps: Deps) => void,
): Promise<void> {
  const address = defaultBaseUrl(config.host, config.port)
  let delivery: DeliveryWorker | undefined
  const installation = createRuntime(config, opened, config.baseUrl ?? address, log, () => delivery?.wake())
  const { deps } = installation
  ready(deps)
  collectMetrics(deps)
  if (opened.embedded && !(await hasCampaigns(deps))) await seed(deps)

  const app = createApp(deps)
  const server = createAdaptorServer({
    fetch: (request, env) => app.fetch(request, (env as Partial<HttpBindings>).incoming?.socket.remoteAddress),
  }) as Server
  await listen(server, config)

  if (config.smtpUrl) {
    // nodemailer is a tenth of the code that a start loads.
    const { createPooledTransport } = await import('../email/transport.ts')
    const transport = createPooledTransport(config)
    if (transport) delivery = startDeliveryWorker(deps, transport)
  } else log.warn({}, 'SMTP_URL is not set: mails are kept until it is')
  if (!config.rateLimit) log.warn({}, 'RATE_LIMIT is off: do not leave it so')
  // A moment after the start, so that the first page need not wait for PGlite, which does one thing at a time.
  const tasks = [
    every(6 * 3600, () => purge(deps), log, 'purging failed', 2),
    every(15, () => expireOffers(deps), log, 'offers could not be passed on', 2),
    every(60, () => enqueueReminders(deps), log, 'reminders could not be owed', 2),
  ]
  // PGlite has no process that does it now and then.
  if (opened.analyse) tasks.push(every(6 * 3600, opened.analyse, log, 'analysing failed', 60))
  onShutdown(['SIGTERM', 'SIGINT'], server, async () => {
    for (const task of tasks) task.stop()
    await delivery?.stop()
    await installation.close()
  })
  console.log(await renderStartupBanner(deps))
}

/** Listens, or says why it cannot. */
async function listen(server: Server, { port, host }: Config): Promise<void> {
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
}

/** Runs a task after `delay` seconds, and again so many seconds after it ended, however it ended. */
function every(
  seconds: number,
  task: () => Promise<unknown>,
  log: Log,
  failure: string,
  delay: number,
): { stop(): void } {
  let stopped = false
  async function run() {
    await task().catch((error) => log.warn(redactError(error), failure))
    if (!stopped) timer = setTimeout(run, seconds * 1000)
  }
  let timer = setTimeout(run, delay * 1000)
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** Finishes what runs, then stops; a second signal does not wait. */
function onShutdown(signals: NodeJS.Signals[], server: Server, close: () => Promise<void>) {
  let stopping = false
  for (const signal of signals) {
    process.on(signal, async () => {
      if (stopping) process.exit(1)
      stopping = true
      const served = new Promise((resolve) => server.close(resolve))
      // A connection that was busy is idle once it has its answer.
      const closing = setInterval(() => server.closeIdleConnections(), 50)
      const forceTimer = setTimeout(() => server.closeAllConnections(), 5_000)
      await served
      clearTimeout(forceTimer)
      clearInterval(closing)
      await close().catch((error) => console.error(`did not stop cleanly: ${error}`))
      process.exit(0)
    })
  }
}
