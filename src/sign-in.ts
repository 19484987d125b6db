import { passkey } from '@better-auth/passkey'
import { drizzleAdapter } from 'better-auth/adapters/drizzle'
import { isAPIError } from 'better-auth/api'
import { betterAuth } from 'better-auth/minimal'
import { magicLink } from 'better-auth/plugins/magic-link'
import type { Context } from 'hono'
import type { App, SignedIn } from './context.ts'
import { accounts, organisers, passkeys, sessions, verifications } from './db/schema.ts'
import type { Deps } from './deps.ts'
import { findOrganiserByEmail, linkLasts, mailSignInCode, type Organiser, storedCode } from './domain/organisers.ts'
import { signInCodeOf } from './domain/tickets.ts'
import { paths } from './links.ts'

/*
 * Organisers sign in through better-auth: by a link that is mailed to them, or by passkey. We make the links ourselves,
 * so that their mails are owed like all others and no secret lies in a table; it takes them, and keeps the sessions.
 */
type Auth = ReturnType<typeof openAuth>

const opened = new WeakMap<Deps['db'], Auth>()

/** What better-auth knows of an installation. Made when it is first needed, and kept as long as the database is open. */
export function authOf(deps: Deps): Auth {
  const auth = opened.get(deps.db) ?? openAuth(deps)
  opened.set(deps.db, auth)
  return auth
}

function openAuth({ db, config, newId }: Deps) {
  const { baseUrl, secret } = config
  return betterAuth({
    appName: 'baoming',
    baseURL: baseUrl,
    basePath: paths.auth(),
    secret,
    // Who opened the page at another of the installation's addresses stays there; foreign forms are refused before.
    trustedOrigins: (request) => [baseUrl, ...(request ? [new URL(request.url).origin] : [])],
    database: drizzleAdapter(db, {
      provider: 'pg',
      schema: {
        user: organisers,
        session: sessions,
        account: accounts,
        verification: verifications,
        passkey: passkeys,
      },
    }),
    user: { additionalFields: { role: { type: 'string', required: true, input: false } } },
    session: { expiresIn: 14 * day, updateAge: day },
    advanced: {
      cookiePrefix: 'baoming',
      defaultCookieAttributes: { path: paths.console(), sameSite: 'lax', httpOnly: true },
      database: { generateId: newId },
      // Nobody needs to know where organisers sit.
      ipAddress: { disableIpTracking: true },
    },
    // Limits are ours, by address range: see context.ts.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [
      magicLink({
        expiresIn: linkLasts,
        disableSignUp: true,
        storeToken: { type: 'custom-hasher', hash: async (code) => storedCode(secret, code) },
        // Made of an id, as which alone it is kept until the mail is written.
        generateToken: () => signInCodeOf(secret, newId()),
        sendMagicLink: ({ token, metadata }) => (metadata as Handing).hand(token),
      }),
      passkey({ rpName: 'baoming' }),
    ],
  })
}

const day = 24 * 3600

/** What is done with a code once it is good. */
type Handing = { hand(code: string): void | Promise<void> }

function makeCode({ deps, email }: { deps: Deps; email: string }, hand: Handing['hand']) {
  return authOf(deps).api.signInMagicLink({ body: { email, metadata: { hand } }, headers: new Headers() })
}

/** Mails an organiser a link to sign in with. Nothing goes to an address without an account. */
export async function mailSignInLink(deps: Deps, email: string): Promise<void> {
  const organiser = await findOrganiserByEmail(deps, email)
  if (organiser) await makeCode({ deps, email }, (code) => mailSignInCode(deps, organiser, code))
}

/** Signs in somebody whose account was made in this very request. */
export async function signInAs(c: Context<App>, { email }: Organiser): Promise<void> {
  let made = ''
  await makeCode({ deps: c.env.deps, email }, (code) => {
    made = code
  })
  await signInBy(c, made)
}

/** The organiser who is signed in in the browser that asks, or undefined. */
export async function signedIn(c: Context<App>): Promise<SignedIn | undefined> {
  if (!c.req.header('cookie')?.includes('baoming.session_token=')) return undefined
  const { response, headers } = await authOf(c.env.deps).api.getSession({
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
    const { headers } = await authOf(c.env.deps).api.magicLinkVerify({
      query: { token: code },
      headers: c.req.raw.headers,
      returnHeaders: true,
    })
    passCookies(c, headers)
    return true
  } catch (error) {
    // How it refuses a code: it would lead to a page that says so.
    if (isAPIError(error)) return false
    throw error
  }
}

/** Ends the session of the browser that asks. */
export async function signOut(c: Context<App>): Promise<void> {
  const { headers } = await authOf(c.env.deps).api.signOut({ headers: c.req.raw.headers, returnHeaders: true })
  passCookies(c, headers)
}

function passCookies(c: Context<App>, headers: Headers): void {
  for (const cookie of headers.getSetCookie()) c.header('Set-Cookie', cookie, { append: true })
}
