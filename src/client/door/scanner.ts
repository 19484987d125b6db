// The camera with its light, and a screen that stays on while it is open.
import QrScanner from 'qr-scanner'
import { createDecoder } from './decoder.ts'

/** Milliseconds for which a code has to be out of view before it counts as scanned again. */
const duplicateWindow = 3_000

export type Scanner = ReturnType<typeof createScanner>

/**
 * Scans QR codes with the back camera.
 * @param video shows the picture
 * @param onScan called with the text of each code
 * @param isBusy whether the code before is still being processed: a code in view meanwhile is read afterwards
 * @param onFailure called when decoding fails for good, after `start` resolved
 */
export function createScanner(
  video: HTMLVideoElement,
  { onScan, isBusy, onFailure }: { onScan(text: string): void; isBusy(): boolean; onFailure(): void },
) {
  let last = { text: '', seenAt: 0 }
  const decoder = createDecoder(onFailure)
  // The constructor uses this engine. qr-scanner's own waits for getSupportedFormats() without a limit.
  QrScanner.createQrEngine = async () => decoder
  const scanner = new QrScanner(
    video,
    ({ data: text }) => {
      const now = Date.now()
      const isRepeated = text === last.text && now - last.seenAt < duplicateWindow
      if (!isRepeated && isBusy()) return
      last = { text, seenAt: now }
      if (!isRepeated) onScan(text)
    },
    {
      preferredCamera: 'environment',
      maxScansPerSecond: 10,
      returnDetailedScanResult: true,
      onDecodeError: () => {},
      calculateScanRegion: ({ videoWidth, videoHeight }) => {
        const side = Math.round(0.85 * Math.min(videoWidth, videoHeight))
        const offset = (length: number) => Math.round((length - side) / 2)
        const [x, y] = [offset(videoWidth), offset(videoHeight)]
        return { x, y, width: side, height: side, downScaledWidth: 480, downScaledHeight: 480 }
      },
    },
  )
  let wakeLock: WakeLockSentinel | undefined
  /** Keeps the screen on between two attendees. Browsers release the lock whenever the page is hidden. */
  const keepAwake = async () => {
    if (!document.hidden) wakeLock = await navigator.wakeLock?.request('screen').catch(() => undefined)
  }

  return {
    /** `noCamera`: there is none, or it may not be used. `noDecoder`: this browser cannot decode. */
    async start(): Promise<'started' | 'noCamera' | 'noDecoder'> {
      try {
        await scanner.start()
      } catch {
        return 'noCamera'
      }
      try {
        await decoder.ready()
      } catch {
        scanner.stop()
        return 'noDecoder'
      }
      await keepAwake()
      document.addEventListener('visibilitychange', keepAwake)
      return 'started'
    },
    stop() {
      document.removeEventListener('visibilitychange', keepAwake)
      wakeLock?.release()
      scanner.stop()
    },
    hasTorch: () => scanner.hasFlash(),
    /** Switches the light and returns whether it is on. */
    async toggleTorch(): Promise<boolean> {
      await scanner.toggleFlash().catch(() => {})
      return scanner.isFlashOn()
    },
  }
}
