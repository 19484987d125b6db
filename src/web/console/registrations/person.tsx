import { type Context, Hono } from 'hono'
import type { Child } from 'hono/jsx'
import { checkIn, findDoorPerson, undoCheckIns } from '../../../domain/door/check-ins.ts'
import { isWalkIn } from '../../../domain/door/walk-ins.ts'
import {
  acceptPersonOffer,
  correctPerson,
  findPersonAudited,
  type Person,
  type PersonEvent,
  resendPersonMail,
} from '../../../domain/registrations/admin.ts'
import { hasConfirmedAttendance } from '../../../domain/registrations/attendance-confirmation.ts'
import { requiredItems } from '../../../domain/registrations/readiness.ts'
import { type FieldProblem, parseSignUp } from '../../../domain/registrations/registrations.ts'
import { findWorkshopById, type Workshop } from '../../../domain/workshops/workshops.ts'
import { currentActor } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths } from '../../../http/links.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { doorMessages } from '../../../i18n/door.ts'
import { localize } from '../../../i18n/format.ts'
import { publicMessages } from '../../../i18n/public.ts'
import { type RegistrationMessages, registrationMessages } from '../../../i18n/registrations.ts'
import type { ConsoleMessages } from '../../../i18n/zh-CN/console.ts'
import { formatMinute } from '../../../lib/time-zones.ts'
import { ConflictNotice } from '../../ui/notices.tsx'
import { consolePage } from '../layout.tsx'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import { ErrorSummary } from '../ui/fields.tsx'
import { RegistrationStatusBadge } from '../ui/status-badges.tsx'
import { workshopLabel } from '../ui/workshop-labels.ts'
import { flashCodes, listCampaignWorkshops, loadPerson, personId, redirectToPerson } from './current-person.ts'
import { PersonFields, type PersonFormValues, parsePersonFields, personFieldErrors } from './person-fields.tsx'

/** One registration: details, history, mails, and actions that need no confirmation page. */
export const personPages = new Hono<App>()

personPages.get('/console/people/:id', async (c) => {
  const person = await findPersonAudited(c.env.deps, currentActor(c), personId(c))
  return person ? personPage(c, person) : c.notFound()
})

personPages.post('/console/people/:id/edit', async (c) => {
  const person = await loadPerson(c)
  if (!person) return c.notFound()
  const t = registrationMessages(c.var.locale)
  const values = parsePersonFields(await parseFormBody(c))
  // Consent was given at registration, and a phone number that the workshop no longer asks for is kept.
  // Walk-ins may remain without an address: a placeholder passes the validation.
  const hasNoEmail = person.email === '' && values.email.trim() === ''
  const input = { ...values, ...(hasNoEmail && { email: 'nobody@example.com' }), consent: true }
  const parsed = parseSignUp(input, { ...person.workshop, items: [] }, person.locale)
  if ('problems' in parsed) return personPage(c, person, { status: 422, values, problems: parsed.problems })
  const { name, company } = parsed.signUp
  const email = hasNoEmail ? '' : parsed.signUp.email
  const phone = person.workshop.phone === 'no' ? person.phone : parsed.signUp.phone
  const outcome = await correctPerson(c.env.deps, currentActor(c), person, { name, email, phone, company })
  if (outcome.kind === 'refused') {
    return personPage(c, person, { status: 409, values, refusal: t.emailRefusals[outcome.refusal] })
  }
  return redirectToPerson(c, person.id, outcome.fields.length > 0 ? 'saved' : 'unchanged')
})

personPages.post('/console/people/:id/confirm', async (c) => {
  const person = await loadPerson(c)
  if (!person) return c.notFound()
  if (!(await isConfirmed(c))) return personPage(c, person)
  const outcome = await acceptPersonOffer(c.env.deps, currentActor(c), person)
  if (outcome === 'taken' || outcome === 'already_taken') return redirectToPerson(c, person.id, 'confirmed')
  return personPage(c, person, { status: 409, refusal: registrationMessages(c.var.locale).offerRefusals[outcome] })
})

personPages.post('/console/people/:id/check-in', async (c) => {
  const person = await loadPerson(c)
  if (!person) return c.notFound()
  if (!(await isConfirmed(c))) return personPage(c, person)
  const { deps } = c.env
  const [result] = await checkIn(deps, { name: currentActor(c).name, workshopId: person.workshop.id }, [
    { id: deps.newId(), registration: person.id, at: deps.now() },
  ])
  if (result?.outcome === 'in' || result?.outcome === 'again') return redirectToPerson(c, person.id, 'checkedIn')
  return personPage(c, person, { status: 409, refusal: doorMessages(c.var.locale).console.notCheckedIn })
})

