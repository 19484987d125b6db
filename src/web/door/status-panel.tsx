import type { Context } from 'hono'
import type { Child } from 'hono/jsx'
import { type DoorPerson, findScan, type Scan } from '../../domain/door/check-ins.ts'
import { doorQueuePosition } from '../../domain/door/walk-ins.ts'
import type { Workshop } from '../../domain/workshops/workshops.ts'
import type { App } from '../../http/context.ts'
import { isUuid } from '../../http/form-body.ts'
import { paths, withQuery } from '../../http/links.ts'
import { boardMessages } from '../../i18n/boards.ts'
import { type DoorMessages, doorMessages } from '../../i18n/door.ts'
import { formatDateRange, formatDateTime, localize } from '../../i18n/format.ts'
import type { Locale } from '../../lib/config.ts'
import { localDate, localTime } from '../../lib/time-zones.ts'
import { actorLabel, PersonActionForm, type Severity, StatusPanel } from './layout.tsx'
import { boardResult, PersonBoard } from './person-board.tsx'
import type { DoorContext } from './session.ts'

const undoHighlightMs = 30_000

export type StatusMessage = { severity: Severity; panel: Child }

/** Status for the person and action in the query string. */
export async function statusFromQuery(
  c: Context<App>,
  door: DoorContext,
  person: DoorPerson | undefined,
): Promise<StatusMessage | undefined> {
  const { deps } = c.env
  const t = doorMessages(c.var.locale)
  const { done, scan: scanId } = c.req.query()
  if (done === 'seated') return createStatus('in', t.panel.seated(Number(c.req.query('people')) || 1), undefined, [])
  if (done === 'nobody_seated') return createStatus('wait', t.panel.nobodySeated, undefined, [])
  if (!person) return undefined
  const name = displayName(person)
  if (done === 'undone' || done === 'not_in') {
    const { checkedIn } = person
    const { title, hint } =
      done === 'not_in' ? t.panel.notIn : person.walkIn && !checkedIn ? t.panel.undoneWalkIn : t.panel.undone
    const stillCheckedIn =
      checkedIn && t.panel.stillIn(formatDoorTime(checkedIn.at, door, c.var.locale), actorLabel(checkedIn.by, t))
    return createStatus('wait', title, name, [hint, ...(stillCheckedIn ? [stillCheckedIn] : [])])
  }
  if (done === 'left') return createStatus('wait', t.panel.left.title, name, [t.panel.left.hint])
  if (done === 'not_waiting') return createStatus('wait', t.panel.notWaiting.title, name, [t.panel.notWaiting.hint])
  const board = boardResult(done, boardMessages(c.var.locale))
  if (board)
    return createStatus('in', board.title, name, board.lines, [
      <PersonNotes person={person} t={t} />,
      <NextLink t={t} />,
    ])
  const scan = isUuid(scanId) ? await findScan(deps, door.workshop, scanId) : undefined
  return personStatus(c, door, person, scan?.registration === person.id ? scan : undefined)
}

/**
 * The status of a person, with the possible actions.
 * @param scan the scan that led here
 */
export async function personStatus(
  c: Context<App>,
  door: DoorContext,
  person: DoorPerson,
  scan?: Scan,
): Promise<StatusMessage> {
  const { deps } = c.env
  const { locale } = c.var
  const { workshop } = door
  const t = doorMessages(locale)
  const { checkedIn } = person
  const name = displayName(person)
  const notes = <PersonNotes person={person} t={t} />

  if (checkedIn) {
    const time = formatDoorTime(checkedIn.at, door, locale)
    const isThisScan = scan?.outcome === 'in' && scan.id === checkedIn.id
    const isRecent = isThisScan && deps.now().getTime() - scan.receivedAt.getTime() < undoHighlightMs
    const undo = (
      <div
        class={isRecent ? 'undo fresh' : 'undo'}
        data-until={isRecent ? scan.receivedAt.getTime() + undoHighlightMs : undefined}
      >
        <PersonActionForm
          action={paths.doorUndo()}
          fields={{ checkIn: checkedIn.id }}
          label={t.actions.undoOf(person.name)}
          text={t.actions.undo}
          second
        />
      </div>
    )
    const { title, hint } = isThisScan ? t.panel.in : t.panel.again
    const board = await PersonBoard({ c, door, person })
    return createStatus(
      isThisScan ? 'in' : 'stop',
      title,
      name,
      [hint(time, actorLabel(checkedIn.by, t))],
      [notes, board, <NextLink t={t} primary={isThisScan && !board} />, undo],
    )
  }
  if (person.status === 'confirmed' || person.status === 'offered') {
    return createStatus(
      'ready',
      t.panel.ready.title,
      name,
      [t.panel.ready.hint],
      [
        notes,
        <div class="big">
          <PersonActionForm
            action={paths.doorCheckIn()}
            fields={{ id: deps.newId(), registration: person.id }}
            label={t.actions.checkInOf(person.name)}
            text={t.actions.checkIn}
          />
        </div>,
        <NextLink t={t} text={t.actions.back} />,
      ],
    )
  }
  if (person.standing) {
    const position = (await doorQueuePosition(deps, person.id)) ?? 1
    return createStatus(
      'wait',
      t.panel.standing.title,
      name,
      [t.panel.standing.hint(position), graceText(workshop, locale)],
      [
        notes,
        <PersonActionForm
          action={paths.doorQueueLeave()}
          fields={{ registration: person.id }}
          label={t.actions.leaveOf(person.name)}
          text={t.actions.leave}
          second
        />,
        <NextLink t={t} />,
      ],
    )
  }
  if (person.status === 'waitlisted') {
    return createStatus(
      'wait',
      t.panel.waitlisted.title,
      name,
      [t.panel.waitlisted.hint, graceText(workshop, locale)],
      [
        notes,
        <PersonActionForm
          action={paths.doorQueueJoin()}
          fields={{ registration: person.id }}
          label={t.actions.standOf(person.name)}
          text={t.actions.stand}
        />,
        <NextLink t={t} />,
      ],
    )
  }
  const { title, hint } = person.cancelledBy === 'absence' ? t.panel.absence : t.panel.cancelled
  return createStatus(
    'wait',
    title,
    name,
    [hint],
    [
      notes,
      <p>
        <a class="button" href={`${withQuery(paths.doorPage(), { name: person.name })}#walk-in`}>
          {t.actions.walkIn}
        </a>
      </p>,
      <NextLink t={t} />,
    ],
  )
}

