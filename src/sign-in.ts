import type { Context } from 'hono'
import type { Handing } from './auth.ts'
import type { App, SignedIn } from './context.ts'
import type { Deps } from './deps.ts'
import { findOrganiserByEmail, mailSignInCode, type Organiser } from './domain/organisers.ts'
import { paths, urlOf } from './links.ts'

/** better-auth takes 0.4 s to load, which the first organiser waits and not the start. */
const loadAuth = () => import('./auth.ts')

async function authOf(deps: Deps) {
  return (await loadAuth()).authOf(deps)
}

async function makeCode({ deps, email }: { deps: Deps; email: string }, hand: Handing['hand']) {
  const auth = await authOf(deps)
  await auth.api.signInMagicLink({ body: { email, metadata: { hand } }, headers: new Headers() })
}

/** Answers what src/assets/passkey.js asks. */
export async function answerPasskey(c: Context<App>): Promise<Response> {
  return (await authOf(c.env.deps)).handler(c.req.raw)
}

/** Mails an organiser a link to sign in with. Nothing goes to an address without an account. */
export async function mailSignInLink(deps: Deps, email: string): Promise<void> {
  const organiser = await findOrganiserByEmail(deps, email)
  if (organiser) await makeCode({ deps, email }, (code) => mailSignInCode(deps, organiser, code))
}

/** Creates a link that signs in the account with an address, once and within `linkLasts`; undefined without an account. */
export async function createSignInLink(deps: Deps, email: string): Promise<string | undefined> {
  const organiser = await findOrganiserByEmail(deps, email)
  return organiser && urlOf(deps.config.baseUrl, paths.signInWith(await createCode(deps, organiser)))
}

/** Signs in somebody whose account was made in this very request. */
export async function signInAs(c: Context<App>, organiser: Organiser): Promise<void> {
  await signInBy(c, await createCode(c.env.deps, organiser))
}

async function createCode(deps: Deps, { email }: Organiser): Promise<string> {
  let created = ''
  await makeCode({ deps, email }, (code) => {
    created = code
  })
  return created
}

/** The organiser who is signed in in the browser that asks, or undefined. */
export async function signedIn(c: Context<App>): Promise<SignedIn | undefined> {
  if (!c.req.header('cookie')?.includes('baoming.session_token=')) return undefined
  const { response, headers } = await (await authOf(c.env.deps)).api.getSession({
    headers: c.req.raw.headers,
    returnHeaders: true,
  })
  passCookies(c, headers)
  if (!response) return undefined
  const { id, name, email, role } = response.user as unknown as Organiser
  return { id, name, email, role, sessionId: response.session.id }
}

/** Signs in whoever brings a code from a mailed link. Tells whether it was good; it is not good again. */
export async function signInBy(c: Context<App>, code: string): Promise<boolean> {
  try {
    const { headers } = await (await authOf(c.env.deps)).api.magicLinkVerify({
      query: { token: code },
      headers: c.req.raw.headers,
      returnHeaders: true,
    })
    passCookies(c, headers)
    return true
  } catch (error) {
    // How it refuses a code: it would lead to a page that says so.
    if ((await loadAuth()).isRefusal(error)) return false
    throw error
  }
}

/** Ends the session of the browser that asks. */
export async function signOut(c: Context<App>): Promise<void> {
  const { headers } = await (await authOf(c.env.deps)).api.signOut({ headers: c.req.raw.headers, returnHeaders: true })
  passCookies(c, headers)
}

function passCookies(c: Context<App>, headers: Headers): void {
  for (const cookie of headers.getSetCookie()) c.header('Set-Cookie', cookie, { append: true })
}
