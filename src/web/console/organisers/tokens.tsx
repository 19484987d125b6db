import { type Context, Hono } from 'hono'
import { type Role, roles } from '../../../db/schema.ts'
import { createToken, listTokens, parseTokenName, revokeToken } from '../../../domain/organisers/organisers.ts'
import { audit } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatDateTime } from '../../../i18n/format.ts'
import { consolePage } from '../layout.tsx'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import { ErrorSummary, Field, Select, stringField } from '../ui/fields.tsx'

/** API tokens, for owners. */
export const tokenPages = new Hono<App>()

tokenPages.get('/console/tokens', (c) => tokensPage(c))

/** Shows the new token in the response; it cannot be shown again. */
tokenPages.post('/console/tokens', async (c) => {
  const body = await parseFormBody(c)
  const name = parseTokenName(stringField(body, 'name'))
  const role = roles.find((role) => role === body.role) ?? 'viewer'
  if (!name) {
    const problem = name === undefined ? 'too_long' : 'missing'
    return tokensPage(c, { rejected: { name: stringField(body, 'name'), role, problem } })
  }
  const created = await createToken(c.env.deps, name, role)
  await audit(c, { action: 'token.created', payload: { name, role } })
  return tokensPage(c, { created })
})

tokenPages.post('/console/tokens/:id/revoke', async (c) => {
  if (!(await isConfirmed(c))) return tokensPage(c)
  const { deps } = c.env
  const id = c.req.param('id')
  const token = (await listTokens(deps)).find((token) => token.id === id)
  if (!token || !(await revokeToken(deps, id))) return c.notFound()
  await audit(c, { action: 'token.revoked', payload: { name: token.name, role: token.role } })
  return c.redirect(withQuery(paths.tokens(), { done: 'revoked' }), 303)
})

type RejectedToken = { name: string; role: Role; problem: 'missing' | 'too_long' }

async function tokensPage(c: Context<App>, { created, rejected }: { created?: string; rejected?: RejectedToken } = {}) {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = consoleMessages(locale)
  const tokens = await listTokens(deps)
  const text = rejected?.problem === 'too_long' ? t.fieldProblems.too_long(t.tokens.name) : t.tokens.nameMissing
  const problems = rejected ? [{ field: 'name', text }] : []
  return consolePage(
    c,
    {
      title: t.tokens.title,
      section: 'tokens',
      scripts: ['copy'],
      flash: c.req.query('done') === 'revoked' ? t.tokens.revoked : undefined,
      status: rejected ? 422 : 200,
    },
    <>
      <h1>{t.tokens.title}</h1>
      <p class="lead">
        {t.tokens.lead} <a href={paths.apiDocs()}>{t.tokens.docs}</a>
      </p>
      {created && (
        <div class="done" role="status">
          <label for="token">{t.tokens.created}</label>
          <p class="copy">
            <input id="token" readonly value={created} />
            <button class="small" type="button" data-copy="token" data-copied={t.tokens.copied} hidden>
              {t.tokens.copy}
            </button>
          </p>
        </div>
      )}
      <ErrorSummary problems={problems} t={t} />
      {tokens.length === 0 && <p>{t.tokens.none}</p>}
      <ul class="rows">
        {tokens.map((token) => (
          <li>
            <span>
              {token.name}
              <small>
                {t.roles[token.role]} · {t.tokens.madeOn(formatDateTime(token.createdAt, deps.config.timeZone, locale))}
              </small>
            </span>
            {token.revokedAt ? (
              <small>{t.tokens.revokedOn}</small>
            ) : (
              <form method="post" action={paths.revokeToken(token.id)}>
                <ConfirmField />
                <button class="small second" type="submit">
                  {t.tokens.revoke}
                </button>
              </form>
            )}
          </li>
        ))}
      </ul>
      <h2>{t.tokens.create}</h2>
      <form class="narrow" method="post" action={paths.tokens()} novalidate>
        <Field name="name" label={t.tokens.name} value={rejected?.name ?? ''} problems={problems} required />
        <Select
          name="role"
          label={t.tokens.role}
          options={roles.map((role) => ({ value: role, text: `${t.roles[role]} · ${t.roleHints[role]}` }))}
          value={rejected?.role ?? 'viewer'}
        />
        <button type="submit">{t.tokens.create}</button>
      </form>
    </>,
  )
}