personPages.post('/console/people/:id/undo', async (c) => {
  const person = await loadPerson(c)
  if (!person) return c.notFound()
  if (!(await isConfirmed(c))) return personPage(c, person)
  const { deps } = c.env
  const checkedIn = (await findDoorPerson(deps, person.workshop, person.id))?.checkedIn
  if (checkedIn) {
    const door = { name: currentActor(c).name, workshopId: person.workshop.id }
    await undoCheckIns(deps, door, [{ id: deps.newId(), checkIn: checkedIn.id, at: deps.now() }])
  }
  return redirectToPerson(c, person.id, 'undone')
})

personPages.post('/console/people/:id/mails/:mail/send-again', async (c) => {
  const person = await loadPerson(c)
  const mail = c.req.param('mail')
  if (!person || !/^\d{1,15}$/.test(mail)) return c.notFound()
  if (!(await isConfirmed(c))) return personPage(c, person)
  const outcome = await resendPersonMail(c.env.deps, currentActor(c), person, Number(mail))
  return outcome === 'not_found'
    ? c.notFound()
    : redirectToPerson(c, person.id, outcome === 'queued' ? 'owed' : outcome)
})

type RejectedPersonForm = { status: 409 | 422; values?: PersonFormValues; problems?: FieldProblem[]; refusal?: string }

