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
 * Starts the HTTP server, the mail worker and the scheduled jobs, and shuts them down on SIGTERM or SIGINT.
 * @param ready called once commands can run with the dependencies
 * @throws {ConfigError} if the server cannot listen on the configured address
 */
export async function serve(
  config: Config,
  log: Log,
  opened: RuntimeDatabase,
  ready: (deps: Deps) => void,
): Promise<void> {
  const address = defaultBaseUrl(config.host, config.port)
  let delivery: DeliveryWorker | undefined
  const runtime = createRuntime(config, opened, config.baseUrl ?? address, log, () => delivery?.wake())
  const { deps } = runtime
  ready(deps)
  collectMetrics(deps)
  if (opened.embedded && !(await hasCampaigns(deps))) await seed(deps)

  const app = createApp(deps)
  const server = createAdaptorServer({
    fetch: (request, env) => app.fetch(request, (env as Partial<HttpBindings>).incoming?.socket.remoteAddress),
  }) as Server
  await listen(server, config)

  if (config.smtpUrl) {
    // Loaded on demand: nodemailer is a tenth of the code loaded at the start.
    const { createPooledTransport } = await import('../email/transport.ts')
    const transport = createPooledTransport(config)
    if (transport) delivery = startDeliveryWorker(deps, transport)
  } else log.warn({}, 'SMTP_URL is not set: no mail is sent')
  if (!config.rateLimit) log.warn({}, 'RATE_LIMIT is off: for tests only')
  // Two seconds after the start, so that the first page does not wait: PGlite runs one query at a time.
  const jobs = [
    every(6 * 3600, () => purge(deps), log, 'could not purge', 2),
    every(15, () => expireOffers(deps), log, 'could not expire offers', 2),
    every(60, () => enqueueReminders(deps), log, 'could not enqueue reminders', 2),
  ]
  // PGlite has no autovacuum.
  if (opened.analyse) jobs.push(every(6 * 3600, opened.analyse, log, 'could not analyse the database', 60))
  onShutdown(['SIGTERM', 'SIGINT'], server, async () => {
    for (const job of jobs) job.stop()
    await delivery?.stop()
    await runtime.close()
  })
  console.log(await renderStartupBanner(deps))
}

/** @throws {ConfigError} if the port or the host is the reason */
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

/** Runs a job after `delay` seconds, and again `seconds` after each run has ended. Failures are logged. */
function every(
  seconds: number,
  job: () => Promise<unknown>,
  log: Log,
  failure: string,
  delay: number,
): { stop(): void } {
  let stopped = false
  async function run() {
    await job().catch((error) => log.warn(redactError(error), failure))
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

/**
 * On the first signal finishes the running requests, at most 5 s, calls `close` and exits; a second signal exits at
 * once.
 */
function onShutdown(signals: NodeJS.Signals[], server: Server, close: () => Promise<void>) {
  let stopping = false
  for (const signal of signals) {
    process.on(signal, async () => {
      if (stopping) process.exit(1)
      stopping = true
      const served = new Promise((resolve) => server.close(resolve))
      // Keep-alive connections become idle after their last response; `server.close` does not end those.
      const idleTimer = setInterval(() => server.closeIdleConnections(), 50)
      const forceTimer = setTimeout(() => server.closeAllConnections(), 5_000)
      await served
      clearTimeout(forceTimer)
      clearInterval(idleTimer)
      await close().catch((error) => console.error(`did not stop cleanly: ${error}`))
      process.exit(0)
    })
  }
}
