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
  /** A film (support/camera.ts) that the camera sees. Pages that see another one, or none, are in another browser. */
  camera?: string
} & Pick<BrowserContextOptions, 'userAgent' | 'baseURL' | 'extraHTTPHeaders' | 'reducedMotion' | 'acceptDownloads'>

/**
 * An address set aside for examples (RFC 5737). The browser is made to find this machine there and treats it as any
 * other host: without HTTPS it is not a trustworthy origin, as 127.0.0.1 is.
 */
export const remoteHost = '192.0.2.7'

let browserPromise: Promise<Browser> | undefined
let currentCamera: string | undefined

/**
 * Opens a page in a headless Chromium, in a context of its own: no cookie or cache is shared with other pages.
 * It is a phone of 390 px unless told; `await using` closes it.
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
 * A phone that can die: a browser of its own whose files are in a folder, and stay there when it does.
 * `die` is what an empty battery does: no event of the page and no shutdown of the browser runs.
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

/** Looks at a page for as long as its form wants, counted from when it arrived. People take longer anyway. */
export async function waitMinFillTime(page: Page): Promise<void> {
  const elapsed = await page.evaluate(() => {
    const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
    return performance.now() - (navigation?.responseStart ?? 0)
  })
  await page.waitForTimeout(Math.max(0, minFillTimeMs - elapsed))
}

/** Lets a browser reach a world. */
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
 * One browser a test file, closed after its last test; another one where the camera is to see something else. It keeps the
 * web's own rules: those are under test too.
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
      // An address that is not this machine's own in the eyes of the browser, and leads here all the same.
      `--host-resolver-rules=MAP ${remoteHost} 127.0.0.1`,
      // Nobody is there to allow it.
      ...(camera ? ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] : []),
      ...(camera ? [`--use-file-for-fake-video-capture=${camera}`] : []),
    ],
  }
}

afterAll(async () => {
  await (await browserPromise)?.close()
  browserPromise = undefined
})
