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
 * Chromium on Linux has no BarcodeDetector, so each page installs the one under test. All pages share a world, a
 * browser and a camera video that shows the tickets of 王小0 and 李小1 in turn.
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

/** Opens the door page on a helper's phone. @param install adds scripts that run before those of the page */
async function openScanner(install: (page: Page) => Promise<unknown>, camera = cameraVideo) {
  const page = await day.phone('东门', { camera })
  await install(page)
  await page.goto(paths.doorPage())
  await expect.poll(() => page.isVisible('#door-app')).toBe(true)
  return page
}

/** Waits for the card of a scanned ticket, for less than the 10 seconds after which qr-scanner discards an engine. */
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
  const pending = () => new Promise(() => {})
  const supported = {
    none: async () => [],
    rejects: unavailable,
    'never answers': pending,
    qr_code: async () => ['qr_code'],
  }
  const detected = {
    rejects: () => Promise.reject(new DOMException('Unable to detect barcodes.', 'OperationError')),
    unavailable,
    'never answers': pending,
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
  ['getSupportedFormats never settles', { ...workingBehaviour, formats: 'never answers', detects: 'never answers' }],
  ['the constructor throws', { ...workingBehaviour, constructs: 'throws' }],
  ['detect never settles', { ...workingBehaviour, detects: 'never answers' }],
  ['getSupportedFormats is empty', { ...workingBehaviour, formats: 'none' }],
  ['detect finds nothing in any image', workingBehaviour],
])('the scanner falls back to its worker when %s', async (_, behaviour) => {
  await using page = await openScanner((page) => page.addInitScript(installBrokenDetector, behaviour))
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  await page.click('#door-scan')
  await expectRead(page)
  expect(errors).toEqual([])
})

/**
 * Installs a working BarcodeDetector, implemented with jsQR, until the page sets `window.breaks`.
 * @param unreadableText a text that it does not find
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

/** Makes every Worker constructor throw. */
const blockWorkers = (page: Page) =>
  page.addInitScript(() => {
    const Worker = class {
      constructor() {
        throw new DOMException('Workers are blocked.', 'SecurityError')
      }
    }
    Object.assign(window, { Worker })
  })

/** Removes blob: from the page's worker-src policy, as a proxy or browser may. */
const blockBlobWorkers = (page: Page) =>
  page.route('**/door', async (route) => {
    const response = await route.fetch()
    const headers = response.headers()
    const policy = headers['content-security-policy']?.replace(" 'self' blob:", " 'self'") ?? ''
    await route.fulfill({ response, headers: { ...headers, 'content-security-policy': policy } })
  })

/** Workers start, but never receive an image to decode. */
const stallWorkers = (page: Page) =>
  page.addInitScript(() => {
    const { postMessage } = Worker.prototype
    Worker.prototype.postMessage = function (message, ...rest) {
      if (message.type !== 'decode') Reflect.apply(postMessage, this, [message, ...rest])
    }
  })

/** Collects all workers in `window.workers`. */
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

test('the scanner uses a working BarcodeDetector and starts no worker', async () => {
  await using page = await openScanner(async (page) => {
    await installWorkingDetector(page)
    await blockWorkers(page)
  })
  await page.click('#door-scan')
  await expectRead(page)
})

test.each(['rejects', 'never answers'] as const)(
  'the scanner switches to its worker when a working BarcodeDetector later %s',
  async (breaks) => {
    // Only the worker can read the second ticket.
    await using page = await openScanner((page) => installWorkingDetector(page, ticketUrl(day.ids[1] as string)))
    await page.click('#door-scan')
    await expectRead(page, '王小0')
    await page.evaluate((breaks) => Object.assign(window, { breaks }), breaks)
    await expectRead(page, '李小1')
  },
)

test('the scanner starts a new worker when its worker is terminated', async () => {
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
  ['never responds', stallWorkers],
])(
  'the scanner reports that it cannot read codes and offers the search when the worker %s',
  async (_, breakWorkers) => {
    await using page = await openScanner(breakWorkers)
    await page.click('#door-scan')
    await expect.poll(() => personCard(page).locator('h2').textContent()).toBe('这个浏览器读不了二维码')
    expect(await page.isVisible('#door-video')).toBe(false)
    expect(await page.locator('#door-scan').textContent()).toBe('扫码签到')
    await personCard(page).getByRole('button', { name: '按名字找人' }).click()
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('door-search')
    expect(await personCard(page).isVisible()).toBe(false)
  },
)

test('the scanner reads an inverted QR code', async () => {
  const inverted = join(folder, 'inverted.y4m')
  const png = PNG.sync.read(Buffer.from(ticketQr(day.ids[2] as string)))
  for (let at = 0; at < png.data.length; at++) if (at % 4 !== 3) png.data[at] = 255 - (png.data[at] ?? 0)
  writeCameraVideo(inverted, [PNG.sync.write(png)])
  await using page = await openScanner(async () => {}, inverted)
  await page.click('#door-scan')
  await expectRead(page, '张小2')
})
