import { type Context, Hono } from 'hono'
import { audited } from '../audited.ts'
import type { App, SignedIn } from '../context.ts'
import { type Role, roles } from '../db/schema.ts'
import {
  changeRole,
  findOrganisers,
  inviteOrganiser,
  listOrganisers,
  type Organiser,
  type OrganiserRefusal,
  removeOrganiser,
} from '../domain/organisers.ts'
import { isId, readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { moment } from '../messages/text.ts'
import { ConfirmField, isConfirmed } from './confirmation.tsx'
import { Choice, Field, Problems, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'

/** Who has an account, for owners. */
export const organiserPages = new Hono<App>()

organiserPages.get('/console/organisers', (c) => organisersPage(c))

organiserPages.post('/console/organisers', async (c) => {
  const body = await readFormBody(c)
  const person = { name: typed(body, 'name'), email: typed(body, 'email'), role: readRole(body) ?? 'viewer' }
  const invited = await inviteOrganiser(c.env.deps, person)
  if (invited.kind === 'refused') return organisersPage(c, { ...person, refusal: invited.refusal })
  await audited(c, { action: 'organiser.invited', facts: factsOf(invited.organiser) })
  return c.redirect(withQuery(paths.organisers(), { done: 'invited' }), 303)
})

organiserPages.post('/console/organisers/:id', async (c) => {
  const role = readRole(await readFormBody(c))
  if (!role) return c.notFound()
  const changed = await changeRole(c.env.deps, c.req.param('id'), role)
  if (changed.kind === 'refused') return refused(c, changed.refusal)
  await audited(c, { action: 'organiser.role_changed', facts: factsOf(changed.organiser) })
  return c.redirect(withQuery(paths.organisers(), { done: 'changed' }), 303)
})

organiserPages.get('/console/organisers/:id/remove', async (c) => {
  const organiser = await findOne(c)
  return organiser ? removePage(c, organiser) : c.notFound()
})

function removePage(c: Context<App>, organiser: Organiser) {
  const t = consoleMessagesFor(c.get('locale'))
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
  const organiser = await findOne(c)
  if (!organiser) return c.notFound()
  if (!(await isConfirmed(c))) return removePage(c, organiser)
  const removed = await removeOrganiser(c.env.deps, organiser.id)
  if (removed.kind === 'refused') return refused(c, removed.refusal)
  await audited(c, { action: 'organiser.removed', facts: factsOf(removed.organiser) })
  return c.redirect(withQuery(paths.organisers(), { done: 'removed' }), 303)
})

const factsOf = ({ name, email, role }: Organiser) => ({ name, email, role })

const readRole = (body: Record<string, unknown>): Role | undefined => roles.find((role) => role === body.role)

async function findOne(c: Context<App, '/:id'>) {
  const id = c.req.param('id')
  return isId(id) ? (await findOrganisers(c.env.deps, [id]))[0] : undefined
}

const refused = (c: Context<App>, refusal: OrganiserRefusal) =>
  refusal === 'not_found' ? c.notFound() : organisersPage(c, { name: '', email: '', role: 'viewer', refusal })

type Mistake = { name: string; email: string; role: Role; refusal: OrganiserRefusal }

async function organisersPage(c: Context<App>, mistake?: Mistake) {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = consoleMessagesFor(locale)
  const me = c.get('organiser') as SignedIn
  const at = (time: Date) => moment(time, deps.config.timeZone, locale)
  const people = await listOrganisers(deps)
  const problems = mistake
    ? [{ field: mistake.refusal.startsWith('name_') ? 'name' : 'email', text: t.organisers.refusals[mistake.refusal] }]
    : []
  const options = roles.map((role) => ({ value: role, text: `${t.roles[role]} · ${t.roleHints[role]}` }))
  const done = { invited: t.organisers.invited, changed: t.organisers.changed, removed: t.organisers.removed }
  return consolePage(
    c,
    {
      title: t.organisers.title,
      section: 'organisers',
      done: done[c.req.query('done') as keyof typeof done],
      status: mistake ? (mistake.refusal === 'last_owner' ? 409 : 422) : 200,
    },
    <>
      <h1>{t.organisers.title}</h1>
      <p class="lead">{t.organisers.lead}</p>
      <Problems problems={problems} t={t} />
      <ul class="rows">
        {people.map((person) => (
          <li>
            <span>
              {person.name}
              {person.id === me.id && <span class="mark">{t.organisers.you}</span>}
              <small>{person.email}</small>
              <small>
                {person.lastSeenAt
                  ? t.organisers.lastSeen(at(person.lastSeenAt))
                  : t.organisers.invitedOn(at(person.invitedAt))}
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
        <Field name="name" label={t.organisers.name} value={mistake?.name ?? ''} problems={problems} required />
        <Field
          name="email"
          type="email"
          label={t.organisers.email}
          value={mistake?.email ?? ''}
          problems={problems}
          required
        />
        <Choice name="role" label={t.organisers.role} options={options} value={mistake?.role ?? 'organiser'} />
        <button type="submit">{t.organisers.inviteButton}</button>
      </form>
    </>,
  )
}
