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
 * Organisers sign in through better-auth, by magic link or passkey. The links are built and enqueued here, so that their
 * mails go through the outbox and no table holds a secret; better-auth verifies them and keeps the sessions.
 */
type Auth = ReturnType<typeof createAuth>

const instances = new WeakMap<Deps['db'], Auth>()

/** Returns the better-auth instance of a database; created at the first use. */
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
    // Any of the service's own addresses: csrf() has rejected other sites.
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
      // Organisers' IP addresses are not stored.
      ipAddress: { disableIpTracking: true },
    },
    // Rate limits are applied by IP prefix in context.ts.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [
      magicLink({
        expiresIn: signInLinkLifetimeSeconds,
        disableSignUp: true,
        storeToken: { type: 'custom-hasher', hash: async (code) => hashSignInCode(secret, code) },
        // Derived from an id; only the id is stored until the mail is rendered.
        generateToken: () => createSignInCode(secret, newId()),
        sendMagicLink: ({ token, metadata }) => (metadata as TokenReceiver).onToken(token),
      }),
      passkey({ rpName: 'baoming' }),
    ],
  })
}

const day = 24 * 3600

/** Receives the token of a new magic link. */
export type TokenReceiver = { onToken(code: string): void | Promise<void> }

/** True for an error with which better-auth rejects a request, rather than fails. */
export const isAuthError: (error: unknown) => boolean = isAPIError
