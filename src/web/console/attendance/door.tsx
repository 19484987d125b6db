import { type Context, Hono } from 'hono'
import { raw } from 'hono/html'
import { countDoorPeople, type DoorPerson, listDoorPeople } from '../../../domain/door/check-ins.ts'
import {
  canStartDoorSession,
  type DoorActor,
  endDoorSession,
  listDoorSessions,
  maxNameLength,
  rotateJoinCode,
  startDoorSession,
  workshopJoinCode,
} from '../../../domain/door/sessions.ts'
import { seatDoorQueue } from '../../../domain/door/walk-ins.ts'
import { findWorkshop, type Workshop } from '../../../domain/workshops/workshops.ts'
import { audit, currentActor } from '../../../http/audit.ts'
import { type App, setDoorCookie } from '../../../http/context.ts'
import { isUuid } from '../../../http/form-body.ts'
import { absoluteUrl, paths, withQuery } from '../../../http/links.ts'
import { type DoorMessages, doorMessages } from '../../../i18n/door.ts'
import { formatPlace } from '../../../i18n/format.ts'
import { publicMessages } from '../../../i18n/public.ts'
import { qrSvg } from '../../../lib/qr.ts'
import { formatMinute, localDate, localTime } from '../../../lib/time-zones.ts'
import { consolePage } from '../layout.tsx'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import { dateLabel } from '../ui/workshop-labels.ts'

/** The door of a workshop in the console: door sessions, check-ins and door queue. */
export const consoleDoorPages = new Hono<App>()

consoleDoorPages.get('/console/workshops/:slug/door', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  return workshop && workshop.state !== 'draft' ? consoleDoorPage(c, workshop) : c.notFound()
})

/** Full-screen join QR, for helpers to scan from a laptop. */
consoleDoorPages.get('/console/workshops/:slug/door/qr', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop || !canStartDoorSession(deps, workshop) || workshop.state === 'draft') return c.notFound()
  const locale = c.get('locale')
  const t = doorMessages(locale).console
  c.header('Cache-Control', 'no-store')
  return c.html(
    <>
      {raw('<!doctype html>')}
      <html lang={publicMessages(locale).lang}>
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="robots" content="noindex" />
          <title>{t.qr}</title>
          <link rel="icon" href={paths.asset('favicon.svg')} type="image/svg+xml" />
          <link rel="stylesheet" href={paths.asset('site.css')} />
          <link rel="stylesheet" href={paths.asset('door.css')} />
        </head>
        <body class="whole-qr">
          <main>
            <h1>
              <span>{formatPlace(workshop, locale)}</span> <span>{dateLabel(workshop, c)}</span>
            </h1>
            <img src={joinQrDataUrl(c, workshop)} alt={t.qr} />
            <p>{t.qrHint}</p>
            <p>
              <a href={paths.consoleDoor(workshop.slug)}>{t.back}</a>
            </p>
          </main>
        </body>
      </html>
    </>,
  )
})

/** Invalidates the join QR shown so far, such as one that was photographed. */
consoleDoorPages.post('/console/workshops/:slug/door/renew', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return consoleDoorPage(c, workshop)
  await rotateJoinCode(c.env.deps, workshop)
  await audit(c, { action: 'door.renewed', workshopId: workshop.id, payload: { slug: workshop.slug } })
  return c.redirect(withQuery(paths.consoleDoor(workshop.slug), { done: 'renewed' }), 303)
})

/** Starts a door session on the organiser's own device. */
consoleDoorPages.post('/console/workshops/:slug/door/open', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop || workshop.state === 'draft') return c.notFound()
  if (!canStartDoorSession(deps, workshop)) return consoleDoorPage(c, workshop, 409)
  if (!(await isConfirmed(c))) return consoleDoorPage(c, workshop)
  const name = [...currentActor(c).name].slice(0, maxNameLength / 2).join('')
  const opened = await startDoorSession(deps, workshop, name, c.req.header('user-agent'))
  if (opened.kind === 'refused') throw new Error(`could not start an organiser's door session: ${opened.refusal}`)
  setDoorCookie(c, opened.token, opened.session)
  await audit(c, { action: 'door.opened', workshopId: workshop.id, payload: { slug: workshop.slug } })
  return c.redirect(paths.doorPage(), 303)
})

