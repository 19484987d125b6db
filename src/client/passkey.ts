// Signs in with a passkey, and adds one. The options come from the server as WebAuthn's JSON.

/** Chrome's; https://wicg.github.io/ua-client-hints/ */
type UserAgentData = { userAgentData?: { platform: string } }

const container = document.querySelector<HTMLElement>('[data-passkey]')
// Browsers from before 2023 do not have the method.
const isSupported = Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON) && window.isSecureContext

async function fetchJson<T>(path: string, body?: object): Promise<T> {
  const response = await fetch(`/console/auth/passkey/${path}`, {
    method: body ? 'POST' : 'GET',
    headers: body ? { 'Content-Type': 'application/json' } : {},
    body: body && JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path} responded ${response.status}`)
  return response.json()
}

async function signIn(): Promise<void> {
  const options = await fetchJson<PublicKeyCredentialRequestOptionsJSON>('generate-authenticate-options')
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
  const credential = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential
  await fetchJson('verify-authentication', { response: credential.toJSON() })
}

async function add(): Promise<void> {
  const options = await fetchJson<PublicKeyCredentialCreationOptionsJSON>('generate-register-options')
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
  const credential = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential
  const name = (navigator as UserAgentData).userAgentData?.platform || navigator.platform || undefined
  await fetchJson('verify-registration', { response: credential.toJSON(), name })
}

if (container) {
  const button = container.querySelector('button') as HTMLButtonElement
  const status = container.querySelector('[role="status"]') as HTMLElement
  const { passkey, back, done, failed = '', unavailable } = container.dataset
  if (isSupported) {
    container.hidden = false
    button.addEventListener('click', async () => {
      button.disabled = true
      status.textContent = ''
      try {
        await (passkey === 'add' ? add() : signIn())
        location.assign((passkey === 'add' ? done : back) ?? '')
      } catch {
        status.textContent = failed
      }
      button.disabled = false
    })
  } else if (unavailable) {
    button.hidden = true
    status.textContent = unavailable
  }
}
