import { type Context, Hono } from 'hono'
import { createFirstOwner, hasOwner } from '../../../domain/organisers/organisers.ts'
import { type FieldProblem, parseEmail } from '../../../domain/registrations/registrations.ts'
import { isFirstOwnerCode, verifySignInCode } from '../../../domain/tickets/signed-tokens.ts'
import { type App, rateLimitByEmail, rateLimitByIp } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import {
  handlePasskeyRequest,
  mailSignInLink,
  signInOrganiser,
  signOut,
  verifyMagicLink,
} from '../../../http/sign-in.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { signInLinkCommand } from '../../../i18n/format.ts'
import { consolePage } from '../layout.tsx'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import { ErrorSummary, Field, stringField } from '../ui/fields.tsx'

/** Signing in by magic link or passkey, signing out, and creating the first owner. */
export const signInPages = new Hono<App>()

signInPages.get('/console/sign-in', async (c) => {
  const { back, signIn: t } = consoleMessages(c.get('locale'))
  if (c.get('organiser')) return c.redirect(safeReturnPath(c.req.query('back')))
  if (c.req.query('done') !== 'mailed')
    return signInPage(
      c,
      { email: c.req.query('email') ?? '', back: c.req.query('back') ?? '' },
      undefined,
      c.req.query('done') === 'out',
    )
  // The same for every address, so as not to disclose which ones have an account.
  const title = hasNoMailServer(c) ? t.notSent : t.sent
  return consolePage(
    c,
    { title },
    <>
      <h1>{title}</h1>
      {hasNoMailServer(c) ? <NoMailServerNotice c={c} /> : <p class="lead">{t.sentLead}</p>}
      <a class="button second" href={paths.signIn()}>
        {hasNoMailServer(c) ? back : t.again}
      </a>
    </>,
  )
})

signInPages.post('/console/sign-in', async (c) => {
  await rateLimitByIp(c, 'find')
  const body = await parseFormBody(c)
  const parsed = parseEmail(stringField(body, 'email'))
  if ('problems' in parsed)
    return signInPage(
      c,
      { email: stringField(body, 'email'), back: stringField(body, 'back') },
      emailError(c, parsed.problems),
    )
  await rateLimitByEmail(c, 'sign_in', parsed.email)
  await mailSignInLink(c.env.deps, parsed.email)
  return c.redirect(withQuery(paths.signIn(), { done: 'mailed' }), 303)
})

function emailError(c: Context<App>, [problem]: FieldProblem[]): string {
  const t = consoleMessages(c.get('locale'))
  return problem?.code === 'too_long' ? t.organisers.refusals.email_too_long : t.signIn.emailInvalid
}

/** Asks for a click before the single-use link is consumed: mail scanners follow links, but submit no forms. */
signInPages.get('/console/sign-in/:code', (c) => {
  const code = c.req.param('code')
  // Only the signature is checked here. Used or expired links are reported after the click.
  if (!verifySignInCode(c.env.deps.config.secret, code)) return invalidLinkPage(c)
  const t = consoleMessages(c.get('locale')).signIn
  return consolePage(
    c,
    { title: t.confirm },
    <>
      <h1>{t.confirm}</h1>
      <p class="lead">{t.confirmLead}</p>
      <form method="post" action={paths.magicLink(code)}>
        <button type="submit">{t.confirmButton}</button>
      </form>
    </>,
  )
})

signInPages.post('/console/sign-in/:code', async (c) => {
  await rateLimitByIp(c, 'token')
  return (await verifyMagicLink(c, c.req.param('code'))) ? c.redirect(paths.console(), 303) : invalidLinkPage(c)
})

function invalidLinkPage(c: Context<App>) {
  const t = consoleMessages(c.get('locale')).signIn
  return consolePage(
    c,
    { title: t.invalid, status: 410 },
    <>
      <h1>{t.invalid}</h1>
      <p class="lead">{t.invalidLead}</p>
      <a class="button" href={paths.signIn()}>
        {t.submit}
      </a>
    </>,
  )
}

signInPages.post('/console/sign-out', async (c) => {
  if (!(await isConfirmed(c))) return signOutPage(c)
  await signOut(c)
  return c.redirect(withQuery(paths.signIn(), { done: 'out' }), 303)
})

signInPages.get('/console/first/:code', async (c) => {
  if (!isFirstOwnerCode(c.env.deps.config.secret, c.req.param('code'))) return c.notFound()
  return (await hasOwner(c.env.deps)) ? ownerExistsPage(c) : firstOwnerPage(c, { name: '', email: '' })
})