consoleDoorPages.post('/console/workshops/:slug/door/sessions/:id/end', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  const id = c.req.param('id')
  if (!workshop || !isUuid(id)) return c.notFound()
  if (!(await isConfirmed(c))) return consoleDoorPage(c, workshop)
  const ended = await endDoorSession(c.env.deps, workshop, id)
  if (!ended) return c.notFound()
  await audit(c, {
    action: 'door.ended',
    workshopId: workshop.id,
    payload: { slug: workshop.slug },
    pii: { door: ended.name },
  })
  return c.redirect(withQuery(paths.consoleDoor(workshop.slug), { done: 'ended' }), 303)
})

/** Seats the door queue; door sessions otherwise do so with each request. */
consoleDoorPages.post('/console/workshops/:slug/door/seat', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return consoleDoorPage(c, workshop)
  const actor: DoorActor = { name: currentActor(c).name, workshopId: workshop.id }
  const seated = await seatDoorQueue(c.env.deps, actor)
  const done = seated.length > 0 ? 'seated' : 'nobody_seated'
  return c.redirect(withQuery(paths.consoleDoor(workshop.slug), { done }), 303)
})

async function consoleDoorPage(c: Context<App>, workshop: Workshop, status: 200 | 409 = 200): Promise<Response> {
  const { deps } = c.env
  const locale = c.get('locale')
  const words = doorMessages(locale)
  const t = words.console
  const { slug } = workshop
  const [sessions, counts, people] = await Promise.all([
    listDoorSessions(deps, workshop),
    countDoorPeople(deps, workshop),
    listDoorPeople(deps, workshop),
  ])
  const open = canStartDoorSession(deps, workshop)
  const arrived = people.filter(({ checkedIn }) => checkedIn).sort(byCheckInTime)
  const queue = people.filter((person) => person.standing)
  const expected = people.filter(
    ({ checkedIn, status }) => !checkedIn && (status === 'confirmed' || status === 'offered'),
  )
  const flash = {
    renewed: t.renewed,
    ended: t.ended,
    seated: t.seated,
    nobody_seated: words.panel.nobodySeated,
  }[c.req.query('done') ?? '']
  return consolePage(
    c,
    {
      title: t.title,
      section: 'campaigns',
      back: { href: paths.consoleWorkshop(slug), text: formatPlace(workshop, locale) },
      flash,
      scripts: ['progress', 'copy'],
      status,
    },
    <>
      <h1>{t.title}</h1>
      <p class="lead">
        {formatPlace(workshop, locale)} · {dateLabel(workshop, c)}
      </p>
      {/* Refreshed every few seconds by src/client/progress.js. */}
      <div id="progress" data-waiting={open ? 'yes' : undefined}>
        <p class="live-count">
          <b>{words.counts.of(counts.in, counts.seats)}</b> {words.counts.in}
          {counts.walkIns > 0 && <span>{words.counts.walkIns(counts.walkIns)}</span>}
          {counts.standing > 0 && <span>{words.counts.standing(counts.standing)}</span>}
        </p>
        {open && (
          <p class="ways">
            <a href={paths.doorQr(slug)}>{t.whole}</a>
          </p>
        )}
        {queue.length > 0 && (
          <>
            <h2>{words.list.standing}</h2>
            <form method="post" action={paths.seatDoorQueue(slug)}>
              <ConfirmField />
              <button type="submit" class="second">
                {words.actions.seat}
              </button>
            </form>
            <PeopleList people={queue.toSorted((a, b) => a.seq - b.seq)} workshop={workshop} t={words} />
          </>
        )}
        <details open={arrived.length > 0}>
          <summary>
            {words.list.in} {arrived.length}
          </summary>
          <PeopleList people={arrived} workshop={workshop} t={words} />
        </details>
        <details>
          <summary>
            {words.list.expected} {expected.length}
          </summary>
          <PeopleList people={expected} workshop={workshop} t={words} />
        </details>
      </div>
      <h2>{t.helpers}</h2>
      {open ? (
        <>
          <p>{t.helpersHint}</p>
          <figure class="group">
            <a href={paths.doorQr(slug)}>
              <img src={joinQrDataUrl(c, workshop)} alt={t.qr} />
            </a>
          </figure>
          <div class="field narrow">
            <label for="join">{t.link}</label>
            <p class="copy">
              <input id="join" readonly value={joinUrl(c, workshop)} />
              <button class="small second" type="button" data-copy="join" data-copied={t.copied} hidden>
                {t.copy}
              </button>
            </p>
          </div>
          <div class="ways">
            <form method="post" action={paths.startDoorSession(slug)}>
              <ConfirmField />
              <button type="submit">{t.openHere}</button>
            </form>
            <form method="post" action={paths.rotateJoinCode(slug)}>
              <ConfirmField />
              <button type="submit" class="second" title={t.renewHint}>
                {t.renew}
              </button>
            </form>
          </div>
        </>
      ) : (
        <p>{t.over}</p>
      )}
      <h2>{t.doors}</h2>
      {sessions.length === 0 ? (
        <p>{t.noDoors}</p>
      ) : (
        <ul class="rows">
          {sessions.map(({ id, name, open, lastSeenAt, endedAt, expiresAt }) => (
            <li>
              <span>
                {name} <span class={open ? 'mark' : 'mark off'}>{open ? t.isOpen : t.isClosed}</span>
                <small>
                  {open
                    ? t.seen(lastSeenAt ? formatTime(lastSeenAt, workshop) : '–', formatTime(expiresAt, workshop))
                    : t.closedAt(formatTime(endedAt ?? expiresAt, workshop))}
                </small>
              </span>
              {open && (
                <form method="post" action={paths.endDoorSession(slug, id)}>
                  <ConfirmField />
                  <button type="submit" class="second" aria-label={t.endOf(name)}>
                    {t.end}
                  </button>
                </form>
              )}
            </li>
          ))}
        </ul>
      )}
    </>,
  )
}

