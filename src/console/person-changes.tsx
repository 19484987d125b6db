import { type Context, Hono } from 'hono'
import type { Child } from 'hono/jsx'
import { actorOf } from '../audited.ts'
import type { App } from '../context.ts'
import { cancelPerson, erasePerson, movePerson, type Person, promotePerson } from '../domain/person.ts'
import { oneLine } from '../domain/plain-text.ts'
import type { EraseRefusal } from '../domain/seats.ts'
import { seatsLeft, type Workshop } from '../domain/workshops.ts'
import { readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { messagesFor } from '../messages/messages.ts'
import { type PeopleMessages, peopleMessagesFor } from '../messages/people.ts'
import { sentences } from '../messages/text.ts'
import { ConfirmField, isConfirmed } from './confirmation.tsx'
import { typed } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { workshopName } from './people.tsx'
import { done, personOf, workshopsOf } from './person.tsx'
import { Refused } from './person-fields.tsx'

/** What an organiser is asked about first: to cancel, move, seat before their turn, or erase a person. */
export const personChanges = new Hono<App>()

personChanges.get('/console/people/:id/cancel', async (c) => {
  const person = await personOf(c)
  if (!person) return c.notFound()
  return person.status === 'cancelled' ? c.redirect(paths.person(person.id)) : cancelPage(c, person)
})

personChanges.post('/console/people/:id/cancel', async (c) => {
  const person = await personOf(c)
  if (!person) return c.notFound()
  if (!(await isConfirmed(c))) return cancelPage(c, person)
  const outcome = await cancelPerson(c.env.deps, actorOf(c), person)
  if (outcome === 'cancelled' || outcome === 'already_cancelled') return done(c, person.id, 'cancelled')
  return cancelPage(c, person, peopleMessagesFor(c.var.locale).cancelRefusals[outcome])
})

personChanges.get('/console/people/:id/move', async (c) => {
  const person = await personOf(c)
  return person ? movePage(c, person) : c.notFound()
})

personChanges.post('/console/people/:id/move', async (c) => {
  const person = await personOf(c)
  if (!person) return c.notFound()
  const { to } = await readFormBody(c)
  const outcome = await movePerson(c.env.deps, actorOf(c), person, typeof to === 'string' ? to : '')
  if (outcome.kind === 'moved') return done(c, person.id, 'moved')
  return movePage(c, person, peopleMessagesFor(c.var.locale).moveRefusals[outcome.refusal])
})

personChanges.get('/console/people/:id/promote', async (c) => {
  const person = await personOf(c)
  return person ? promotePage(c, person) : c.notFound()
})

personChanges.post('/console/people/:id/promote', async (c) => {
  const person = await personOf(c)
  if (!person) return c.notFound()
  const t = peopleMessagesFor(c.var.locale)
  const typed = readPromotion(await readFormBody(c))
  if (typed.problem) return promotePage(c, person, { ...typed, status: 422, problem: t.promote[typed.problem] })
  const outcome = await promotePerson(c.env.deps, actorOf(c), person, typed)
  if (outcome.kind === 'promoted') return done(c, person.id, 'promoted')
  const { refusal, taken, capacity } = outcome
  return promotePage(c, person, { ...typed, status: 409, problem: t.promoteRefusals[refusal](taken, capacity) })
})

personChanges.get('/console/people/:id/erase', async (c) => {
  const person = await personOf(c)
  return person ? erasePage(c, person) : c.notFound()
})

personChanges.post('/console/people/:id/erase', async (c) => {
  const person = await personOf(c)
  if (!person) return c.notFound()
  if (!(await isConfirmed(c))) return erasePage(c, person)
  const outcome = await erasePerson(c.env.deps, actorOf(c), person)
  if (outcome === 'not_found') return c.notFound()
  if (outcome === 'board_not_returned') return erasePage(c, person, outcome)
  return c.redirect(withQuery(paths.workshopPeople(person.workshop.slug), { done: 'erased' }), 303)
})

/** Why somebody is given a seat before their turn, as the form sends it, and what is wrong with that. */
export function readPromotion(body: Record<string, unknown>): PromotionTyped {
  const reason = oneLine(typed(body, 'reason'), longestReason)
  const addSeat = body.addSeat === 'yes'
  if (reason === undefined) return { reason: typed(body, 'reason'), addSeat, problem: 'reasonTooLong' }
  return { reason, addSeat, problem: reason ? undefined : 'reasonMissing' }
}

export type PromotionTyped = {
  reason: string
  addSeat: boolean
  problem: 'reasonMissing' | 'reasonTooLong' | undefined
}

const longestReason = 500

function cancelPage(c: Context<App>, person: Person, refusal?: string) {
  const t = peopleMessagesFor(c.var.locale)
  return askPage(c, person, {
    title: t.cancel.title(person.name),
    action: paths.personCancel(person.id),
    content: <p>{t.cancel.warning}</p>,
    submit: t.cancel.submit,
    dangerous: true,
    back: t.cancel.back,
    refusal,
  })
}

async function movePage(c: Context<App>, person: Person, refusal?: string) {
  const t = peopleMessagesFor(c.var.locale)
  const others = (await workshopsOf(c, person)).filter(({ id }) => id !== person.workshop.id)
  return askPage(c, person, {
    title: t.move.title(person.name),
    action: paths.personMove(person.id),
    content: (
      <>
        <p>{others.length > 0 ? t.move.warning : t.move.none}</p>
        <Targets c={c} workshops={others} t={t} />
      </>
    ),
    submit: others.length > 0 ? t.move.submit : undefined,
    back: t.move.back,
    refusal,
  })
}

/** The workshops to which people can be moved, with how many seats each has. */
export function Targets({ c, workshops, t }: { c: Context<App>; workshops: readonly Workshop[]; t: PeopleMessages }) {
  const { workshopStatuses } = messagesFor(c.var.locale)
  const takes = ({ status }: Workshop) => status === 'open' || status === 'waitlist'
  const first = workshops.find(takes)
  return (
    <div class="targets">
      {workshops.map((workshop) => (
        <label class="check">
          <input
            type="radio"
            name="to"
            value={workshop.slug}
            checked={workshop === first}
            disabled={!takes(workshop)}
            required
          />
          <span>
            {workshopName(c, workshop)}
            <small>
              {!takes(workshop)
                ? workshopStatuses[workshop.status]
                : workshop.status === 'open'
                  ? t.move.seats(seatsLeft(workshop))
                  : t.move.waiting(workshop.waitlisted)}
            </small>
          </span>
        </label>
      ))}
    </div>
  )
}

type Promotion = { reason: string; addSeat: boolean; status: 409 | 422; problem: string }

function promotePage(c: Context<App>, person: Person, mistake?: Promotion) {
  const t = peopleMessagesFor(c.var.locale)
  const { taken, capacity } = person.workshop
  return askPage(c, person, {
    title: t.promote.title(person.name),
    action: paths.personPromote(person.id),
    content: (
      <>
        <p>{sentences(t.promote.warning, t.promote.seats(taken, capacity))}</p>
        <div class="narrow">
          <PromotionFields reason={mistake?.reason} addSeat={mistake?.addSeat} label={t.promote.addSeat} t={t} />
        </div>
      </>
    ),
    submit: t.promote.submit,
    back: t.promote.back,
    refusal: mistake?.problem,
    status: mistake?.status,
  })
}

/** Why, and whether a seat may be added. */
export function PromotionFields({
  reason = '',
  addSeat = false,
  label,
  t,
}: {
  reason?: string | undefined
  addSeat?: boolean | undefined
  label: string
  t: PeopleMessages
}) {
  return (
    <>
      <div class="field">
        <label for="reason">{t.promote.reason}</label>
        <p class="hint" id="reason-hint">
          {t.promote.reasonHint}
        </p>
        <input
          id="reason"
          name="reason"
          type="text"
          value={reason}
          maxlength={longestReason}
          required
          aria-describedby="reason-hint"
        />
      </div>
      <div class="field">
        <label class="check">
          <input type="checkbox" name="addSeat" value="yes" checked={addSeat} /> <span>{label}</span>
        </label>
      </div>
    </>
  )
}

function erasePage(c: Context<App>, person: Person, refusal?: Exclude<EraseRefusal, 'not_found'>) {
  const t = peopleMessagesFor(c.var.locale)
  return askPage(c, person, {
    title: t.erase.title(person.name),
    action: paths.personErase(person.id),
    content: <p>{t.erase.warning}</p>,
    submit: t.erase.submit,
    dangerous: true,
    back: t.erase.back,
    refusal: refusal && t.erase.refusals[refusal],
  })
}

/** A page that asks about one person before something that cannot be undone. Without `submit` there is nothing to do. */
function askPage(
  c: Context<App>,
  person: Person,
  asked: {
    title: string
    action: string
    content: Child
    submit: string | undefined
    dangerous?: boolean
    back: string
    refusal?: string | undefined
    status?: 409 | 422 | undefined
  },
) {
  const t = peopleMessagesFor(c.var.locale)
  const { title, refusal, status = 409 } = asked
  return consolePage(
    c,
    {
      title,
      section: 'campaigns',
      back: { href: paths.person(person.id), text: person.name },
      status: refusal ? status : undefined,
    },
    <>
      {refusal && <Refused title={t.person.refused}>{refusal}</Refused>}
      <h1>{title}</h1>
      <form method="post" action={asked.action} novalidate>
        <ConfirmField />
        {asked.content}
        <div class="actions">
          {asked.submit && (
            <button type="submit" class={asked.dangerous ? 'warn' : undefined}>
              {asked.submit}
            </button>
          )}
          <a class="button second" href={paths.person(person.id)}>
            {asked.back}
          </a>
        </div>
      </form>
    </>,
  )
}