export function otherWorkshopStatus(
  c: Context<App>,
  workshop: Pick<Workshop, 'title' | 'city' | 'startsAt' | 'endsAt' | 'timeZone'>,
): StatusMessage {
  const { locale } = c.var
  const t = doorMessages(locale)
  const { fullDate, time } = formatDateRange(workshop, locale)
  return createStatus(
    'wait',
    t.panel.elsewhere.title,
    undefined,
    [t.panel.elsewhere.hint],
    [
      <p class="who">
        {localize(workshop.title, locale)}
        <small>
          {localize(workshop.city, locale)} · {fullDate} <span>{time}</span>
        </small>
      </p>,
      <NextLink t={t} text={t.actions.back} />,
    ],
  )
}

/** For codes that are forged, damaged or of an outdated ticket. */
export function unknownCodeStatus(c: Context<App>): StatusMessage {
  const t = doorMessages(c.var.locale)
  return createStatus(
    'wait',
    t.panel.notFound.title,
    undefined,
    [t.panel.notFound.hint],
    [<NextLink t={t} text={t.actions.back} />],
  )
}

function createStatus(
  severity: Severity,
  title: string,
  name: string | undefined,
  lines: string[],
  children: Child[] = [],
): StatusMessage {
  return {
    severity,
    panel: (
      <StatusPanel severity={severity} title={title} name={name} lines={lines}>
        {children}
      </StatusPanel>
    ),
  }
}

function PersonNotes({ person, t }: { person: DoorPerson; t: DoorMessages }) {
  return <p class="remarks">{personNotes(person, t).join(' · ')}</p>
}

function NextLink({
  t,
  text = t.actions.next,
  primary = false,
}: {
  t: DoorMessages
  text?: string
  primary?: boolean
}) {
  return (
    <p>
      <a class={primary ? 'button' : 'button second'} href={paths.doorPage()}>
        {text}
      </a>
    </p>
  )
}

function displayName({ name, seq }: DoorPerson): string {
  return name || `#${seq}`
}

/** When no-shows' seats are released. */
function graceText({ startsAt, graceMinutes, timeZone }: Workshop, locale: Locale): string {
  const t = doorMessages(locale)
  if (graceMinutes === null) return t.panel.noGrace
  const from = new Date(startsAt.getTime() + graceMinutes * 60_000)
  return t.panel.grace(localTime(from, timeZone))
}

/** Remarks below a person's name. */
export function personNotes(person: DoorPerson, t: DoorMessages): string[] {
  return [
    t.list.number(person.seq),
    ...(person.tail ? [t.list.tail(person.tail)] : []),
    ...(person.walkIn ? [t.list.walkIn] : []),
    ...(person.coming && !person.checkedIn ? [t.list.coming] : []),
    ...(person.status === 'offered' ? [t.list.offered] : []),
    ...(person.board ? [t.list.board(person.board.kind, person.board.serial)] : []),
  ]
}

/** Time of day in the workshop's time zone, with the date if it is not the workshop's first day. */
export function formatDoorTime(at: Date, { workshop }: Pick<DoorContext, 'workshop'>, locale: Locale): string {
  const { timeZone, startsAt } = workshop
  if (localDate(at, timeZone) === localDate(startsAt, timeZone)) return localTime(at, timeZone)
  return formatDateTime(at, timeZone, locale)
}
