import { passkey } from '@better-auth/passkey'
import { drizzleAdapter } from 'better-auth/adapters/drizzle'
import { isAPIError } from 'better-auth/api'
import { betterAuth } from 'better-auth/minimal'
import { magicLink } from 'better-auth/plugins/magic-link'
import { accounts, organisers, passkeys, sessions, verifications } from '../db/schema.ts'
import type { Deps } from '../domain/deps.ts'
import { hashSignInCode, signInLinkLifetimeSeconds } from '../domain/organisers/organisers.ts'
import { createSignInCode } from '../domain/tickets/signed-tokens.ts'
import { paths } from './links.ts'

/*
 * Organisers sign in through better-auth: by a link that is mailed to them, or by passkey. We make the links ourselves,
 * so that their mails are owed like all others and no secret lies in a table; it takes them, and keeps the sessions.
 */
type Auth = ReturnType<typeof createAuth>

const instances = new WeakMap<Deps['db'], Auth>()

/** What better-auth knows of an installation. Made when it is first needed, and kept as long as the database is open. */
export function getAuth(deps: Deps): Auth {
  const auth = instances.get(deps.db) ?? createAuth(deps)
  instances.set(deps.db, auth)
  return auth
}

function createAuth({ db, config, newId }: Deps) {
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
        expiresIn: signInLinkLifetimeSeconds,
        disableSignUp: true,
        storeToken: { type: 'custom-hasher', hash: async (code) => hashSignInCode(secret, code) },
        // Made of an id, as which alone it is kept until the mail is written.
        generateToken: () => createSignInCode(secret, newId()),
        sendMagicLink: ({ token, metadata }) => (metadata as TokenReceiver).onToken(token),
      }),
      passkey({ rpName: 'baoming' }),
    ],
  })
}

const day = 24 * 3600

/** What is done with a code once it is good. */
export type TokenReceiver = { onToken(code: string): void | Promise<void> }

/** Whether better-auth refused something, rather than failed. */
export const isAuthError: (error: unknown) => boolean = isAPIError
