import { type Context, Hono } from 'hono'
import type { App } from '../context.ts'
import { countDoor, type DoorCounts, type DoorPerson, listDoorPeople, searchDoorPeople } from '../domain/check-ins.ts'
import { readSearch } from '../domain/plain-text.ts'
import { paths, withQuery } from '../links.ts'
import { type DoorMessages, doorMessagesFor } from '../messages/door.ts'
import { day, pick } from '../messages/text.ts'
import { byWhom, closedDoorPage, doorPage, PersonForm } from './layout.tsx'
import { clock, remarks, whatIsSaid } from './panel.tsx'
import { type Door, doorOf } from './session.ts'
import { WalkInForm, type WalkInMistake } from './walk-in-form.tsx'

/** The page that a helper works on. */
export const listPages = new Hono<App>()

listPages.get('/door', async (c) => (c.get('door') ? listPage(c) : closedDoorPage(c)))

/** @param mistake what was typed for a walk-in and could not be taken */
export async function listPage(c: Context<App>, mistake?: WalkInMistake): Promise<Response> {
  const { deps } = c.env
  const { locale } = c.var
  const t = doorMessagesFor(locale)
  const door = await doorOf(c)
  const { session, workshop } = door
  const [people, counts] = await Promise.all([listDoorPeople(deps, workshop), countDoor(deps, workshop)])
  const search = readSearch(c.req.query('q')) ?? ''
  const found = searchDoorPeople(people, search)
  const chosen = people.find(({ id }) => id === c.req.query('person'))
  const said = mistake ? undefined : await whatIsSaid(c, door, chosen)
  const title = t.titleOf(pick(workshop.city, locale), day(workshop.startsAt, workshop.timeZone, locale))
  return doorPage(
    c,
    {
      title,
      tone: said?.tone,
      top: t.as(session.name, clock(session.expiresAt, door, locale)),
      status: mistake ? (mistake.problems ? 422 : 409) : 200,
    },
    <>
      {said?.panel}
      {said ? <h2 class="event">{title}</h2> : <h1 class="event">{title}</h1>}
      <Counts counts={counts} t={t} />
      <div id="scanner">
        <p class="hint">{t.scanner}</p>
      </div>
      <SearchForm search={search} found={found.length} t={t} />
      <People people={found} all={people.length} door={door} c={c} t={t} />
      <WalkInForm
        workshop={workshop}
        counts={counts}
        now={deps.now()}
        nonce={deps.newId()}
        name={c.req.query('name') ?? ''}
        mistake={mistake}
        locale={locale}
      />
    </>,
  )
}

function Counts({ counts, t }: { counts: DoorCounts; t: DoorMessages }) {
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

function SearchForm({ search, found, t }: { search: string; found: number; t: DoorMessages }) {
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
          {found > 0 ? t.search.found(found) : t.search.none} <a href={paths.doorPage()}>{t.search.all}</a>
        </p>
      )}
    </form>
  )
}

/** In the order in which a helper needs them: who stands there, who is expected, who is in, and the rest. */
function People({
  people,
  all,
  door,
  c,
  t,
}: {
  people: readonly DoorPerson[]
  all: number
  door: Door
  c: Context<App>
  t: DoorMessages
}) {
  if (all === 0) return <p class="lead">{t.list.empty}</p>
  const groups = Object.groupBy(people, groupOf)
  return (
    <div id="people">
      {(['standing', 'expected', 'in', 'waiting', 'cancelled'] as const).map((group) => {
        const some = groups[group] ?? []
        return (
          some.length > 0 && (
            <section>
              <h2>
                {t.list[group]} <span class="soft">{some.length}</span>
              </h2>
              {group === 'standing' && (
                <PersonForm action={paths.doorSeat()} fields={{}} label={t.actions.seat} text={t.actions.seat} second />
              )}
              <ul class="people">
                {some.map((person) => (
                  <PersonLine person={person} group={group} door={door} c={c} t={t} />
                ))}
              </ul>
            </section>
          )
        )
      })}
    </div>
  )
}

type Group = 'standing' | 'expected' | 'in' | 'waiting' | 'cancelled'

function groupOf({ status, standing, checkedIn }: DoorPerson): Group {
  if (checkedIn) return 'in'
  if (standing) return 'standing'
  return status === 'waitlisted' ? 'waiting' : status === 'cancelled' ? 'cancelled' : 'expected'
}

function PersonLine({
  person,
  group,
  door,
  c,
  t,
}: {
  person: DoorPerson
  group: Group
  door: Door
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
        <small>{remarks(person, t).join(' · ')}</small>
        {checkedIn && <small>{t.list.since(clock(checkedIn.at, door, c.var.locale), byWhom(checkedIn.by, t))}</small>}
      </a>
      {group === 'expected' && (
        <PersonForm
          action={paths.doorCheckIn()}
          fields={{ id: c.env.deps.newId(), registration: person.id }}
          label={t.actions.checkInOf(name)}
          text={t.actions.checkIn}
        />
      )}
      {checkedIn && (
        <PersonForm
          action={paths.doorUndo()}
          fields={{ checkIn: checkedIn.id }}
          label={t.actions.undoOf(name)}
          text={t.actions.undo}
          second
        />
      )}
      {group === 'waiting' && (
        <PersonForm
          action={paths.doorStand()}
          fields={{ registration: person.id }}
          label={t.actions.standOf(name)}
          text={t.actions.stand}
          second
        />
      )}
      {group === 'standing' && (
        <PersonForm
          action={paths.doorLeave()}
          fields={{ registration: person.id }}
          label={t.actions.leaveOf(name)}
          text={t.actions.leave}
          second
        />
      )}
    </li>
  )
}
