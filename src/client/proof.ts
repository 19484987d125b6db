// Solves the proof of work of a sign-up while its form is filled in: a second for one person, too slow for bulk sign-ups.
// An ALTCHA challenge (version 2, PBKDF2). Browsers derive keys off the main thread, so the page stays responsive.
import type { ChallengeResponse } from '../api/challenges.ts'

type Job = { startedAt: number; state: 'working' | 'done' | 'failed'; ended: Promise<void> }

/** The names of the data attributes with the texts. */
type Status = '' | 'working' | 'waiting' | 'done' | 'mailed'

const field = document.querySelector('[data-challenge]') as HTMLInputElement
const form = field.form as HTMLFormElement
const statusElement = document.getElementById('proof') as HTMLElement
const progress = document.getElementById('proof-progress') as HTMLProgressElement
/** In milliseconds. The server accepts a proof for 20 minutes: see proof-of-work.ts. */
const proofMaxAge = 15 * 60_000

let job: Job | undefined
let submitting = false

// Pages without HTTPS have no WebCrypto. The form is then sent without a proof, and the server mails a link.
if (window.crypto?.subtle) {
  showStatus('')
  form.addEventListener('focusin', startJob)
  form.addEventListener('submit', onSubmit)
}

/** Starts solving a challenge, unless there is a proof already or one is being made. */
function startJob(): Job {
  if (job && Date.now() - job.startedAt < proofMaxAge) return job
  const started: Job = { startedAt: Date.now(), state: 'working', ended: Promise.resolve() }
  started.ended = solveChallenge().then(
    () => end(started, 'done'),
    () => end(started, 'failed'),
  )
  job = started
  return started
}

function end(ended: Job, state: 'done' | 'failed'): void {
  ended.state = state
  progress.hidden = true
  showStatus(state === 'done' ? 'done' : 'mailed')
}

/** Delays the submission until there is a proof. A second failure submits the form without one. */
async function onSubmit(event: SubmitEvent): Promise<void> {
  if (job?.state === 'failed') job = undefined
  const { state, ended } = startJob()
  if (state === 'done') return
  event.preventDefault()
  if (submitting) return
  submitting = true
  showStatus('waiting')
  await ended
  submitting = false
  // The submit button's id hides the method of the same name.
  HTMLFormElement.prototype.submit.call(form)
}

/** Tries counters until the derived key has the prefix of the challenge, then fills in the field. */
async function solveChallenge(): Promise<void> {
  field.value = ''
  showStatus('working')
  progress.hidden = false
  const key = form.elements.namedItem('key') as HTMLInputElement
  const response = await fetch(field.dataset.challenge as string, { headers: { 'Idempotency-Key': key.value } })
  if (!response.ok) throw new Error(`${response.status}`)
  const challenge: ChallengeResponse = await response.json()
  const { nonce, salt, cost, keyLength, keyPrefix, data } = challenge.parameters
  const maxCounter = data.atMost
  const password = Uint8Array.of(...hexToBytes(nonce), 0, 0, 0, 0)
  const counterView = new DataView(password.buffer, password.length - 4)
  const derivation = { name: 'PBKDF2', hash: 'SHA-256', salt: hexToBytes(salt), iterations: cost }
  progress.max = maxCounter
  for (let counter = 0; counter <= maxCounter; counter++) {
    counterView.setUint32(0, counter)
    const baseKey = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits'])
    const derivedKey = bytesToHex(await crypto.subtle.deriveBits(derivation, baseKey, keyLength * 8))
    progress.value = counter
    if (derivedKey.startsWith(keyPrefix)) {
      field.value = btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } }))
      return
    }
  }
  throw new Error('no solution')
}

function showStatus(status: Status): void {
  statusElement.textContent = statusElement.dataset[status] ?? ''
}

function hexToBytes(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

function bytesToHex(buffer: ArrayBuffer): string {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
