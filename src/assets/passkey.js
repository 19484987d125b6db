// Passkeys: signing in with one, and adding one. What the browser is asked for comes from the server as WebAuthn's own JSON.
const place = document.querySelector('[data-passkey]')
const able = window.PublicKeyCredential?.parseRequestOptionsFromJSON && window.isSecureContext

async function ask(path, body) {
  const answer = await fetch(`/console/auth/passkey/${path}`, {
    method: body ? 'POST' : 'GET',
    headers: body ? { 'Content-Type': 'application/json' } : {},
    body: body && JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`)
  return answer.json()
}

async function signIn() {
  const options = await ask('generate-authenticate-options')
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
  const credential = await navigator.credentials.get({ publicKey })
  await ask('verify-authentication', { response: credential.toJSON() })
  location.assign(place.dataset.back)
}

async function add() {
  const options = await ask('generate-register-options')
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
  const credential = await navigator.credentials.create({ publicKey })
  const name = navigator.userAgentData?.platform || navigator.platform || undefined
  await ask('verify-registration', { response: credential.toJSON(), name })
  location.assign(place.dataset.done)
}

if (place) {
  const [button, said] = [place.querySelector('button'), place.querySelector('[role="status"]')]
  if (able) {
    place.hidden = false
    button.addEventListener('click', async () => {
      button.disabled = true
      said.textContent = ''
      try {
        await (place.dataset.passkey === 'add' ? add() : signIn())
      } catch {
        said.textContent = place.dataset.failed
      }
      button.disabled = false
    })
  } else if (place.dataset.unavailable) {
    button.hidden = true
    said.textContent = place.dataset.unavailable
  }
}
