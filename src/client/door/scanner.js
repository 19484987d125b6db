// The camera, the sound and the trembling of the phone, and a screen that stays on.

import QrScanner from 'qr-scanner'
import { createDecoder } from './decoder.js'

/** A code that stays before the camera is one scan: it counts again when it was away for so long. */
const duplicateWindow = 3_000

/**
 * Looks for QR codes with the back camera.
 * @param video where the picture is shown
 * @param scanned called with the text of each code
 * @param busy tells whether the one before is still on its way: a code that is held up meanwhile is read after it
 * @param failed called when codes can no longer be read, after `start` resolved
 */
export function createScanner(video, { scanned, busy, failed }) {
  let [last, seen] = ['', 0]
  const decoder = createDecoder(failed)
  // The constructor keeps what this gives. Its own engine waits for getSupportedFormats() without a limit.
  QrScanner.createQrEngine = async () => decoder
  const scanner = new QrScanner(
    video,
    ({ data }) => {
      const now = Date.now()
      const again = data === last && now - seen < duplicateWindow
      if (!again && busy()) return
      ;[last, seen] = [data, now]
      if (!again) scanned(data)
    },
    {
      preferredCamera: 'environment',
      maxScansPerSecond: 10,
      returnDetailedScanResult: true,
      onDecodeError: () => {},
      calculateScanRegion: ({ videoWidth, videoHeight }) => {
        const side = Math.round(0.85 * Math.min(videoWidth, videoHeight))
        const at = (length) => Math.round((length - side) / 2)
        const [x, y] = [at(videoWidth), at(videoHeight)]
        return { x, y, width: side, height: side, downScaledWidth: 480, downScaledHeight: 480 }
      },
    },
  )
  let lock
  /** A phone that goes dark between two guests would have to be woken for each. It is let go whenever the page is hidden. */
  const keepAwake = async () => {
    if (!document.hidden) lock = await navigator.wakeLock?.request('screen').catch(() => undefined)
  }

  return {
    /** Gives 'started'; 'noCamera' where there is none or it may not be used; 'noDecoder' where no code can be read. */
    async start() {
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
      lock?.release()
      scanner.stop()
    },
    hasTorch: () => scanner.hasFlash(),
    /** Switches the light and says whether it is on. */
    async torch() {
      await scanner.toggleFlash().catch(() => {})
      return scanner.isFlashOn()
    },
  }
}

/** Each tone as pairs of hertz and milliseconds, and how the phone trembles. */
const feedbackSignals = {
  green: { notes: [[1320, 110]], tremble: [80] },
  amber: {
    notes: [
      [660, 120],
      [660, 120],
    ],
    tremble: [80, 60, 80],
  },
  red: {
    notes: [
      [330, 180],
      [220, 320],
    ],
    tremble: [300, 80, 300],
  },
}
let audio

/** Browsers let a page sound once somebody has touched it: to be called from a tap. */
export function unlockAudio() {
  audio ??= window.AudioContext && new AudioContext()
  audio?.resume()
}

/** What is heard and felt of a result, for a helper who looks at the guest. */
export function playFeedback(tone) {
  const { notes, tremble } = feedbackSignals[tone] ?? {}
  if (!notes) return
  navigator.vibrate?.(tremble)
  if (audio?.state !== 'running') return
  let at = audio.currentTime
  for (const [hertz, milliseconds] of notes) {
    const [tone, loudness] = [audio.createOscillator(), audio.createGain()]
    tone.frequency.value = hertz
    loudness.gain.setValueAtTime(0.3, at)
    loudness.gain.exponentialRampToValueAtTime(0.01, at + milliseconds / 1000)
    tone.connect(loudness).connect(audio.destination)
    tone.start(at)
    at += milliseconds / 1000 + 0.05
    tone.stop(at)
  }
}
