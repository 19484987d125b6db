import { type Context, Hono } from 'hono'
import type { Child } from 'hono/jsx'
import { actorOf } from '../audited.ts'
import type { App } from '../context.ts'
import { findCampaign } from '../domain/campaigns.ts'
import { checkIn, findDoorPerson, undoCheckIns } from '../domain/check-ins.ts'
import { saidComing } from '../domain/coming.ts'
import {
  confirmPerson,
  correctPerson,
  findPerson,
  lookUpPerson,
  type Person,
  type PersonEvent,
  sendPersonAgain,
} from '../domain/person.ts'
import { askedOf } from '../domain/readiness.ts'
import { type FieldProblem, parseSignUp } from '../domain/registrations.ts'
import { minuteIn } from '../domain/time-zones.ts'
import { cameToTheDoor } from '../domain/walk-ins.ts'
import { findWorkshopById, type Workshop } from '../domain/workshops.ts'
import { isId, readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import type { ConsoleMessages } from '../messages/console.zh-CN.ts'
import { doorMessagesFor } from '../messages/door.ts'
import { messagesFor } from '../messages/messages.ts'
import { type PeopleMessages, peopleMessagesFor } from '../messages/people.ts'
import { pick } from '../messages/text.ts'
import { ConfirmField, isConfirmed } from './confirmation.tsx'
import { Problems } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { Status, workshopName } from './people.tsx'
import { PersonFields, type PersonTyped, Refused, readPersonFields, sayProblems } from './person-fields.tsx'

/** One person: what is known, what happened, and what can be done at once. */
export const personPages = new Hono<App>()

personPages.get('/console/people/:id', async (c) => {
  const person = await lookUpPerson(c.env.deps, actorOf(c), idOf(c))
  return person ? personPage(c, person) : c.notFound()
})

personPages.post('/console/people/:id/edit', async (c) => {
  const person = await personOf(c)
  if (!person) return c.notFound()
  const t = peopleMessagesFor(c.var.locale)
  const typed = readPersonFields(await readFormBody(c))
  // Who was registered has agreed to the notice, and a phone that is not asked for is left as it is.
  // Who came without having signed up may stay without an address: one is checked in its place.
  const noAddress = person.email === '' && typed.email.trim() === ''
  const checked = { ...typed, ...(noAddress && { email: 'nobody@example.com' }), consent: true }
  const parsed = parseSignUp(checked, { ...person.workshop, items: [] }, person.locale)
  if ('problems' in parsed) return personPage(c, person, { status: 422, typed, problems: parsed.problems })
  const { name, company } = parsed.signUp
  const email = noAddress ? '' : parsed.signUp.email
  const phone = person.workshop.phone === 'no' ? person.phone : parsed.signUp.phone
  const outcome = await correctPerson(c.env.deps, actorOf(c), person, { name, email, phone, company })
  if (outcome.kind === 'refused') {
    return personPage(c, person, { status: 409, typed, refusal: t.emailRefusals[outcome.refusal] })
  }
  return done(c, person.id, outcome.fields.length > 0 ? 'saved' : 'unchanged')
})

personPages.post('/console/people/:id/confirm', async (c) => {
  const person = await personOf(c)
  if (!person) return c.notFound()
  if (!(await isConfirmed(c))) return personPage(c, person)
  const outcome = await confirmPerson(c.env.deps, actorOf(c), person)
  if (outcome === 'taken' || outcome === 'already_taken') return done(c, person.id, 'confirmed')
  return personPage(c, person, { status: 409, refusal: peopleMessagesFor(c.var.locale).offerRefusals[outcome] })
})

personPages.post('/console/people/:id/check-in', async (c) => {
  const person = await personOf(c)
  if (!person) return c.notFound()
  if (!(await isConfirmed(c))) return personPage(c, person)
  const { deps } = c.env
  const [result] = await checkIn(deps, { name: actorOf(c).name, workshopId: person.workshop.id }, [
    { id: deps.newId(), registration: person.id, at: deps.now() },
  ])
  if (result?.outcome === 'in' || result?.outcome === 'again') return done(c, person.id, 'checkedIn')
  return personPage(c, person, { status: 409, refusal: doorMessagesFor(c.var.locale).console.notCheckedIn })
})

personPages.post('/console/people/:id/undo', async (c) => {
  const person = await personOf(c)
  if (!person) return c.notFound()
  if (!(await isConfirmed(c))) return personPage(c, person)
  const { deps } = c.env
  const checkedIn = (await findDoorPerson(deps, person.workshop, person.id))?.checkedIn
  if (checkedIn) {
    const door = { name: actorOf(c).name, workshopId: person.workshop.id }
    await undoCheckIns(deps, door, [{ id: deps.newId(), checkIn: checkedIn.id, at: deps.now() }])
  }
  return done(c, person.id, 'undone')
})

personPages.post('/console/people/:id/mails/:mail/send-again', async (c) => {
  const person = await personOf(c)
  const mail = c.req.param('mail')
  if (!person || !/^\d{1,15}$/.test(mail)) return c.notFound()
  if (!(await isConfirmed(c))) return personPage(c, person)
  const outcome = await sendPersonAgain(c.env.deps, actorOf(c), person, Number(mail))
  return outcome === 'not_found' ? c.notFound() : done(c, person.id, outcome)
})

/** What can have been done just now, as the address of the page says it. */
const doneJustNow = [
  'saved',
  'unchanged',
  'cancelled',
  'moved',
  'promoted',
  'confirmed',
  'added',
  'owed',
  'not_dead',
  'message_paused',
  'checkedIn',
  'undone',
] as const

/** Back to the person's page, which says what was done. */
export function done(c: Context<App>, id: string, what: (typeof doneJustNow)[number]): Response {
  return c.redirect(withQuery(paths.person(id), { done: what }), 303)
}

/** The id in the path, or one that nobody has. */
function idOf(c: Context<App>): string {
  const id = c.req.param('id') ?? ''
  return isId(id) ? id : '00000000-0000-0000-0000-000000000000'
}

/** The person in the path, or undefined. */
export function personOf(c: Context<App>): Promise<Person | undefined> {
  return findPerson(c.env.deps, idOf(c))
}

/** What went wrong with what the organiser wanted to change. */
type PersonMistake = { status: 409 | 422; typed?: PersonTyped; problems?: FieldProblem[]; refusal?: string }

async function personPage(c: Context<App>, person: Person, mistake?: PersonMistake) {
  const t = peopleMessagesFor(c.var.locale)
  const { workshop } = person
  const workshops = await workshopsOf(c, person)
  const what = doneJustNow.find((known) => known === c.req.query('done'))
  const problems = sayProblems(mistake?.problems ?? [], c.var.locale)
  const typed = mistake?.typed ?? {
    name: person.name,
    email: person.email,
    phone: person.phone ?? '',
    company: person.company ?? '',
  }
  return consolePage(
    c,
    {
      title: `${person.name} · ${workshopName(c, workshop)}`,
      section: 'campaigns',
      back: { href: paths.workshopPeople(workshop.slug), text: workshopName(c, workshop) },
      done: what && !mistake ? { ...t.person, ...doorMessagesFor(c.var.locale).console }[what] : undefined,
      status: mistake?.status,
    },
    <>
      {mistake?.refusal && <Refused title={t.person.refused}>{mistake.refusal}</Refused>}
      <Problems problems={problems} t={consoleMessagesFor(c.var.locale)} />
      <h1>{person.name}</h1>
      <p class="lead">
        <Status status={person.status} position={person.position} t={t} /> {t.person.number(person.seq)}
        {person.outOfTurn && ` · ${t.person.outOfTurn}`}
        {person.offeredUntil && ` · ${t.person.offeredUntil(minuteIn(person.offeredUntil, workshop.timeZone))}`}
      </p>
      <Actions person={person} others={workshops.length > 1} t={t} />
      <Facts c={c} person={person} t={t} />
      {await attendance(c, person)}
      <details open={mistake?.typed !== undefined}>
        <summary>{t.person.edit}</summary>
        <form class="narrow" method="post" action={paths.personEdit(person.id)} novalidate>
          <PersonFields typed={typed} problems={problems} phone={workshop.phone} locale={c.var.locale} />
          <p class="hint">{t.person.editHint}</p>
          <button type="submit">{t.person.save}</button>
        </form>
      </details>
      <h2>{t.person.history}</h2>
      <ol class="history">
        {person.history.map((event) => (
          <Event c={c} event={event} workshop={workshop} workshops={workshops} t={t} />
        ))}
      </ol>
      <h2>{t.person.mails}</h2>
      <Mails person={person} kinds={consoleMessagesFor(c.var.locale).mailKinds} t={t} />
      {person.elsewhere.length > 0 && (
        <>
          <h2>{t.person.elsewhere}</h2>
          <ul class="rows">
            {
              await Promise.all(
                person.elsewhere.map(async (other) => {
                  const there =
                    workshops.find(({ id }) => id === other.workshopId) ??
                    (await findWorkshopById(c.env.deps, other.workshopId))
                  return (
                    <li>
                      <a href={paths.person(other.id)}>{there && workshopName(c, there)}</a>{' '}
                      <Status status={other.status} position={null} t={t} />
                    </li>
                  )
                }),
              )
            }
          </ul>
        </>
      )}
    </>,
  )
}

/** All workshops of the person's campaign, or their only one. */
export async function workshopsOf(c: Context<App>, { workshop }: Person): Promise<Workshop[]> {
  const campaign = workshop.campaign && (await findCampaign(c.env.deps, workshop.campaign.slug))
  return campaign ? campaign.workshops : [workshop]
}

function Actions({ person, others, t }: { person: Person; others: boolean; t: PeopleMessages }) {
  const { id, status } = person
  const erase = <a href={paths.personErase(id)}>{t.erase.link}</a>
  if (status === 'cancelled') return <nav class="ways">{erase}</nav>
  return (
    <nav class="ways" aria-label={t.person.actions}>
      {status === 'offered' && (
        <form method="post" action={paths.personConfirm(id)}>
          <ConfirmField />
          <button type="submit" class="second">
            {t.confirm.submit}
          </button>
        </form>
      )}
      {status === 'waitlisted' && <a href={paths.personPromote(id)}>{t.promote.link}</a>}
      {others && <a href={paths.personMove(id)}>{t.move.link}</a>}
      <a href={paths.personCancel(id)}>{t.cancel.link}</a>
      {erase}
    </nav>
  )
}

function Facts({ c, person, t }: { c: Context<App>; person: Person; t: PeopleMessages }) {
  const { fields } = messagesFor(c.var.locale)
  const { workshop, ready } = person
  const asked = askedOf(workshop)
  const said = (id: string) => t.person.said[id in ready ? (ready[id] ? 'yes' : 'no') : 'nothing']
  return (
    <dl class="facts-list">
      <Fact name={t.columns.workshop}>
        <a href={paths.workshopPeople(workshop.slug)}>{workshopName(c, workshop)}</a>
      </Fact>
      <Fact name={fields.email}>
        {person.email ? (
          <a href={`mailto:${person.email}`}>{person.email}</a>
        ) : (
          doorMessagesFor(c.var.locale).console.noEmail
        )}
      </Fact>
      <Fact name={fields.phone}>{person.phone && <a href={`tel:${person.phone}`}>{person.phone}</a>}</Fact>
      <Fact name={fields.company}>{person.company}</Fact>
      <Fact name={t.columns.time}>{minuteIn(person.createdAt, workshop.timeZone)}</Fact>
      <Fact name={t.person.channel}>
        {person.channel ?? (cameToTheDoor(person) ? doorMessagesFor(c.var.locale).list.walkIn : t.person.noChannel)}
      </Fact>
      <Fact name={t.person.language}>{t.person.languages[person.locale] ?? person.locale}</Fact>
      <Fact name={t.person.consent}>
        {t.person.consentAt(person.consentVersion, minuteIn(person.consentAt, workshop.timeZone))}
      </Fact>
      {person.status === 'confirmed' && (
        <Fact name={t.columns.coming}>{saidComing(person, workshop) ? t.comings.yes : t.person.said.nothing}</Fact>
      )}
      {asked.map((item) => (
        <Fact name={pick(item.text, c.var.locale)}>{said(item.id)}</Fact>
      ))}
    </dl>
  )
}

/** Whether they came, and the button for what is not so yet. */
async function attendance(c: Context<App>, { id, status, workshop }: Person): Promise<Child> {
  const t = doorMessagesFor(c.var.locale)
  const checkedIn = (await findDoorPerson(c.env.deps, workshop, id))?.checkedIn
  if (!checkedIn && status !== 'confirmed' && status !== 'offered') return null
  return (
    <form class="attendance" method="post" action={checkedIn ? paths.personUndo(id) : paths.personCheckIn(id)}>
      <ConfirmField />
      <p>
        {checkedIn
          ? `${t.console.came} · ${t.list.since(minuteIn(checkedIn.at, workshop.timeZone), checkedIn.by || t.byItself)}`
          : t.console.notYet}
      </p>
      <button type="submit" class="second">
        {checkedIn ? t.console.undo : t.console.checkIn}
      </button>
    </form>
  )
}

function Fact({ name, children }: { name: Child; children?: Child }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children || '–'}</dd>
    </>
  )
}

