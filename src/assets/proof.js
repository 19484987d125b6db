// Works for the sign-up while its form is filled in: a second for one person, too long for those who send thousands.
// An ALTCHA challenge (version 2, PBKDF2). Browsers derive keys beside the page, which stays as quick as it was.
const field = document.querySelector('[data-challenge]')
const { form } = field
const says = document.getElementById('proof')
const progress = document.getElementById('proof-progress')
/** Well within the time for which a proof is good, in milliseconds. */
const goodFor = 15 * 60_000

let work
let waiting = false

// Without it, as on pages without HTTPS, the form goes as it is, and a link is mailed.
if (window.crypto?.subtle) {
  say('')
  form.addEventListener('focusin', begin)
  form.addEventListener('submit', send)
}

/** Begins to work, unless there is a proof already, or one on its way. */
function begin() {
  if (work && Date.now() - work.begun < goodFor) return
  const mine = { begun: Date.now(), state: 'working' }
  work = mine
  mine.ended = prove().then(
    () => end(mine, 'done'),
    () => end(mine, 'failed'),
  )
}

function end(mine, state) {
  mine.state = state
  progress.hidden = true
  say(state === 'done' ? 'done' : 'mailed')
}

/** Lets the form go once there is a proof. If that fails twice it goes without one. */
async function send(event) {
  if (work?.state === 'failed') work = undefined
  begin()
  if (work.state === 'done') return
  event.preventDefault()
  if (waiting) return
  waiting = true
  say('waiting')
  await work.ended
  waiting = false
  // The button is called submit, and hides the form's own method of that name.
  HTMLFormElement.prototype.submit.call(form)
}

/** Tries counters until the key begins as the challenge wants. */
async function prove() {
  field.value = ''
  say('working')
  progress.hidden = false
  const headers = { 'Idempotency-Key': form.elements.key.value }
  const answer = await fetch(field.dataset.challenge, { headers })
  if (!answer.ok) throw new Error(answer.status)
  const challenge = await answer.json()
  const { nonce, salt, cost, keyLength, keyPrefix, data } = challenge.parameters
  const password = Uint8Array.of(...bytesOf(nonce), 0, 0, 0, 0)
  const place = new DataView(password.buffer, password.length - 4)
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt: bytesOf(salt), iterations: cost }
  progress.max = data.atMost
  for (let counter = 0; counter <= data.atMost; counter++) {
    place.setUint32(0, counter)
    const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits'])
    const derivedKey = hexOf(await crypto.subtle.deriveBits(how, key, keyLength * 8))
    progress.value = counter
    if (derivedKey.startsWith(keyPrefix)) {
      field.value = btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } }))
      return
    }
  }
  throw new Error('no solution')
}

function say(what) {
  says.textContent = says.dataset[what] ?? ''
}

function bytesOf(hex) {
  return Uint8Array.from(hex.match(/../g), (byte) => Number.parseInt(byte, 16))
}

function hexOf(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
