// Sound and vibration for a result, for a helper who looks at the attendee and not at the screen.
import type { Tone } from './page.ts'

/** Notes as pairs of hertz and milliseconds; the vibration as navigator.vibrate takes it. */
const signals: Record<Tone, { notes: [number, number][]; vibration: number[] } | undefined> = {
  green: { notes: [[1320, 110]], vibration: [80] },
  amber: {
    notes: [
      [660, 120],
      [660, 120],
    ],
    vibration: [80, 60, 80],
  },
  red: {
    notes: [
      [330, 180],
      [220, 320],
    ],
    vibration: [300, 80, 300],
  },
  plain: undefined,
}

let audio: AudioContext | undefined

/** Enables sound, which browsers allow only from a tap: call it in its handler. */
export function unlockAudio(): void {
  audio ??= window.AudioContext && new AudioContext()
  audio?.resume()
}

export function playFeedback(tone: Tone): void {
  const signal = signals[tone]
  if (!signal) return
  navigator.vibrate?.(signal.vibration)
  if (audio?.state !== 'running') return
  let at = audio.currentTime
  for (const [hertz, milliseconds] of signal.notes) {
    const [oscillator, gain] = [audio.createOscillator(), audio.createGain()]
    oscillator.frequency.value = hertz
    gain.gain.setValueAtTime(0.3, at)
    gain.gain.exponentialRampToValueAtTime(0.01, at + milliseconds / 1000)
    oscillator.connect(gain).connect(audio.destination)
    oscillator.start(at)
    at += milliseconds / 1000 + 0.05
    oscillator.stop(at)
  }
}
