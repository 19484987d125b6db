import { type Context, Hono } from 'hono'
import { raw } from 'hono/html'
import { actorOf, audited } from '../audited.ts'
import { type App, keepDoorToken } from '../context.ts'
import { countDoor, type DoorPerson, listDoorPeople } from '../domain/check-ins.ts'
import {
  type DoorActor,
  endDoor,
  joinCode,
  listDoors,
  longestName,
  mayOpenDoor,
  openDoor,
  renewJoinCode,
} from '../domain/door-sessions.ts'
import { dateIn, minuteIn, timeIn } from '../domain/time-zones.ts'
import { seatStanding } from '../domain/walk-ins.ts'
import { findWorkshop, type Workshop } from '../domain/workshops.ts'
import { isId } from '../form-body.ts'
import { paths, urlOf, withQuery } from '../links.ts'
import { type DoorMessages, doorMessagesFor } from '../messages/door.ts'
import { messagesFor } from '../messages/messages.ts'
import { placeOf } from '../messages/text.ts'
import { qrSvg } from '../qr.ts'
import { whenOf } from './campaigns.tsx'
import { ConfirmField, isConfirmed } from './confirmation.tsx'
import { consolePage } from './layout.tsx'

/** The door of a workshop as its organisers see it: helpers' phones, and who came. */
export const doorPages = new Hono<App>()

doorPages.get('/console/workshops/:slug/door', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  return workshop && workshop.state !== 'draft' ? doorPage(c, workshop) : c.notFound()
})

/** The QR alone, as big as the screen, for helpers to scan from a laptop. */
doorPages.get('/console/workshops/:slug/door/qr', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop || !mayOpenDoor(deps, workshop) || workshop.state === 'draft') return c.notFound()
  const locale = c.get('locale')
  const t = doorMessagesFor(locale).console
  c.header('Cache-Control', 'no-store')
  return c.html(
    <>
      {raw('<!doctype html>')}
      <html lang={messagesFor(locale).lang}>
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
              <span>{placeOf(workshop, locale)}</span> <span>{whenOf(workshop, c)}</span>
            </h1>
            <img src={pictureOf(c, workshop)} alt={t.qr} />
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

/** Makes the QR that was shown so far, and photographed perhaps, good for nothing. */
doorPages.post('/console/workshops/:slug/door/renew', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return doorPage(c, workshop)
  await renewJoinCode(c.env.deps, workshop)
  await audited(c, { action: 'door.renewed', workshopId: workshop.id, facts: { slug: workshop.slug } })
  return c.redirect(withQuery(paths.consoleDoor(workshop.slug), { done: 'renewed' }), 303)
})

/** The device on which the organiser is signed in becomes a door. */
doorPages.post('/console/workshops/:slug/door/open', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop || workshop.state === 'draft') return c.notFound()
  if (!mayOpenDoor(deps, workshop)) return doorPage(c, workshop, 409)
  if (!(await isConfirmed(c))) return doorPage(c, workshop)
  const name = [...actorOf(c).name].slice(0, longestName / 2).join('')
  const opened = await openDoor(deps, workshop, name, c.req.header('user-agent'))
  if (opened.kind === 'refused') throw new Error(`a door of an organiser was refused: ${opened.refusal}`)
  keepDoorToken(c, opened.token, opened.session)
  await audited(c, { action: 'door.opened', workshopId: workshop.id, facts: { slug: workshop.slug } })
  return c.redirect(paths.doorPage(), 303)
})

doorPages.post('/console/workshops/:slug/door/sessions/:id/end', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  const id = c.req.param('id')
  if (!workshop || !isId(id)) return c.notFound()
  if (!(await isConfirmed(c))) return doorPage(c, workshop)
  const ended = await endDoor(c.env.deps, workshop, id)
  if (!ended) return c.notFound()
  await audited(c, {
    action: 'door.ended',
    workshopId: workshop.id,
    facts: { slug: workshop.slug },
    personal: { door: ended.name },
  })
  return c.redirect(withQuery(paths.consoleDoor(workshop.slug), { done: 'ended' }), 303)
})

/** Gives seats to those who stand at the door, also where no door asks for anything. */
doorPages.post('/console/workshops/:slug/door/seat', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return doorPage(c, workshop)
  const actor: DoorActor = { name: actorOf(c).name, workshopId: workshop.id }
  const seated = await seatStanding(c.env.deps, actor)
  const done = seated.length > 0 ? 'seated' : 'nobody_seated'
  return c.redirect(withQuery(paths.consoleDoor(workshop.slug), { done }), 303)
})

