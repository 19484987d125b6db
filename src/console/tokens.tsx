import { type Context, Hono } from 'hono'
import { audited } from '../audited.ts'
import type { App } from '../context.ts'
import { type Role, roles } from '../db/schema.ts'
import { createToken, listTokens, readTokenName, revokeToken } from '../domain/organisers.ts'
import { readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { moment } from '../messages/text.ts'
import { ConfirmField, isConfirmed } from './confirmation.tsx'
import { Choice, Field, Problems, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'

/** API tokens, for owners. */
export const tokenPages = new Hono<App>()

tokenPages.get('/console/tokens', (c) => tokensPage(c))

/** The answer to the form shows the token: it is nowhere else to be seen. */
tokenPages.post('/console/tokens', async (c) => {
  const body = await readFormBody(c)
  const name = readTokenName(typed(body, 'name'))
  const role = roles.find((role) => role === body.role) ?? 'viewer'
  if (!name) {
    const problem = name === undefined ? 'too_long' : 'missing'
    return tokensPage(c, { mistake: { name: typed(body, 'name'), role, problem } })
  }
  const created = await createToken(c.env.deps, name, role)
  await audited(c, { action: 'token.created', facts: { name, role } })
  return tokensPage(c, { created })
})

tokenPages.post('/console/tokens/:id/revoke', async (c) => {
  if (!(await isConfirmed(c))) return tokensPage(c)
  const { deps } = c.env
  const id = c.req.param('id')
  const token = (await listTokens(deps)).find((token) => token.id === id)
  if (!token || !(await revokeToken(deps, id))) return c.notFound()
  await audited(c, { action: 'token.revoked', facts: { name: token.name, role: token.role } })
  return c.redirect(withQuery(paths.tokens(), { done: 'revoked' }), 303)
})

type Mistake = { name: string; role: Role; problem: 'missing' | 'too_long' }

async function tokensPage(c: Context<App>, { created, mistake }: { created?: string; mistake?: Mistake } = {}) {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = consoleMessagesFor(locale)
  const tokens = await listTokens(deps)
  const text = mistake?.problem === 'too_long' ? t.fieldProblems.too_long(t.tokens.name) : t.tokens.nameMissing
  const problems = mistake ? [{ field: 'name', text }] : []
  return consolePage(
    c,
    {
      title: t.tokens.title,
      section: 'tokens',
      scripts: ['copy'],
      done: c.req.query('done') === 'revoked' ? t.tokens.revoked : undefined,
      status: mistake ? 422 : 200,
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
      <Problems problems={problems} t={t} />
      {tokens.length === 0 && <p>{t.tokens.none}</p>}
      <ul class="rows">
        {tokens.map((token) => (
          <li>
            <span>
              {token.name}
              <small>
                {t.roles[token.role]} · {t.tokens.madeOn(moment(token.createdAt, deps.config.timeZone, locale))}
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
        <Field name="name" label={t.tokens.name} value={mistake?.name ?? ''} problems={problems} required />
        <Choice
          name="role"
          label={t.tokens.role}
          options={roles.map((role) => ({ value: role, text: `${t.roles[role]} · ${t.roleHints[role]}` }))}
          value={mistake?.role ?? 'viewer'}
        />
        <button type="submit">{t.tokens.create}</button>
      </form>
    </>,
  )
}
