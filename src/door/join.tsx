import { type Context, Hono } from 'hono'
import { type App, keepDoorToken, limitRange } from '../context.ts'
import { endDoor, findJoinable, longestName, openDoor } from '../domain/door-sessions.ts'
import { findWorkshopById, type Workshop } from '../domain/workshops.ts'
import { readFormBody } from '../form-body.ts'
import { paths } from '../links.ts'
import { doorMessagesFor } from '../messages/door.ts'
import { day, pick, when } from '../messages/text.ts'
import { doorPage, Plain } from './layout.tsx'

/** Where the QR leads that an organiser shows to helpers. */
export const joinPages = new Hono<App>()

joinPages.get('/door/join/:code', async (c) => {
  await limitRange(c, 'join')
  const found = await findJoinable(c.env.deps, c.req.param('code'))
  return found.kind === 'joinable' ? joinPage(c, found.workshop) : notJoinablePage(c, found.kind)
})

joinPages.post('/door/join/:code', async (c) => {
  await limitRange(c, 'join')
  const { deps } = c.env
  const found = await findJoinable(deps, c.req.param('code'))
  if (found.kind !== 'joinable') return notJoinablePage(c, found.kind)
  const { name: typed } = await readFormBody(c)
  const name = typeof typed === 'string' ? typed : ''
  const opened = await openDoor(deps, found.workshop, name, c.req.header('user-agent'))
  if (opened.kind === 'refused') return joinPage(c, found.workshop, { typed: name, problem: opened.refusal })
  // A phone is one door at a time: nobody can use the session of before, nor need an organiser wonder whose it is.
  const before = c.get('door')
  if (before) await endDoor(deps, { id: before.workshopId }, before.id)
  keepDoorToken(c, opened.token, opened.session)
  return c.redirect(paths.doorPage(), 303)
})

async function joinPage(
  c: Context<App>,
  workshop: Workshop,
  mistake?: { typed: string; problem: 'missing' | 'too_long' },
): Promise<Response> {
  const { locale } = c.var
  const { join: t } = doorMessagesFor(locale)
  const at = when(workshop, locale)
  const before = c.get('door')
  const other =
    before && before.workshopId !== workshop.id ? await findWorkshopById(c.env.deps, before.workshopId) : undefined
  const problem = mistake && t.problems[mistake.problem]
  return doorPage(
    c,
    { title: t.title, phone: false, status: mistake ? 422 : 200 },
    <>
      <h1>{t.title}</h1>
      <p class="who">
        {pick(workshop.title, locale)}
        <small>
          {pick(workshop.city, locale)} · {at.fullDate} <span>{at.time}</span>
        </small>
      </p>
      <p class="lead">{t.lead}</p>
      {before && other && (
        <p class="note-box">
          {t.instead(before.name, `${pick(other.city, locale)} ${day(other.startsAt, other.timeZone, locale)}`)}
        </p>
      )}
      <form method="post" action={paths.joinDoor(c.req.param('code') ?? '')} novalidate>
        <div class="field">
          <label for="name">{t.name}</label>
          {problem && (
            <p class="problem" id="name-problem">
              {problem}
            </p>
          )}
          <input
            id="name"
            name="name"
            type="text"
            value={mistake?.typed ?? before?.name ?? ''}
            maxlength={longestName}
            required
            autocomplete="name"
            autofocus={mistake !== undefined}
            aria-describedby={problem ? 'name-problem name-hint' : 'name-hint'}
            aria-invalid={problem ? 'true' : undefined}
          />
          <small id="name-hint">{t.nameHint}</small>
        </div>
        <button type="submit">{t.submit}</button>
      </form>
    </>,
  )
}

function notJoinablePage(c: Context<App>, why: 'not_found' | 'renewed' | 'over'): Promise<Response> {
  const { title, hint } = doorMessagesFor(c.var.locale).notJoinable[why]
  return doorPage(
    c,
    { title, tone: 'wait', status: why === 'not_found' ? 404 : 410 },
    <Plain title={title} lines={[hint]} />,
  )
}