async function doorPage(c: Context<App>, workshop: Workshop, status: 200 | 409 = 200): Promise<Response> {
  const { deps } = c.env
  const locale = c.get('locale')
  const words = doorMessagesFor(locale)
  const t = words.console
  const { slug } = workshop
  const [doors, counts, people] = await Promise.all([
    listDoors(deps, workshop),
    countDoor(deps, workshop),
    listDoorPeople(deps, workshop),
  ])
  const open = mayOpenDoor(deps, workshop)
  const here = people.filter(({ checkedIn }) => checkedIn).sort(byTime)
  const standing = people.filter((person) => person.standing)
  const missing = people.filter(
    ({ checkedIn, status }) => !checkedIn && (status === 'confirmed' || status === 'offered'),
  )
  const done = {
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
      back: { href: paths.consoleWorkshop(slug), text: placeOf(workshop, locale) },
      done,
      scripts: ['progress', 'copy'],
      status,
    },
    <>
      <h1>{t.title}</h1>
      <p class="lead">
        {placeOf(workshop, locale)} · {whenOf(workshop, c)}
      </p>
      {/* Looked at again every few seconds: see assets/progress.js. */}
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
        {standing.length > 0 && (
          <>
            <h2>{words.list.standing}</h2>
            <form method="post" action={paths.seatAtDoor(slug)}>
              <ConfirmField />
              <button type="submit" class="second">
                {words.actions.seat}
              </button>
            </form>
            <PeopleList people={standing.toSorted((a, b) => a.seq - b.seq)} workshop={workshop} t={words} />
          </>
        )}
        <details open={here.length > 0}>
          <summary>
            {words.list.in} {here.length}
          </summary>
          <PeopleList people={here} workshop={workshop} t={words} />
        </details>
        <details>
          <summary>
            {words.list.expected} {missing.length}
          </summary>
          <PeopleList people={missing} workshop={workshop} t={words} />
        </details>
      </div>
      <h2>{t.helpers}</h2>
      {open ? (
        <>
          <p>{t.helpersHint}</p>
          <figure class="group">
            <a href={paths.doorQr(slug)}>
              <img src={pictureOf(c, workshop)} alt={t.qr} />
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
            <form method="post" action={paths.openDoorHere(slug)}>
              <ConfirmField />
              <button type="submit">{t.openHere}</button>
            </form>
            <form method="post" action={paths.renewDoor(slug)}>
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
      {doors.length === 0 ? (
        <p>{t.noDoors}</p>
      ) : (
        <ul class="rows">
          {doors.map(({ id, name, open, lastSeenAt, endedAt, expiresAt }) => (
            <li>
              <span>
                {name} <span class={open ? 'mark' : 'mark off'}>{open ? t.isOpen : t.isClosed}</span>
                <small>
                  {open
                    ? t.seen(lastSeenAt ? timeOf(lastSeenAt, workshop) : '–', timeOf(expiresAt, workshop))
                    : t.closedAt(timeOf(endedAt ?? expiresAt, workshop))}
                </small>
              </span>
              {open && (
                <form method="post" action={paths.endDoor(slug, id)}>
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
                  ? [t.list.since(timeOf(checkedIn.at, workshop), checkedIn.by || t.byItself)]
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

/** Whoever came last first. */
const byTime = (a: DoorPerson, b: DoorPerson) =>
  (b.checkedIn?.at.getTime() ?? 0) - (a.checkedIn?.at.getTime() ?? 0) || b.seq - a.seq

/** By the clock of the workshop, with the date where that is another day. */
function timeOf(moment: Date, { timeZone, startsAt }: Workshop): string {
  const onTheDay = dateIn(moment, timeZone) === dateIn(startsAt, timeZone)
  return onTheDay ? timeIn(moment, timeZone) : minuteIn(moment, timeZone)
}

function joinUrl(c: Context<App>, workshop: Workshop): string {
  const { deps } = c.env
  return urlOf(deps.config.baseUrl, paths.joinDoor(joinCode(deps, workshop)))
}

function pictureOf(c: Context<App>, workshop: Workshop): string {
  const svg = qrSvg(joinUrl(c, workshop), 480)
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`
}