signInPages.post('/console/first/:code', async (c) => {
  const { deps } = c.env
  await rateLimitByIp(c, 'token')
  if (!isFirstOwnerCode(deps.config.secret, c.req.param('code'))) return c.notFound()
  const body = await parseFormBody(c)
  const person = { name: stringField(body, 'name'), email: stringField(body, 'email') }
  const created = await createFirstOwner(deps, person)
  if (created.kind === 'changed') {
    await signInOrganiser(c, created.organiser)
    return c.redirect(paths.console(), 303)
  }
  if (created.refusal === 'owner_exists') return ownerExistsPage(c)
  return firstOwnerPage(c, person, {
    field: created.refusal.startsWith('name_') ? 'name' : 'email',
    text: consoleMessages(c.get('locale')).organisers.refusals[created.refusal],
  })
})

/*
 * The endpoints of better-auth's passkey plugin that src/client/passkey.ts calls. Its other endpoints are not exposed: the
 * account page replaces them.
 */
for (const path of [
  '/console/auth/passkey/generate-authenticate-options',
  '/console/auth/passkey/generate-register-options',
] as const) {
  signInPages.get(path, (c) => rateLimitedPasskey(c))
}
for (const path of [
  '/console/auth/passkey/verify-authentication',
  '/console/auth/passkey/verify-registration',
] as const) {
  signInPages.post(path, (c) => rateLimitedPasskey(c))
}

async function rateLimitedPasskey(c: Context<App>): Promise<Response> {
  await rateLimitByIp(c, 'token')
  return handlePasskeyRequest(c)
}

/** The console page to return to after sign-in; never another site. */
function safeReturnPath(path: string | undefined): string {
  return path && /^\/console(?:\/[\w/-]*)?$/.test(path) ? path : paths.console()
}

/** Without SMTP, sign-in links have to be printed by the command line. */
function hasNoMailServer(c: Context<App>): boolean {
  return !c.env.deps.config.smtpUrl
}

function NoMailServerNotice({ c }: { c: Context<App> }) {
  return (
    <p class="warning">
      {consoleMessages(c.get('locale')).signIn.noMailServer}
      <br />
      <code>{signInLinkCommand()}</code>
    </p>
  )
}

function signOutPage(c: Context<App>) {
  const t = consoleMessages(c.get('locale'))
  return consolePage(
    c,
    { title: t.signOut },
    <>
      <h1>{t.signOut}</h1>
      <form method="post" action={paths.signOut()}>
        <ConfirmField />
        <button type="submit">{t.signOut}</button>
      </form>
    </>,
  )
}

function signInPage(
  c: Context<App>,
  { email, back }: { email: string; back: string },
  problem?: string,
  signedOut?: boolean,
) {
  const t = consoleMessages(c.get('locale'))
  const problems = problem ? [{ field: 'email', text: problem }] : []
  return consolePage(
    c,
    {
      title: t.signIn.title,
      scripts: ['passkey'],
      status: problem ? 422 : 200,
      flash: signedOut ? t.signIn.signedOut : undefined,
    },
    <>
      <h1>{t.signIn.title}</h1>
      <p class="lead">{t.signIn.lead}</p>
      {hasNoMailServer(c) && <NoMailServerNotice c={c} />}
      <ErrorSummary problems={problems} t={t} />
      <form method="post" action={paths.signIn()} novalidate>
        <input type="hidden" name="back" value={safeReturnPath(back)} />
        <Field
          name="email"
          type="email"
          label={t.signIn.email}
          value={email}
          problems={problems}
          autocomplete="username webauthn"
          required
        />
        <button type="submit">{t.signIn.submit}</button>
      </form>
      <p hidden data-passkey="sign-in" data-back={safeReturnPath(back)} data-failed={t.signIn.passkeyFailed}>
        <button class="second" type="button">
          {t.signIn.passkey}
        </button>
        <small role="status" />
      </p>
    </>,
  )
}

function firstOwnerPage(
  c: Context<App>,
  values: { name: string; email: string },
  problem?: { field: string; text: string },
) {
  const t = consoleMessages(c.get('locale'))
  const problems = problem ? [problem] : []
  return consolePage(
    c,
    { title: t.first.title, status: problem ? 422 : 200 },
    <>
      <h1>{t.first.title}</h1>
      <p class="lead">{t.first.lead}</p>
      <ErrorSummary problems={problems} t={t} />
      <form method="post" novalidate>
        <Field name="name" label={t.first.name} value={values.name} problems={problems} autocomplete="name" required />
        <Field
          name="email"
          type="email"
          label={t.first.email}
          value={values.email}
          problems={problems}
          autocomplete="email"
          required
        />
        <button type="submit">{t.first.submit}</button>
      </form>
    </>,
  )
}

function ownerExistsPage(c: Context<App>) {
  const t = consoleMessages(c.get('locale'))
  return consolePage(
    c,
    { title: t.first.taken, status: 410 },
    <>
      <h1>{t.first.taken}</h1>
      <p class="lead">{t.first.takenLead}</p>
      <a class="button" href={paths.signIn()}>
        {t.signIn.title}
      </a>
    </>,
  )
}
