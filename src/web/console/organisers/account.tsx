import { type Context, Hono } from 'hono'
import {
  endSession,
  listPasskeys,
  listSessions,
  type OrganiserRefusal,
  removePasskey,
  renameOrganiser,
} from '../../../domain/organisers/organisers.ts'
import { audit } from '../../../http/audit.ts'
import type { App, SignedInOrganiser } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatDateTime } from '../../../i18n/format.ts'
import { consolePage } from '../layout.tsx'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import { ErrorSummary, Field, stringField } from '../ui/fields.tsx'

/** The organiser's own account: name, passkeys, sessions. */
export const accountPages = new Hono<App>()

accountPages.get('/console/account', (c) => accountPage(c))

accountPages.post('/console/account', async (c) => {
  const name = stringField(await parseFormBody(c), 'name')
  const changed = await renameOrganiser(c.env.deps, requireOrganiser(c).id, name)
  if (changed.kind === 'changed') return c.redirect(withQuery(paths.account(), { done: 'saved' }), 303)
  return accountPage(c, { name, refusal: changed.refusal })
})

accountPages.post('/console/account/sessions/:id/end', async (c) => {
  if (!(await isConfirmed(c))) return accountPage(c)
  const ended = await endSession(c.env.deps, requireOrganiser(c).id, c.req.param('id'))
  if (!ended) return c.notFound()
  await audit(c, { action: 'session.ended' })
  return c.redirect(withQuery(paths.account(), { done: 'ended' }), 303)
})

accountPages.post('/console/account/passkeys/:id/remove', async (c) => {
  if (!(await isConfirmed(c))) return accountPage(c)
  const removed = await removePasskey(c.env.deps, requireOrganiser(c).id, c.req.param('id'))
  return removed ? c.redirect(withQuery(paths.account(), { done: 'removed' }), 303) : c.notFound()
})

const requireOrganiser = (c: Context<App>) => c.get('organiser') as SignedInOrganiser

async function accountPage(c: Context<App>, rejected?: { name: string; refusal: OrganiserRefusal }) {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = consoleMessages(locale)
  const { id, name, email, role, sessionId } = requireOrganiser(c)
  const [sessions, passkeys] = await Promise.all([listSessions(deps, id), listPasskeys(deps, id)])
  const formatTime = (time: Date) => formatDateTime(time, deps.config.timeZone, locale)
  const problems = rejected ? [{ field: 'name', text: t.organisers.refusals[rejected.refusal] }] : []
  const flashMessages = {
    saved: t.done,
    ended: t.account.ended,
    removed: t.account.removed,
    passkey: t.account.passkeyAdded,
  }
  return consolePage(
    c,
    {
      title: t.account.title,
      section: 'account',
      scripts: ['passkey'],
      flash: flashMessages[c.req.query('done') as keyof typeof flashMessages],
      status: rejected ? 422 : 200,
    },
    <>
      <h1>{t.account.title}</h1>
      <ErrorSummary problems={problems} t={t} />
      <form class="narrow" method="post" action={paths.account()} novalidate>
        <Field name="name" label={t.account.name} value={rejected?.name ?? name} problems={problems} required />
        <dl class="facts-list">
          <dt>{t.account.email}</dt>
          <dd>{email}</dd>
          <dt>{t.account.role}</dt>
          <dd>
            {t.roles[role]} <small>{t.roleHints[role]}</small>
          </dd>
        </dl>
        <button type="submit">{t.save}</button>
      </form>

      <h2>{t.account.passkeys}</h2>
      <p class="lead">{t.account.passkeysLead}</p>
      {passkeys.length === 0 && <p>{t.account.noPasskeys}</p>}
      <ul class="rows">
        {passkeys.map((passkey) => (
          <li>
            <span>
              {passkey.name ?? t.account.passkeys}
              {passkey.createdAt && <small>{t.account.added(formatTime(passkey.createdAt))}</small>}
            </span>
            <form method="post" action={paths.removePasskey(passkey.id)}>
              <ConfirmField />
              <button class="small second" type="submit">
                {t.account.remove}
              </button>
            </form>
          </li>
        ))}
      </ul>
      <p
        data-passkey="add"
        data-done={withQuery(paths.account(), { done: 'passkey' })}
        data-failed={t.account.passkeyFailed}
        data-unavailable={t.account.passkeyUnavailable}
      >
        <button class="small second" type="button">
          {t.account.addPasskey}
        </button>
        <small role="status" />
      </p>

      <h2>{t.account.sessions}</h2>
      <ul class="rows">
        {sessions.map((session) => (
          <li>
            <span>
              {describeBrowser(session.userAgent) ?? t.account.unknownBrowser}
              <small>
                {session.id === sessionId ? t.account.thisOne : t.account.since(formatTime(session.updatedAt))}
              </small>
            </span>
            {session.id !== sessionId && (
              <form method="post" action={paths.endSession(session.id)}>
                <ConfirmField />
                <button class="small second" type="submit">
                  {t.account.end}
                </button>
              </form>
            )}
          </li>
        ))}
      </ul>
    </>,
  )
}

/** Browser and system, such as "Chrome · Windows". */
function describeBrowser(userAgent: string | null): string | undefined {
  const matchName = (names: [RegExp, string][]) => names.find(([pattern]) => pattern.test(userAgent ?? ''))?.[1]
  const browser = matchName([
    [/MicroMessenger/, 'WeChat'],
    [/Edg/, 'Edge'],
    [/Firefox|FxiOS/, 'Firefox'],
    [/Chrome|CriOS/, 'Chrome'],
    [/Safari/, 'Safari'],
  ])
  const system = matchName([
    [/HarmonyOS/, 'HarmonyOS'],
    [/Android/, 'Android'],
    [/iPhone/, 'iPhone'],
    [/iPad/, 'iPad'],
    [/Mac OS/, 'macOS'],
    [/Windows/, 'Windows'],
    [/Linux/, 'Linux'],
  ])
  return [browser, system].filter(Boolean).join(' · ') || undefined
}