function PeopleList({ people, workshop, t }: { people: readonly DoorPerson[]; workshop: Workshop; t: DoorMessages }) {
  return (
    <ul class="rows">
      {people.map(({ id, seq, name, walkIn, coming, checkedIn }) => (
        <li>
          <span>
            <a href={paths.person(id)}>{name}</a>
            {walkIn && <span class="mark">{t.list.walkIn}</span>}
            <small>
              {[
                t.list.number(seq),
                ...(checkedIn
                  ? [t.list.since(formatTime(checkedIn.at, workshop), checkedIn.by || t.byItself)]
                  : coming
                    ? [t.list.coming]
                    : []),
              ].join(' · ')}
            </small>
          </span>
        </li>
      ))}
    </ul>
  )
}

/** Latest check-in first. */
const byCheckInTime = (a: DoorPerson, b: DoorPerson) =>
  (b.checkedIn?.at.getTime() ?? 0) - (a.checkedIn?.at.getTime() ?? 0) || b.seq - a.seq

/** Time of day in the workshop's time zone, with the date if it is not the workshop's first day. */
function formatTime(moment: Date, { timeZone, startsAt }: Workshop): string {
  const isSameDay = localDate(moment, timeZone) === localDate(startsAt, timeZone)
  return isSameDay ? localTime(moment, timeZone) : formatMinute(moment, timeZone)
}

function joinUrl(c: Context<App>, workshop: Workshop): string {
  const { deps } = c.env
  return absoluteUrl(deps.config.baseUrl, paths.doorJoin(workshopJoinCode(deps, workshop)))
}

function joinQrDataUrl(c: Context<App>, workshop: Workshop): string {
  const svg = qrSvg(joinUrl(c, workshop), 480)
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`
}