function Event({
  c,
  event,
  workshop,
  workshops,
  t,
}: {
  c: Context<App>
  event: PersonEvent
  workshop: Workshop
  workshops: readonly Workshop[]
  t: PeopleMessages
}) {
  return (
    <li>
      <time datetime={event.at.toISOString()}>{minuteIn(event.at, workshop.timeZone)}</time>
      <span>
        {sayEvent(c, event, workshops, t)}
        {event.actor && <small>{t.events.by(event.actor)}</small>}
        {event.kind === 'seated' && event.reason && <small>{t.events.because(event.reason)}</small>}
      </span>
    </li>
  )
}

function sayEvent(c: Context<App>, event: PersonEvent, workshops: readonly Workshop[], t: PeopleMessages): string {
  const { fields } = messagesFor(c.var.locale)
  switch (event.kind) {
    case 'signed_up':
      return t.events.signed_up[event.status]
    case 'moved': {
      const from = workshops.find(({ id }) => id === event.from)
      return t.events.moved(from ? workshopName(c, from) : t.events.elsewhere)
    }
    case 'changed':
      return t.events.changed(
        event.fields.map((field) => fields[field] ?? field).join(c.var.locale === 'en' ? ', ' : '、'),
      )
    case 'cancelled':
      return t.events.cancelled[event.by ?? 'unknown']
    default:
      return t.events[event.kind]
  }
}

function Mails({ person, kinds, t }: { person: Person; kinds: ConsoleMessages['mailKinds']; t: PeopleMessages }) {
  if (person.mails.length === 0) return <p>{t.person.noMails}</p>
  return (
    <ul class="history">
      {person.mails.map(({ id, kind, state, createdAt, sentAt, reason }) => (
        <li>
          <time datetime={(sentAt ?? createdAt).toISOString()}>
            {minuteIn(sentAt ?? createdAt, person.workshop.timeZone)}
          </time>
          <span>
            {kinds[kind]} · <span class={state === 'dead' ? 'failed' : undefined}>{t.mailStates[state]}</span>
            {reason && <small>{reason}</small>}
          </span>
          {state === 'dead' && (
            <form method="post" action={paths.personMail(person.id, id)}>
              <ConfirmField />
              <button type="submit" class="small second">
                {t.person.sendAgain}
              </button>
            </form>
          )}
        </li>
      ))}
    </ul>
  )
}
