import { type Context, Hono } from 'hono'
import { countDoorPeople, type DoorCounts, type DoorPerson, listDoorPeople } from '../../domain/door/check-ins.ts'
import { searchDoorPeople } from '../../domain/door/search.ts'
import { admitWalkIn, parseWalkIn, seatDoorQueue } from '../../domain/door/walk-ins.ts'
import type { App } from '../../http/context.ts'
import { parseFormBody, uuidField } from '../../http/form-body.ts'
import { paths, withQuery } from '../../http/links.ts'
import { type DoorMessages, doorMessages } from '../../i18n/door.ts'
import { formatDay, localize } from '../../i18n/format.ts'
import { parseSearch } from '../../lib/text.ts'
import { actorLabel, doorPage, PersonActionForm, sessionRequiredPage } from './layout.tsx'
import { type DoorContext, requireDoorSession } from './session.ts'
import { formatDoorTime, personNotes, statusFromQuery } from './status-panel.tsx'
import { type RejectedWalkIn, WalkInForm } from './walk-in-form.tsx'

/** The door's main page: status, search, people, walk-in form. */
export const doorListPages = new Hono<App>()

doorListPages.get('/door', async (c) => (c.get('door') ? doorListPage(c) : sessionRequiredPage(c)))

doorListPages.post('/door/walk-in', async (c) => {
  const { deps } = c.env
  const { actor, workshop } = await requireDoorSession(c)
  const { id, name, phone } = await parseFormBody(c)
  const values = { name: asString(name), phone: asString(phone) }
  const parsed = parseWalkIn(values, workshop)
  if ('problems' in parsed) return doorListPage(c, { values, problems: parsed.problems })
  const nonce = uuidField.safeParse(id).data ?? deps.newId()
  await seatDoorQueue(deps, actor)
  const result = await admitWalkIn(deps, actor, parsed.walkIn, nonce, deps.now())
  if (!('registration' in result)) return doorListPage(c, { values, refusal: result.outcome })
  await seatDoorQueue(deps, actor)
  return c.redirect(withQuery(paths.doorPage(), { person: result.registration, scan: nonce }), 303)
})

const asString = (value: unknown) => (typeof value === 'string' ? value : '')

/** @param rejected a walk-in form to render again */
export async function doorListPage(c: Context<App>, rejected?: RejectedWalkIn): Promise<Response> {
  const { deps } = c.env
  const { locale } = c.var
  const t = doorMessages(locale)
  const door = await requireDoorSession(c)
  const { session, workshop } = door
  const [people, counts] = await Promise.all([listDoorPeople(deps, workshop), countDoorPeople(deps, workshop)])
  const search = parseSearch(c.req.query('q')) ?? ''
  const matches = searchDoorPeople(people, search)
  const selected = people.find(({ id }) => id === c.req.query('person'))
  const status = rejected ? undefined : await statusFromQuery(c, door, selected)
  const title = t.titleOf(localize(workshop.city, locale), formatDay(workshop.startsAt, workshop.timeZone, locale))
  return doorPage(
    c,
    {
      title,
      severity: status?.severity,
      header: t.as(session.name, formatDoorTime(session.expiresAt, door, locale)),
      status: rejected ? (rejected.problems ? 422 : 409) : 200,
    },
    <>
      {status?.panel}
      {status ? <h2 class="event">{title}</h2> : <h1 class="event">{title}</h1>}
      <DoorCountsLine counts={counts} t={t} />
      <div id="scanner">
        <p class="hint">{t.scanner}</p>
      </div>
      <SearchForm search={search} matchCount={matches.length} t={t} />
      <PeopleGroups people={matches} total={people.length} door={door} c={c} t={t} />
      <WalkInForm
        workshop={workshop}
        counts={counts}
        now={deps.now()}
        nonce={deps.newId()}
        name={c.req.query('name') ?? ''}
        rejected={rejected}
        locale={locale}
      />
    </>,
  )
}

function DoorCountsLine({ counts, t }: { counts: DoorCounts; t: DoorMessages }) {
  return (
    <p class="counts" id="counts">
      <span>
        {t.counts.in} <b>{t.counts.of(counts.in, counts.seats)}</b>
      </span>
      {counts.walkIns > 0 && <span>{t.counts.walkIns(counts.walkIns)}</span>}
      {counts.standing > 0 && <span>{t.counts.standing(counts.standing)}</span>}
    </p>
  )
}

