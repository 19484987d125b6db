import type { Context } from 'hono'
import type { Child } from 'hono/jsx'
import type { Locale } from '../config.ts'
import type { App } from '../context.ts'
import { type DoorPerson, findScan, type Scan } from '../domain/check-ins.ts'
import { dateIn, timeIn } from '../domain/time-zones.ts'
import { placeAtDoor } from '../domain/walk-ins.ts'
import type { Workshop } from '../domain/workshops.ts'
import { isId } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { boardMessagesFor } from '../messages/boards.ts'
import { type DoorMessages, doorMessagesFor } from '../messages/door.ts'
import { moment, pick, when } from '../messages/text.ts'
import { BoardOfPerson, boardSaid } from './board-of-person.tsx'
import { byWhom, Panel, PersonForm, type Tone } from './layout.tsx'
import type { Door } from './session.ts'

/** How long after a scan its undo stands out, in milliseconds. */
const undoStandsOut = 30_000

export type Said = { tone: Tone; panel: Child }

/** What the address of the page asks about: what was just done to somebody, or how things stand with them. */
export async function whatIsSaid(
  c: Context<App>,
  door: Door,
  person: DoorPerson | undefined,
): Promise<Said | undefined> {
  const { deps } = c.env
  const t = doorMessagesFor(c.var.locale)
  const { done, scan: asked } = c.req.query()
  if (done === 'seated') return says('in', t.panel.seated(Number(c.req.query('people')) || 1), undefined, [])
  if (done === 'nobody_seated') return says('wait', t.panel.nobodySeated, undefined, [])
  if (!person) return undefined
  const name = nameOf(person)
  if (done === 'undone' || done === 'not_in') {
    const { checkedIn } = person
    const { title, hint } =
      done === 'not_in' ? t.panel.notIn : person.walkIn && !checkedIn ? t.panel.undoneWalkIn : t.panel.undone
    const still = checkedIn && t.panel.stillIn(clock(checkedIn.at, door, c.var.locale), byWhom(checkedIn.by, t))
    return says('wait', title, name, [hint, ...(still ? [still] : [])])
  }
  if (done === 'left') return says('wait', t.panel.left.title, name, [t.panel.left.hint])
  if (done === 'not_waiting') return says('wait', t.panel.notWaiting.title, name, [t.panel.notWaiting.hint])
  const board = boardSaid(done, boardMessagesFor(c.var.locale))
  if (board) return says('in', board.title, name, board.lines, [<Remarks person={person} t={t} />, <Next t={t} />])
  const scan = isId(asked) ? await findScan(deps, door.workshop, asked) : undefined
  return personSaid(c, door, person, scan?.registration === person.id ? scan : undefined)
}

/**
 * How things stand with somebody, and what can be done.
 * @param scan what was just scanned of them
 */
export async function personSaid(c: Context<App>, door: Door, person: DoorPerson, scan?: Scan): Promise<Said> {
  const { deps } = c.env
  const { locale } = c.var
  const { workshop } = door
  const t = doorMessagesFor(locale)
  const { checkedIn } = person
  const name = nameOf(person)
  const remark = <Remarks person={person} t={t} />

  if (checkedIn) {
    const time = clock(checkedIn.at, door, locale)
    const mine = scan?.outcome === 'in' && scan.id === checkedIn.id
    const fresh = mine && deps.now().getTime() - scan.receivedAt.getTime() < undoStandsOut
    const undo = (
      <div
        class={fresh ? 'undo fresh' : 'undo'}
        data-until={fresh ? scan.receivedAt.getTime() + undoStandsOut : undefined}
      >
        <PersonForm
          action={paths.doorUndo()}
          fields={{ checkIn: checkedIn.id }}
          label={t.actions.undoOf(person.name)}
          text={t.actions.undo}
          second
        />
      </div>
    )
    const { title, hint } = mine ? t.panel.in : t.panel.again
    const board = await BoardOfPerson({ c, door, person })
    return says(
      mine ? 'in' : 'stop',
      title,
      name,
      [hint(time, byWhom(checkedIn.by, t))],
      [remark, board, <Next t={t} first={mine && !board} />, undo],
    )
  }
  if (person.status === 'confirmed' || person.status === 'offered') {
    return says(
      'ready',
      t.panel.ready.title,
      name,
      [t.panel.ready.hint],
      [
        remark,
        <div class="big">
          <PersonForm
            action={paths.doorCheckIn()}
            fields={{ id: deps.newId(), registration: person.id }}
            label={t.actions.checkInOf(person.name)}
            text={t.actions.checkIn}
          />
        </div>,
        <Next t={t} text={t.actions.back} />,
      ],
    )
  }
  if (person.standing) {
    const place = (await placeAtDoor(deps, person.id)) ?? 1
    return says(
      'wait',
      t.panel.standing.title,
      name,
      [t.panel.standing.hint(place), graceTold(workshop, locale)],
      [
        remark,
        <PersonForm
          action={paths.doorLeave()}
          fields={{ registration: person.id }}
          label={t.actions.leaveOf(person.name)}
          text={t.actions.leave}
          second
        />,
        <Next t={t} />,
      ],
    )
  }
  if (person.status === 'waitlisted') {
    return says(
      'wait',
      t.panel.waitlisted.title,
      name,
      [t.panel.waitlisted.hint, graceTold(workshop, locale)],
      [
        remark,
        <PersonForm
          action={paths.doorStand()}
          fields={{ registration: person.id }}
          label={t.actions.standOf(person.name)}
          text={t.actions.stand}
        />,
        <Next t={t} />,
      ],
    )
  }
  const { title, hint } = person.cancelledBy === 'absence' ? t.panel.absence : t.panel.cancelled
  return says(
    'wait',
    title,
    name,
    [hint],
    [
      remark,
      <p>
        <a class="button" href={`${withQuery(paths.doorPage(), { name: person.name })}#walk-in`}>
          {t.actions.walkIn}
        </a>
      </p>,
      <Next t={t} />,
    ],
  )
}

