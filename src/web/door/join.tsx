import { type Context, Hono } from 'hono'
import { endDoorSession, maxNameLength, resolveJoinCode, startDoorSession } from '../../domain/door/sessions.ts'
import { findWorkshopById, type Workshop } from '../../domain/workshops/workshops.ts'
import { type App, rateLimitByIp, setDoorCookie } from '../../http/context.ts'
import { parseFormBody } from '../../http/form-body.ts'
import { paths } from '../../http/links.ts'
import { doorMessages } from '../../i18n/door.ts'
import { formatDateRange, formatDay, localize } from '../../i18n/format.ts'
import { doorPage, Notice } from './layout.tsx'

/** The page behind the join QR, where a helper starts a door session. */
export const joinPages = new Hono<App>()

joinPages.get('/door/join/:code', async (c) => {
  await rateLimitByIp(c, 'join')
  const resolved = await resolveJoinCode(c.env.deps, c.req.param('code'))
  return resolved.kind === 'joinable' ? joinPage(c, resolved.workshop) : notJoinablePage(c, resolved.kind)
})

joinPages.post('/door/join/:code', async (c) => {
  await rateLimitByIp(c, 'join')
  const { deps } = c.env
  const resolved = await resolveJoinCode(deps, c.req.param('code'))
  if (resolved.kind !== 'joinable') return notJoinablePage(c, resolved.kind)
  const { name: nameInput } = await parseFormBody(c)
  const name = typeof nameInput === 'string' ? nameInput : ''
  const started = await startDoorSession(deps, resolved.workshop, name, c.req.header('user-agent'))
  if (started.kind === 'refused') return joinPage(c, resolved.workshop, { name, problem: started.refusal })
  // One session per phone: the previous one could no longer be used, and would remain in the organisers' list.
  const previous = c.get('door')
  if (previous) await endDoorSession(deps, { id: previous.workshopId }, previous.id)
  setDoorCookie(c, started.token, started.session)
  return c.redirect(paths.doorPage(), 303)
})

async function joinPage(
  c: Context<App>,
  workshop: Workshop,
  rejected?: { name: string; problem: 'missing' | 'too_long' },
): Promise<Response> {
  const { locale } = c.var
  const { join: t } = doorMessages(locale)
  const date = formatDateRange(workshop, locale)
  const currentSession = c.get('door')
  const otherWorkshop =
    currentSession && currentSession.workshopId !== workshop.id
      ? await findWorkshopById(c.env.deps, currentSession.workshopId)
      : undefined
  const problem = rejected && t.problems[rejected.problem]
  return doorPage(
    c,
    { title: t.title, loadApp: false, status: rejected ? 422 : 200 },
    <>
      <h1>{t.title}</h1>
      <p class="who">
        {localize(workshop.title, locale)}
        <small>
          {localize(workshop.city, locale)} · {date.fullDate} <span>{date.time}</span>
        </small>
      </p>
      <p class="lead">{t.lead}</p>
      {currentSession && otherWorkshop && (
        <p class="note-box">
          {t.instead(
            currentSession.name,
            `${localize(otherWorkshop.city, locale)} ${formatDay(otherWorkshop.startsAt, otherWorkshop.timeZone, locale)}`,
          )}
        </p>
      )}
      <form method="post" action={paths.doorJoin(c.req.param('code') ?? '')} novalidate>
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
            value={rejected?.name ?? currentSession?.name ?? ''}
            maxlength={maxNameLength}
            required
            autocomplete="name"
            autofocus={rejected !== undefined}
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

function notJoinablePage(c: Context<App>, reason: 'not_found' | 'renewed' | 'over'): Promise<Response> {
  const { title, hint } = doorMessages(c.var.locale).notJoinable[reason]
  return doorPage(
    c,
    { title, severity: 'wait', status: reason === 'not_found' ? 404 : 410 },
    <Notice title={title} lines={[hint]} />,
  )
}