function SearchForm({ search, matchCount, t }: { search: string; matchCount: number; t: DoorMessages }) {
  return (
    <form class="search" action={paths.doorPage()}>
      <label for="q">{t.search.label}</label>
      <div class="with-button">
        <input
          id="q"
          name="q"
          type="search"
          value={search}
          autocomplete="off"
          autocapitalize="off"
          enterkeyhint="search"
          aria-describedby="q-hint"
        />
        <button type="submit" class="second">
          {t.search.submit}
        </button>
      </div>
      <small id="q-hint">{t.search.hint}</small>
      {search && (
        <p class="found" role="status">
          {matchCount > 0 ? t.search.found(matchCount) : t.search.none} <a href={paths.doorPage()}>{t.search.all}</a>
        </p>
      )}
    </form>
  )
}

/** People by group, in the order of a helper's work: door queue, expected, checked in, waitlisted, cancelled. */
function PeopleGroups({
  people,
  total,
  door,
  c,
  t,
}: {
  people: readonly DoorPerson[]
  total: number
  door: DoorContext
  c: Context<App>
  t: DoorMessages
}) {
  if (total === 0) return <p class="lead">{t.list.empty}</p>
  const groups = Object.groupBy(people, classifyPerson)
  return (
    <div id="people">
      {(['standing', 'expected', 'in', 'waiting', 'cancelled'] as const).map((group) => {
        const members = groups[group] ?? []
        return (
          members.length > 0 && (
            <section>
              <h2>
                {t.list[group]} <span class="soft">{members.length}</span>
              </h2>
              {group === 'standing' && (
                <PersonActionForm
                  action={paths.doorSeat()}
                  fields={{}}
                  label={t.actions.seat}
                  text={t.actions.seat}
                  second
                />
              )}
              <ul class="people">
                {members.map((person) => (
                  <PersonRow person={person} group={group} door={door} c={c} t={t} />
                ))}
              </ul>
            </section>
          )
        )
      })}
    </div>
  )
}

type DoorGroup = 'standing' | 'expected' | 'in' | 'waiting' | 'cancelled'

function classifyPerson({ status, standing, checkedIn }: DoorPerson): DoorGroup {
  if (checkedIn) return 'in'
  if (standing) return 'standing'
  return status === 'waitlisted' ? 'waiting' : status === 'cancelled' ? 'cancelled' : 'expected'
}

function PersonRow({
  person,
  group,
  door,
  c,
  t,
}: {
  person: DoorPerson
  group: DoorGroup
  door: DoorContext
  c: Context<App>
  t: DoorMessages
}) {
  const { checkedIn, name } = person
  return (
    <li>
      <a class="name" href={withQuery(paths.doorPage(), { person: person.id })}>
        {group === 'in' && (
          <span class="sign" aria-hidden="true">
            ✓
          </span>
        )}
        {name}
        <small>{personNotes(person, t).join(' · ')}</small>
        {checkedIn && (
          <small>{t.list.since(formatDoorTime(checkedIn.at, door, c.var.locale), actorLabel(checkedIn.by, t))}</small>
        )}
      </a>
      {group === 'expected' && (
        <PersonActionForm
          action={paths.doorCheckIn()}
          fields={{ id: c.env.deps.newId(), registration: person.id }}
          label={t.actions.checkInOf(name)}
          text={t.actions.checkIn}
        />
      )}
      {checkedIn && (
        <PersonActionForm
          action={paths.doorUndo()}
          fields={{ checkIn: checkedIn.id }}
          label={t.actions.undoOf(name)}
          text={t.actions.undo}
          second
        />
      )}
      {group === 'waiting' && (
        <PersonActionForm
          action={paths.doorQueueJoin()}
          fields={{ registration: person.id }}
          label={t.actions.standOf(name)}
          text={t.actions.stand}
          second
        />
      )}
      {group === 'standing' && (
        <PersonActionForm
          action={paths.doorQueueLeave()}
          fields={{ registration: person.id }}
          label={t.actions.leaveOf(name)}
          text={t.actions.leave}
          second
        />
      )}
    </li>
  )
}
