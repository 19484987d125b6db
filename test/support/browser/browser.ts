import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll } from 'vitest'
import { minFillTimeMs } from '../../../src/domain/registrations/form-timing.ts'
import { getSharedResource } from '../vitest/shared-resources.ts'
import type { World } from '../world.ts'

export type PageOptions = {
  /** In CSS pixels. */
  width?: number
  height?: number
  locale?: 'zh-CN' | 'en'
  colorScheme?: 'light' | 'dark'
  javaScriptEnabled?: boolean
  /** Camera video (support/camera.ts). Pages with another video, or none, run in another browser. */
  camera?: string
} & Pick<BrowserContextOptions, 'userAgent' | 'baseURL' | 'extraHTTPHeaders' | 'reducedMotion' | 'acceptDownloads'>

/**
 * An example address (RFC 5737) that the browser resolves to this machine. Unlike 127.0.0.1 it is not a trustworthy
 * origin without HTTPS.
 */
export const remoteHost = '192.0.2.7'

let browserPromise: Promise<Browser> | undefined
let currentCamera: string | undefined

/**
 * Opens a page in headless Chromium with its own context, so no cookies or cache are shared. Emulates a phone of 390 px
 * by default. Dispose with `await using`.
 */
export async function openPage({
  width = 390,
  height = 844,
  locale = 'zh-CN',
  camera,
  ...options
}: PageOptions = {}): Promise<Page & AsyncDisposable> {
  if (camera !== currentCamera && browserPromise) {
    await (await browserPromise).close()
    browserPromise = undefined
  }
  currentCamera = camera
  browserPromise ??= launchBrowser(camera)
  const context = await (await browserPromise).newContext({
    viewport: { width, height },
    locale,
    isMobile: width < 600,
    hasTouch: width < 600,
    ...options,
  })
  const page = await context.newPage()
  return Object.assign(page, { [Symbol.asyncDispose]: () => context.close() })
}

/**
 * Opens a browser with a persistent profile in a folder that survives a crash. `die` crashes it like an empty battery:
 * no page event and no browser shutdown runs.
 */
export async function openCrashablePhone(
  folder: string,
  { width = 360, height = 740, locale = 'zh-CN', ...options }: PageOptions = {},
): Promise<AsyncDisposable & { page: Page; die(): Promise<void> }> {
  const context = await chromium.launchPersistentContext(folder, {
    ...(await launchOptions(undefined)),
    viewport: { width, height },
    locale,
    ...options,
  })
  const page = context.pages()[0] ?? (await context.newPage())
  return {
    page,
    async die() {
      const closed = context.waitForEvent('close')
      const browser = await context.browser()?.newBrowserCDPSession()
      browser?.send('Browser.crash').catch(() => {})
      await closed
    },
    [Symbol.asyncDispose]: () => context.close(),
  }
}

/** Waits for the form's minimum fill time, counted from the response. */
export async function waitMinFillTime(page: Page): Promise<void> {
  const elapsed = await page.evaluate(() => {
    const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
    return performance.now() - (navigation?.responseStart ?? 0)
  })
  await page.waitForTimeout(Math.max(0, minFillTimeMs - elapsed))
}

/** Serves a world over HTTP for a browser. */
export async function serveWorld(world: World): Promise<AsyncDisposable & { url: string }> {
  const { createApp } = await import('../../../src/http/app.ts')
  const app = createApp(world.deps)
  const server = createAdaptorServer({ fetch: (request) => app.fetch(request, '127.0.0.1') }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
    },
  }
}

/**
 * Launches one browser per test file, closed after the last test, and another one for another camera video. Web
 * security stays on, because it is under test.
 */
async function launchBrowser(camera: string | undefined): Promise<Browser> {
  return chromium.launch(await launchOptions(camera))
}

async function launchOptions(camera: string | undefined) {
  const { executable, env } = await getSharedResource('chromium')
  return {
    executablePath: executable,
    env: { ...process.env, ...env },
    args: [
      ...['--no-sandbox', '--disable-quic', '--disable-background-networking'],
      // Not a local address for the browser, but it leads to this machine.
      `--host-resolver-rules=MAP ${remoteHost} 127.0.0.1`,
      // Grants camera permission.
      ...(camera ? ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] : []),
      ...(camera ? [`--use-file-for-fake-video-capture=${camera}`] : []),
    ],
  }
}

afterAll(async () => {
  await (await browserPromise)?.close()
  browserPromise = undefined
})