async function personPage(c: Context<App>, person: Person, rejected?: RejectedPersonForm) {
  const t = registrationMessages(c.var.locale)
  const { workshop } = person
  const workshops = await listCampaignWorkshops(c, person)
  const flash = flashCodes.find((known) => known === c.req.query('done'))
  const problems = personFieldErrors(rejected?.problems ?? [], c.var.locale)
  const values = rejected?.values ?? {
    name: person.name,
    email: person.email,
    phone: person.phone ?? '',
    company: person.company ?? '',
  }
  return consolePage(
    c,
    {
      title: `${person.name} · ${workshopLabel(workshop, c)}`,
      section: 'campaigns',
      back: { href: paths.workshopPeople(workshop.slug), text: workshopLabel(workshop, c) },
      flash: flash && !rejected ? { ...t.person, ...doorMessages(c.var.locale).console }[flash] : undefined,
      status: rejected?.status,
    },
    <>
      {rejected?.refusal && <ConflictNotice title={t.person.refused}>{rejected.refusal}</ConflictNotice>}
      <ErrorSummary problems={problems} t={consoleMessages(c.var.locale)} />
      <h1>{person.name}</h1>
      <p class="lead">
        <RegistrationStatusBadge status={person.status} position={person.position} t={t} />{' '}
        {t.person.number(person.seq)}
        {person.promotedManually && ` · ${t.person.outOfTurn}`}
        {person.offeredUntil && ` · ${t.person.offeredUntil(formatMinute(person.offeredUntil, workshop.timeZone))}`}
      </p>
      <PersonActions person={person} canMove={workshops.length > 1} t={t} />
      <PersonDetails c={c} person={person} t={t} />
      {await attendanceForm(c, person)}
      <details open={rejected?.values !== undefined}>
        <summary>{t.person.edit}</summary>
        <form class="narrow" method="post" action={paths.personEdit(person.id)} novalidate>
          <PersonFields values={values} problems={problems} phone={workshop.phone} locale={c.var.locale} />
          <p class="hint">{t.person.editHint}</p>
          <button type="submit">{t.person.save}</button>
        </form>
      </details>
      <h2>{t.person.history}</h2>
      <ol class="history">
        {person.history.map((event) => (
          <HistoryEntry c={c} event={event} workshop={workshop} workshops={workshops} t={t} />
        ))}
      </ol>
      <h2>{t.person.mails}</h2>
      <MailHistory person={person} kinds={consoleMessages(c.var.locale).mailKinds} t={t} />
      {person.otherRegistrations.length > 0 && (
        <>
          <h2>{t.person.elsewhere}</h2>
          <ul class="rows">
            {
              await Promise.all(
                person.otherRegistrations.map(async (other) => {
                  const otherWorkshop =
                    workshops.find(({ id }) => id === other.workshopId) ??
                    (await findWorkshopById(c.env.deps, other.workshopId))
                  return (
                    <li>
                      <a href={paths.person(other.id)}>{otherWorkshop && workshopLabel(otherWorkshop, c)}</a>{' '}
                      <RegistrationStatusBadge status={other.status} position={null} t={t} />
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

function PersonActions({ person, canMove, t }: { person: Person; canMove: boolean; t: RegistrationMessages }) {
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
      {canMove && <a href={paths.personMove(id)}>{t.move.link}</a>}
      <a href={paths.personCancel(id)}>{t.cancel.link}</a>
      {erase}
    </nav>
  )
}

function PersonDetails({ c, person, t }: { c: Context<App>; person: Person; t: RegistrationMessages }) {
  const { fields } = publicMessages(c.var.locale)
  const { workshop, ready } = person
  const required = requiredItems(workshop)
  const answerLabel = (id: string) => t.person.said[id in ready ? (ready[id] ? 'yes' : 'no') : 'nothing']
  return (
    <dl class="facts-list">
      <DetailRow name={t.columns.workshop}>
        <a href={paths.workshopPeople(workshop.slug)}>{workshopLabel(workshop, c)}</a>
      </DetailRow>
      <DetailRow name={fields.email}>
        {person.email ? (
          <a href={`mailto:${person.email}`}>{person.email}</a>
        ) : (
          doorMessages(c.var.locale).console.noEmail
        )}
      </DetailRow>
      <DetailRow name={fields.phone}>{person.phone && <a href={`tel:${person.phone}`}>{person.phone}</a>}</DetailRow>
      <DetailRow name={fields.company}>{person.company}</DetailRow>
      <DetailRow name={t.columns.time}>{formatMinute(person.createdAt, workshop.timeZone)}</DetailRow>
      <DetailRow name={t.person.channel}>
        {person.channel ?? (isWalkIn(person) ? doorMessages(c.var.locale).list.walkIn : t.person.noChannel)}
      </DetailRow>
      <DetailRow name={t.person.language}>{t.person.languages[person.locale] ?? person.locale}</DetailRow>
      <DetailRow name={t.person.consent}>
        {t.person.consentAt(person.consentVersion, formatMinute(person.consentAt, workshop.timeZone))}
      </DetailRow>
      {person.status === 'confirmed' && (
        <DetailRow name={t.columns.coming}>
          {hasConfirmedAttendance(person, workshop) ? t.attendanceConfirmations.yes : t.person.said.nothing}
        </DetailRow>
      )}
      {required.map((item) => (
        <DetailRow name={localize(item.text, c.var.locale)}>{answerLabel(item.id)}</DetailRow>
      ))}
    </dl>
  )
}

/** Check-in status, with a button to check in or undo it. */
async function attendanceForm(c: Context<App>, { id, status, workshop }: Person): Promise<Child> {
  const t = doorMessages(c.var.locale)
  const checkedIn = (await findDoorPerson(c.env.deps, workshop, id))?.checkedIn
  if (!checkedIn && status !== 'confirmed' && status !== 'offered') return null
  return (
    <form class="attendance" method="post" action={checkedIn ? paths.personUndo(id) : paths.personCheckIn(id)}>
      <ConfirmField />
      <p>
        {checkedIn
          ? `${t.console.came} · ${t.list.since(formatMinute(checkedIn.at, workshop.timeZone), checkedIn.by || t.byItself)}`
          : t.console.notYet}
      </p>
      <button type="submit" class="second">
        {checkedIn ? t.console.undo : t.console.checkIn}
      </button>
    </form>
  )
}

function DetailRow({ name, children }: { name: Child; children?: Child }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children || '–'}</dd>
    </>
  )
}

function HistoryEntry({
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
  t: RegistrationMessages
}) {
  return (
    <li>
      <time datetime={event.at.toISOString()}>{formatMinute(event.at, workshop.timeZone)}</time>
      <span>
        {describeEvent(c, event, workshops, t)}
        {event.actor && <small>{t.events.by(event.actor)}</small>}
        {event.kind === 'seated' && event.reason && <small>{t.events.because(event.reason)}</small>}
      </span>
    </li>
  )
}

function describeEvent(
  c: Context<App>,
  event: PersonEvent,
  workshops: readonly Workshop[],
  t: RegistrationMessages,
): string {
  const { fields } = publicMessages(c.var.locale)
  switch (event.kind) {
    case 'signed_up':
      return t.events.signed_up[event.status]
    case 'moved': {
      const from = workshops.find(({ id }) => id === event.from)
      return t.events.moved(from ? workshopLabel(from, c) : t.events.elsewhere)
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

function MailHistory({
  person,
  kinds,
  t,
}: {
  person: Person
  kinds: ConsoleMessages['mailKinds']
  t: RegistrationMessages
}) {
  if (person.mails.length === 0) return <p>{t.person.noMails}</p>
  return (
    <ul class="history">
      {person.mails.map(({ id, kind, state, createdAt, sentAt, reason }) => (
        <li>
          <time datetime={(sentAt ?? createdAt).toISOString()}>
            {formatMinute(sentAt ?? createdAt, person.workshop.timeZone)}
          </time>
          <span>
            {kinds[kind]} · <span class={state === 'dead' ? 'failed' : undefined}>{t.mailStates[state]}</span>
            {reason && <small>{reason}</small>}
          </span>
          {state === 'dead' && (
            <form method="post" action={paths.resendPersonMail(person.id, id)}>
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
