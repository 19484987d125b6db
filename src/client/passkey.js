// Passkeys: signing in with one, and adding one. What the browser is asked for comes from the server as WebAuthn's own JSON.
const container = document.querySelector('[data-passkey]')
const isSupported = window.PublicKeyCredential?.parseRequestOptionsFromJSON && window.isSecureContext

async function fetchJson(path, body) {
  const answer = await fetch(`/console/auth/passkey/${path}`, {
    method: body ? 'POST' : 'GET',
    headers: body ? { 'Content-Type': 'application/json' } : {},
    body: body && JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`)
  return answer.json()
}

async function signIn() {
  const options = await fetchJson('generate-authenticate-options')
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
  const credential = await navigator.credentials.get({ publicKey })
  await fetchJson('verify-authentication', { response: credential.toJSON() })
  location.assign(container.dataset.back)
}

async function add() {
  const options = await fetchJson('generate-register-options')
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
  const credential = await navigator.credentials.create({ publicKey })
  const name = navigator.userAgentData?.platform || navigator.platform || undefined
  await fetchJson('verify-registration', { response: credential.toJSON(), name })
  location.assign(container.dataset.done)
}

if (container) {
  const [button, said] = [container.querySelector('button'), container.querySelector('[role="status"]')]
  if (isSupported) {
    container.hidden = false
    button.addEventListener('click', async () => {
      button.disabled = true
      said.textContent = ''
      try {
        await (container.dataset.passkey === 'add' ? add() : signIn())
      } catch {
        said.textContent = container.dataset.failed
      }
      button.disabled = false
    })
  } else if (container.dataset.unavailable) {
    button.hidden = true
    said.textContent = container.dataset.unavailable
  }
}
