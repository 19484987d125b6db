import type { Context } from 'hono'
import type { Deps } from '../domain/deps.ts'
import { enqueueSignInLink, findOrganiserByEmail, type Organiser } from '../domain/organisers/organisers.ts'
import type { TokenReceiver } from './auth.ts'
import type { App, SignedInOrganiser } from './context.ts'
import { absoluteUrl, paths } from './links.ts'

/** better-auth takes 0.4 s to load: loaded with the first request that needs it, not at the start. */
const importAuth = () => import('./auth.ts')

async function getAuth(deps: Deps) {
  return (await importAuth()).getAuth(deps)
}

async function requestMagicLink({ deps, email }: { deps: Deps; email: string }, onToken: TokenReceiver['onToken']) {
  const auth = await getAuth(deps)
  await auth.api.signInMagicLink({ body: { email, metadata: { onToken } }, headers: new Headers() })
}

/** Answers what src/client/passkey.ts asks. */
export async function handlePasskeyRequest(c: Context<App>): Promise<Response> {
  return (await getAuth(c.env.deps)).handler(c.req.raw)
}

/** Enqueues a sign-in link. Does nothing for an address without an account. */
export async function mailSignInLink(deps: Deps, email: string): Promise<void> {
  const organiser = await findOrganiserByEmail(deps, email)
  if (organiser) await requestMagicLink({ deps, email }, (code) => enqueueSignInLink(deps, organiser, code))
}

/** Creates a sign-in link for an address, valid once and for `signInLinkLifetimeSeconds`. Undefined without an account. */
export async function createSignInLink(deps: Deps, email: string): Promise<string | undefined> {
  const organiser = await findOrganiserByEmail(deps, email)
  return organiser && absoluteUrl(deps.config.baseUrl, paths.magicLink(await createSignInCode(deps, organiser)))
}

/** Signs in an organiser whose account this request created. */
export async function signInOrganiser(c: Context<App>, organiser: Organiser): Promise<void> {
  await verifyMagicLink(c, await createSignInCode(c.env.deps, organiser))
}

async function createSignInCode(deps: Deps, { email }: Organiser): Promise<string> {
  let created = ''
  await requestMagicLink({ deps, email }, (code) => {
    created = code
  })
  return created
}

/** The organiser of the session cookie, or undefined. */
export async function currentOrganiser(c: Context<App>): Promise<SignedInOrganiser | undefined> {
  if (!c.req.header('cookie')?.includes('baoming.session_token=')) return undefined
  const { response, headers } = await (await getAuth(c.env.deps)).api.getSession({
    headers: c.req.raw.headers,
    returnHeaders: true,
  })
  forwardCookies(c, headers)
  if (!response) return undefined
  const { id, name, email, role } = response.user as unknown as Organiser
  return { id, name, email, role, sessionId: response.session.id }
}

/** Signs in with the code of a magic link, which works once. Returns false for an invalid or used code. */
export async function verifyMagicLink(c: Context<App>, code: string): Promise<boolean> {
  try {
    const { headers } = await (await getAuth(c.env.deps)).api.magicLinkVerify({
      query: { token: code },
      headers: c.req.raw.headers,
      returnHeaders: true,
    })
    forwardCookies(c, headers)
    return true
  } catch (error) {
    // better-auth throws a redirect for an invalid code.
    if ((await importAuth()).isAuthError(error)) return false
    throw error
  }
}

/** Ends the current session. */
export async function signOut(c: Context<App>): Promise<void> {
  const { headers } = await (await getAuth(c.env.deps)).api.signOut({ headers: c.req.raw.headers, returnHeaders: true })
  forwardCookies(c, headers)
}

function forwardCookies(c: Context<App>, headers: Headers): void {
  for (const cookie of headers.getSetCookie()) c.header('Set-Cookie', cookie, { append: true })
}
