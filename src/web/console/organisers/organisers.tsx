import { type Context, Hono } from 'hono'
import { type Role, roles } from '../../../db/schema.ts'
import {
  changeRole,
  findOrganisers,
  inviteOrganiser,
  listOrganisers,
  type Organiser,
  type OrganiserRefusal,
  removeOrganiser,
} from '../../../domain/organisers/organisers.ts'
import { audit } from '../../../http/audit.ts'
import type { App, SignedInOrganiser } from '../../../http/context.ts'
import { isUuid, parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatDateTime } from '../../../i18n/format.ts'
import { consolePage } from '../layout.tsx'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import { ErrorSummary, Field, Select, stringField } from '../ui/fields.tsx'

/** Organisers' accounts, for owners. */
export const organiserPages = new Hono<App>()

organiserPages.get('/console/organisers', (c) => organisersPage(c))

organiserPages.post('/console/organisers', async (c) => {
  const body = await parseFormBody(c)
  const person = {
    name: stringField(body, 'name'),
    email: stringField(body, 'email'),
    role: parseRole(body) ?? 'viewer',
  }
  const invited = await inviteOrganiser(c.env.deps, person)
  if (invited.kind === 'refused') return organisersPage(c, { ...person, refusal: invited.refusal })
  await audit(c, { action: 'organiser.invited', payload: auditPayload(invited.organiser) })
  return c.redirect(withQuery(paths.organisers(), { done: 'invited' }), 303)
})

organiserPages.post('/console/organisers/:id', async (c) => {
  const role = parseRole(await parseFormBody(c))
  if (!role) return c.notFound()
  const changed = await changeRole(c.env.deps, c.req.param('id'), role)
  if (changed.kind === 'refused') return renderRefusal(c, changed.refusal)
  await audit(c, { action: 'organiser.role_changed', payload: auditPayload(changed.organiser) })
  return c.redirect(withQuery(paths.organisers(), { done: 'changed' }), 303)
})

organiserPages.get('/console/organisers/:id/remove', async (c) => {
  const organiser = await loadOrganiser(c)
  return organiser ? removeOrganiserPage(c, organiser) : c.notFound()
})

function removeOrganiserPage(c: Context<App>, organiser: Organiser) {
  const t = consoleMessages(c.get('locale'))
  const title = t.organisers.removeTitle(organiser.name)
  return consolePage(
    c,
    { title, section: 'organisers', back: { href: paths.organisers(), text: t.organisers.title } },
    <>
      <h1>{title}</h1>
      <p class="lead">{t.organisers.removeLead}</p>
      <form class="actions" method="post" action={paths.removeOrganiser(organiser.id)}>
        <ConfirmField />
        <button class="warn" type="submit">
          {t.organisers.removeButton}
        </button>
        <a class="button second" href={paths.organisers()}>
          {t.cancel}
        </a>
      </form>
    </>,
  )
}

organiserPages.post('/console/organisers/:id/remove', async (c) => {
  const organiser = await loadOrganiser(c)
  if (!organiser) return c.notFound()
  if (!(await isConfirmed(c))) return removeOrganiserPage(c, organiser)
  const removed = await removeOrganiser(c.env.deps, organiser.id)
  if (removed.kind === 'refused') return renderRefusal(c, removed.refusal)
  await audit(c, { action: 'organiser.removed', payload: auditPayload(removed.organiser) })
  return c.redirect(withQuery(paths.organisers(), { done: 'removed' }), 303)
})

const auditPayload = ({ name, email, role }: Organiser) => ({ name, email, role })

const parseRole = (body: Record<string, unknown>): Role | undefined => roles.find((role) => role === body.role)

async function loadOrganiser(c: Context<App, '/:id'>) {
  const id = c.req.param('id')
  return isUuid(id) ? (await findOrganisers(c.env.deps, [id]))[0] : undefined
}

const renderRefusal = (c: Context<App>, refusal: OrganiserRefusal) =>
  refusal === 'not_found' ? c.notFound() : organisersPage(c, { name: '', email: '', role: 'viewer', refusal })

type RejectedInvitation = { name: string; email: string; role: Role; refusal: OrganiserRefusal }

async function organisersPage(c: Context<App>, rejected?: RejectedInvitation) {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = consoleMessages(locale)
  const self = c.get('organiser') as SignedInOrganiser
  const formatTime = (time: Date) => formatDateTime(time, deps.config.timeZone, locale)
  const organisers = await listOrganisers(deps)
  const problems = rejected
    ? [
        {
          field: rejected.refusal.startsWith('name_') ? 'name' : 'email',
          text: t.organisers.refusals[rejected.refusal],
        },
      ]
    : []
  const options = roles.map((role) => ({ value: role, text: `${t.roles[role]} · ${t.roleHints[role]}` }))
  const flashMessages = { invited: t.organisers.invited, changed: t.organisers.changed, removed: t.organisers.removed }
  return consolePage(
    c,
    {
      title: t.organisers.title,
      section: 'organisers',
      flash: flashMessages[c.req.query('done') as keyof typeof flashMessages],
      status: rejected ? (rejected.refusal === 'last_owner' ? 409 : 422) : 200,
    },
    <>
      <h1>{t.organisers.title}</h1>
      <p class="lead">{t.organisers.lead}</p>
      <ErrorSummary problems={problems} t={t} />
      <ul class="rows">
        {organisers.map((person) => (
          <li>
            <span>
              {person.name}
              {person.id === self.id && <span class="mark">{t.organisers.you}</span>}
              <small>{person.email}</small>
              <small>
                {person.lastSeenAt
                  ? t.organisers.lastSeen(formatTime(person.lastSeenAt))
                  : t.organisers.invitedOn(formatTime(person.invitedAt))}
              </small>
            </span>
            <form class="inline" method="post" action={paths.organiser(person.id)}>
              <select name="role" aria-label={`${t.organisers.role} · ${person.name}`}>
                {roles.map((role) => (
                  <option value={role} selected={role === person.role}>
                    {t.roles[role]}
                  </option>
                ))}
              </select>
              <button class="small second" type="submit">
                {t.organisers.change}
              </button>
            </form>
            <a class="small button second" href={paths.removeOrganiser(person.id)}>
              {t.organisers.remove}
            </a>
          </li>
        ))}
      </ul>
      <h2>{t.organisers.invite}</h2>
      <form class="narrow" method="post" action={paths.organisers()} novalidate>
        <Field name="name" label={t.organisers.name} value={rejected?.name ?? ''} problems={problems} required />
        <Field
          name="email"
          type="email"
          label={t.organisers.email}
          value={rejected?.email ?? ''}
          problems={problems}
          required
        />
        <Select name="role" label={t.organisers.role} options={options} value={rejected?.role ?? 'organiser'} />
        <button type="submit">{t.organisers.inviteButton}</button>
      </form>
    </>,
  )
}