/** A ticket of another workshop: which, when and where. */
export function elsewhereSaid(
  c: Context<App>,
  workshop: Pick<Workshop, 'title' | 'city' | 'startsAt' | 'endsAt' | 'timeZone'>,
): Said {
  const { locale } = c.var
  const t = doorMessagesFor(locale)
  const { fullDate, time } = when(workshop, locale)
  return says(
    'wait',
    t.panel.elsewhere.title,
    undefined,
    [t.panel.elsewhere.hint],
    [
      <p class="who">
        {pick(workshop.title, locale)}
        <small>
          {pick(workshop.city, locale)} · {fullDate} <span>{time}</span>
        </small>
      </p>,
      <Next t={t} text={t.actions.back} />,
    ],
  )
}

/** A code that is forged, mangled or of an older ticket. */
export function notFoundSaid(c: Context<App>): Said {
  const t = doorMessagesFor(c.var.locale)
  return says(
    'wait',
    t.panel.notFound.title,
    undefined,
    [t.panel.notFound.hint],
    [<Next t={t} text={t.actions.back} />],
  )
}

function says(tone: Tone, title: string, name: string | undefined, lines: string[], children: Child[] = []): Said {
  return {
    tone,
    panel: (
      <Panel tone={tone} title={title} name={name} lines={lines}>
        {children}
      </Panel>
    ),
  }
}

function Remarks({ person, t }: { person: DoorPerson; t: DoorMessages }) {
  return <p class="remarks">{remarks(person, t).join(' · ')}</p>
}

/** @param first whether it is what most do next */
function Next({ t, text = t.actions.next, first = false }: { t: DoorMessages; text?: string; first?: boolean }) {
  return (
    <p>
      <a class={first ? 'button' : 'button second'} href={paths.doorPage()}>
        {text}
      </a>
    </p>
  )
}

function nameOf({ name, seq }: DoorPerson): string {
  return name || `#${seq}`
}

/** From when on seats of those who did not come are given away. */
function graceTold({ startsAt, graceMinutes, timeZone }: Workshop, locale: Locale): string {
  const t = doorMessagesFor(locale)
  if (graceMinutes === null) return t.panel.noGrace
  const from = new Date(startsAt.getTime() + graceMinutes * 60_000)
  return t.panel.grace(timeIn(from, timeZone))
}

/** What stands below a name. */
export function remarks(person: DoorPerson, t: DoorMessages): string[] {
  return [
    t.list.number(person.seq),
    ...(person.tail ? [t.list.tail(person.tail)] : []),
    ...(person.walkIn ? [t.list.walkIn] : []),
    ...(person.coming && !person.checkedIn ? [t.list.coming] : []),
    ...(person.status === 'offered' ? [t.list.offered] : []),
    ...(person.board ? [t.list.board(person.board.kind, person.board.serial)] : []),
  ]
}

/** A moment by the clock of the workshop, with the day where that is not the workshop's. */
export function clock(at: Date, { workshop }: Pick<Door, 'workshop'>, locale: Locale): string {
  const { timeZone, startsAt } = workshop
  if (dateIn(at, timeZone) === dateIn(startsAt, timeZone)) return timeIn(at, timeZone)
  return moment(at, timeZone, locale)
}
