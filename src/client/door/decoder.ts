// Decodes QR codes on a canvas: with the browser's BarcodeDetector where it works, else with qr-scanner's worker. In the
// browsers of WeChat, QQ and Xiaomi the detector exists but rejects, hangs or throws (nimiq/qr-scanner#115, #187, #188), so
// an engine is used only after it has read a known code.
import QrScanner from 'qr-scanner'
import { createWorker } from 'qr-scanner/qr-scanner-worker.min.js'

type Point = { x: number; y: number }
type Code = { rawValue: string; cornerPoints: Point[] }

/** https://developer.mozilla.org/docs/Web/API/BarcodeDetector */
declare class BarcodeDetector {
  constructor(options: { formats: string[] })
  detect(canvas: HTMLCanvasElement): Promise<Code[]>
}

type Engine = { detect(canvas: HTMLCanvasElement): Promise<Code[]>; close(): void }

/** Time limits for one picture in milliseconds. The worker's is longer: a slow phone decodes in it, and it is the last engine. */
const limits = { native: 1_000, worker: 3_000 }

/** The BarcodeDetector failed once: it is not used again on this page. */
let nativeFailed = false

/**
 * A decoder with the interface of a BarcodeDetector, as qr-scanner expects. If its engine fails, the next picture opens
 * another one.
 * @param onFailure called when no engine works; the next picture tries again
 */
export function createDecoder(onFailure: () => void) {
  let opening: Promise<Engine> | undefined
  const ready = () => {
    opening ??= createEngine()
    return opening
  }
  return {
    /** Rejects where no engine can read codes. */
    ready,
    async detect(canvas: HTMLCanvasElement): Promise<Code[]> {
      let engine: Engine | undefined
      try {
        engine = await ready()
        return await engine.detect(canvas)
      } catch (error) {
        console.warn(error)
        opening = undefined
        if (engine) engine.close()
        else onFailure()
        return []
      }
    },
  }
}

/** The first engine that reads the known code. */
async function createEngine(): Promise<Engine> {
  const hasNative = 'BarcodeDetector' in window && !nativeFailed
  for (const open of hasNative ? [createNativeEngine, createWorkerEngine] : [createWorkerEngine]) {
    let engine: Engine | undefined
    try {
      engine = open()
      const [code] = await engine.detect(drawKnownCode())
      if (code?.rawValue === knownCode.text) return engine
    } catch (error) {
      console.warn(error)
    }
    engine?.close()
    if (open === createNativeEngine) nativeFailed = true
  }
  throw new Error('no engine reads QR codes')
}

function createNativeEngine(): Engine {
  const detector = new BarcodeDetector({ formats: ['qr_code'] })
  return {
    detect: (canvas) => withTimeout(limits.native, detector.detect(canvas)),
    close() {
      nativeFailed = true
    },
  }
}

function createWorkerEngine(): Engine {
  const worker = createWorker()
  // Light on dark too: screenshots in inverted colours, printed negatives.
  worker.postMessage({ type: 'inversionMode', data: 'both' })
  const copy = document.createElement('canvas')
  return {
    async detect(canvas) {
      try {
        const scan = QrScanner.scanImage(canvas, { qrEngine: worker, canvas: copy })
        const { data, cornerPoints } = await withTimeout(limits.worker, scan)
        return [{ rawValue: data, cornerPoints }]
      } catch (error) {
        if (error === QrScanner.NO_QR_CODE_FOUND) return []
        throw error
      }
    },
    close: () => worker.terminate(),
  }
}

/** A QR code of version 1: each row is a number whose 21 bits are its modules, dark ones 1. */
const knownCode = {
  text: 'BAOMING',
  rows: [
    ...[0x1fc27f, 0x105941, 0x17465d, 0x174b5d, 0x17555d, 0x104941, 0x1fd57f, 0x000300, 0x154612, 0x01a44c, 0x054d14],
    ...[0x0e3c4d, 0x03cd5e, 0x001aa4, 0x1fcee4, 0x104bb5, 0x175eed, 0x17486a, 0x175d15, 0x104463, 0x1fd95d],
  ],
}

/** Draws the known code with its quiet zone, eight pixels a module. */
function drawKnownCode(): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  const [size, quietZone, scale] = [21, 4, 8]
  canvas.width = canvas.height = (size + 2 * quietZone) * scale
  const context = canvas.getContext('2d') as CanvasRenderingContext2D
  context.fillStyle = '#fff'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.fillStyle = '#000'
  for (const [y, row] of knownCode.rows.entries()) {
    for (let x = 0; x < size; x++) {
      if ((row >> (size - 1 - x)) & 1) context.fillRect((quietZone + x) * scale, (quietZone + y) * scale, scale, scale)
    }
  }
  return canvas
}

/** Rejects if the promise has not settled after a number of milliseconds. */
async function withTimeout<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no response within ${milliseconds} ms`)), milliseconds)
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}
