import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { paths } from '../../../src/http/links.ts'
import { qrPng } from '../../../src/lib/qr.ts'
import { writeCameraVideo } from '../../support/browser/camera.ts'
import { checkInCode, checkInUrl, personCard, setUpDoorDay } from '../../support/browser/door-phone.ts'

/*
 * Chromium on Linux has no BarcodeDetector, so each page installs the one under test. All pages share one world and one film,
 * which shows the tickets of 王小0 and 李小1 in turn, and with them one browser.
 */
let day: Awaited<ReturnType<typeof setUpDoorDay>>
let folder: string
let cameraVideo: string

beforeAll(async () => {
  day = await setUpDoorDay({ people: 3 })
  folder = await mkdtemp(join(tmpdir(), 'baoming-camera-'))
  cameraVideo = join(folder, 'film.y4m')
  writeCameraVideo(
    cameraVideo,
    day.ids.slice(0, 2).map((id) => ticketQr(id)),
  )
})

afterAll(async () => {
  await day[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const ticketUrl = (id: string) => checkInUrl(day.world, checkInCode(day.world, id))
const ticketQr = (id: string) => qrPng(ticketUrl(id), { scale: 8 })

/** A helper's phone at the door. @param install adds scripts that run before those of the page */
async function openScanner(install: (page: Page) => Promise<unknown>, camera = cameraVideo) {
  const page = await day.phone('东门', { camera })
  await install(page)
  await page.goto(paths.doorPage())
  await expect.poll(() => page.isVisible('#door-app')).toBe(true)
  return page
}

/** The card once a ticket is read. Less than the 10 seconds after which qr-scanner gives up on an engine. */
const expectRead = (page: Page, name: RegExp | string = /王小0|李小1/) =>
  expect.poll(() => personCard(page).textContent(), { timeout: 8_000, interval: 100 }).toMatch(name)

type Behaviour = {
  formats: 'none' | 'rejects' | 'never answers' | 'qr_code'
  constructs: 'throws' | 'works'
  detects: 'rejects' | 'unavailable' | 'never answers' | 'nothing'
}

/** Installs a BarcodeDetector that reads nothing. */
function installBrokenDetector({ formats, constructs, detects }: Behaviour) {
  const unavailable = () =>
    Promise.reject(new DOMException('Barcode detection service unavailable.', 'NotSupportedError'))
  const never = () => new Promise(() => {})
  const supported = {
    none: async () => [],
    rejects: unavailable,
    'never answers': never,
    qr_code: async () => ['qr_code'],
  }
  const detected = {
    rejects: () => Promise.reject(new DOMException('Unable to detect barcodes.', 'OperationError')),
    unavailable,
    'never answers': never,
    nothing: async () => [],
  }
  class BarcodeDetector {
    static getSupportedFormats = supported[formats]
    detect = detected[detects]
    constructor() {
      if (constructs === 'throws') throw new TypeError('Illegal constructor')
    }
  }
  Object.assign(window, { BarcodeDetector })
}

const workingBehaviour: Behaviour = { formats: 'qr_code', constructs: 'works', detects: 'nothing' }

test.each<[string, Behaviour]>([
  ['getSupportedFormats rejects', { ...workingBehaviour, formats: 'rejects', detects: 'unavailable' }],
  ['detect rejects with "service unavailable"', { ...workingBehaviour, detects: 'unavailable' }],
  ['detect rejects with another text', { ...workingBehaviour, detects: 'rejects' }],
  ['getSupportedFormats never answers', { ...workingBehaviour, formats: 'never answers', detects: 'never answers' }],
  ['the constructor throws', { ...workingBehaviour, constructs: 'throws' }],
  ['detect never answers', { ...workingBehaviour, detects: 'never answers' }],
  ['getSupportedFormats is empty', { ...workingBehaviour, formats: 'none' }],
  ['detect finds nothing in any picture', workingBehaviour],
])('the scanner reads a ticket with its worker when %s', async (_, behaviour) => {
  await using page = await openScanner((page) => page.addInitScript(installBrokenDetector, behaviour))
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  await page.click('#door-scan')
  await expectRead(page)
  expect(errors).toEqual([])
})

/**
 * Installs a BarcodeDetector that works, because it is jsQR, until the page sets `window.breaks`.
 * @unreadableText unreadableText a text that it does not find
 */
async function installWorkingDetector(page: Page, unreadableText = '') {
  await page.addInitScript({ path: createRequire(import.meta.url).resolve('jsqr') })
  await page.addInitScript((unreadableText) => {
    type JsQr = (data: Uint8ClampedArray, width: number, height: number) => { data: string } | null
    const page = window as unknown as { jsQR: JsQr; breaks?: 'rejects' | 'never answers' }
    class BarcodeDetector {
      static getSupportedFormats = async () => ['qr_code']
      async detect(canvas: HTMLCanvasElement) {
        if (page.breaks === 'rejects') throw new DOMException('The service is gone.', 'OperationError')
        if (page.breaks) return new Promise(() => {})
        const context = canvas.getContext('2d') as CanvasRenderingContext2D
        const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height)
        const found = page.jsQR(data, width, height)
        return found && found.data !== unreadableText ? [{ rawValue: found.data, cornerPoints: [] }] : []
      }
    }
    Object.assign(window, { BarcodeDetector })
  }, unreadableText)
}

/** No page can start a worker. */
const blockWorkers = (page: Page) =>
  page.addInitScript(() => {
    const Worker = class {
      constructor() {
        throw new DOMException('Workers are blocked.', 'SecurityError')
      }
    }
    Object.assign(window, { Worker })
  })

/** The policy of the page allows no worker from a blob, as a proxy or a browser may have it. */
const blockBlobWorkers = (page: Page) =>
  page.route('**/door', async (route) => {
    const response = await route.fetch()
    const headers = response.headers()
    const policy = headers['content-security-policy']?.replace(" 'self' blob:", " 'self'") ?? ''
    await route.fulfill({ response, headers: { ...headers, 'content-security-policy': policy } })
  })

/** Workers start, and never hear what they are to decode. */
const stallWorkers = (page: Page) =>
  page.addInitScript(() => {
    const { postMessage } = Worker.prototype
    Worker.prototype.postMessage = function (message, ...rest) {
      if (message.type !== 'decode') Reflect.apply(postMessage, this, [message, ...rest])
    }
  })

/** Keeps all workers as `window.workers`. */
const watchWorkers = (page: Page) =>
  page.addInitScript(() => {
    const workers: Worker[] = []
    class Watched extends Worker {
      constructor(url: string | URL) {
        super(url)
        workers.push(this)
      }
    }
    Object.assign(window, { Worker: Watched, workers })
  })

type WatchedWindow = Window & { workers: Worker[] }

test('the scanner reads a ticket with a BarcodeDetector that works, and starts no worker', async () => {
  await using page = await openScanner(async (page) => {
    await installWorkingDetector(page)
    await blockWorkers(page)
  })
  await page.click('#door-scan')
  await expectRead(page)
})

test.each(['rejects', 'never answers'] as const)(
  'the scanner goes on with its worker when a BarcodeDetector that worked %s',
  async (breaks) => {
    // The other ticket is left for the worker.
    await using page = await openScanner((page) => installWorkingDetector(page, ticketUrl(day.ids[1] as string)))
    await page.click('#door-scan')
    await expectRead(page, '王小0')
    await page.evaluate((breaks) => Object.assign(window, { breaks }), breaks)
    await expectRead(page, '李小1')
  },
)

test('the scanner starts a new worker when the one it has ends', async () => {
  await using page = await openScanner(watchWorkers)
  await page.click('#door-scan')
  await expectRead(page)
  await page.evaluate(() => (window as unknown as WatchedWindow).workers[0]?.terminate())
  await personCard(page).getByRole('button', { name: '下一位' }).click()
  await expectRead(page)
  expect(await page.evaluate(() => (window as unknown as WatchedWindow).workers.length)).toBe(2)
})

test.each([
  ['cannot start', blockWorkers],
  ['is blocked by a content security policy', blockBlobWorkers],
  ['never answers', stallWorkers],
])('the scanner says that it cannot read codes, and offers the search, when the worker %s', async (_, breakWorkers) => {
  await using page = await openScanner(breakWorkers)
  await page.click('#door-scan')
  await expect.poll(() => personCard(page).locator('h2').textContent()).toBe('这个浏览器读不了二维码')
  expect(await page.isVisible('#door-video')).toBe(false)
  expect(await page.locator('#door-scan').textContent()).toBe('扫码签到')
  await personCard(page).getByRole('button', { name: '按名字找人' }).click()
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('door-search')
  expect(await personCard(page).isVisible()).toBe(false)
})

test('the scanner reads a ticket in light on dark', async () => {
  const inverted = join(folder, 'inverted.y4m')
  const png = PNG.sync.read(Buffer.from(ticketQr(day.ids[2] as string)))
  for (let at = 0; at < png.data.length; at++) if (at % 4 !== 3) png.data[at] = 255 - (png.data[at] ?? 0)
  writeCameraVideo(inverted, [PNG.sync.write(png)])
  await using page = await openScanner(async () => {}, inverted)
  await page.click('#door-scan')
  await expectRead(page, '张小2')
})
