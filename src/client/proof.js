// Works for the sign-up while its form is filled in: a second for one person, too long for those who send thousands.
// An ALTCHA challenge (version 2, PBKDF2). Browsers derive keys beside the page, which stays as quick as it was.
const field = document.querySelector('[data-challenge]')
const { form } = field
const statusElement = document.getElementById('proof')
const progress = document.getElementById('proof-progress')
/** Well within the time for which a proof is good, in milliseconds. */
const proofMaxAge = 15 * 60_000

let work
let waiting = false

// Without it, as on pages without HTTPS, the form goes as it is, and a link is mailed.
if (window.crypto?.subtle) {
  showStatus('')
  form.addEventListener('focusin', startWork)
  form.addEventListener('submit', onSubmit)
}

/** Begins to work, unless there is a proof already, or one on its way. */
function startWork() {
  if (work && Date.now() - work.begun < proofMaxAge) return
  const job = { begun: Date.now(), state: 'working' }
  work = job
  job.ended = solveChallenge().then(
    () => end(job, 'done'),
    () => end(job, 'failed'),
  )
}

function end(job, state) {
  job.state = state
  progress.hidden = true
  showStatus(state === 'done' ? 'done' : 'mailed')
}

/** Lets the form go once there is a proof. If that fails twice it goes without one. */
async function onSubmit(event) {
  if (work?.state === 'failed') work = undefined
  startWork()
  if (work.state === 'done') return
  event.preventDefault()
  if (waiting) return
  waiting = true
  showStatus('waiting')
  await work.ended
  waiting = false
  // The button is called submit, and hides the form's own method of that name.
  HTMLFormElement.prototype.submit.call(form)
}

/** Tries counters until the key begins as the challenge wants. */
async function solveChallenge() {
  field.value = ''
  showStatus('working')
  progress.hidden = false
  const headers = { 'Idempotency-Key': form.elements.key.value }
  const answer = await fetch(field.dataset.challenge, { headers })
  if (!answer.ok) throw new Error(answer.status)
  const challenge = await answer.json()
  const { nonce, salt, cost, keyLength, keyPrefix, data } = challenge.parameters
  const password = Uint8Array.of(...hexToBytes(nonce), 0, 0, 0, 0)
  const counterView = new DataView(password.buffer, password.length - 4)
  const derivation = { name: 'PBKDF2', hash: 'SHA-256', salt: hexToBytes(salt), iterations: cost }
  progress.max = data.atMost
  for (let counter = 0; counter <= data.atMost; counter++) {
    counterView.setUint32(0, counter)
    const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits'])
    const derivedKey = bytesToHex(await crypto.subtle.deriveBits(derivation, key, keyLength * 8))
    progress.value = counter
    if (derivedKey.startsWith(keyPrefix)) {
      field.value = btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } }))
      return
    }
  }
  throw new Error('no solution')
}

function showStatus(what) {
  statusElement.textContent = statusElement.dataset[what] ?? ''
}

function hexToBytes(hex) {
  return Uint8Array.from(hex.match(/../g), (byte) => Number.parseInt(byte, 16))
}

function bytesToHex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
