import { type Context, Hono } from 'hono'
import { actorOf } from '../audited.ts'
import type { App } from '../context.ts'
import { findCampaign } from '../domain/campaigns.ts'
import { type Alike, findAlike } from '../domain/people.ts'
import { cancelPerson, mergePerson, movePerson, promotePerson, tellApart } from '../domain/person.ts'
import { findRegistrations, type Registration } from '../domain/registrations.ts'
import type { RosterLine } from '../domain/roster.ts'
import type { Workshop } from '../domain/workshops.ts'
import { isId, readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { peopleMessagesFor } from '../messages/people.ts'
import { ConfirmField } from './confirmation.tsx'
import { typed } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { nameOf, Status, workshopName } from './people.tsx'
import { findWhose, listPath, type Whose } from './people-query.ts'
import { PromotionFields, type PromotionTyped, readPromotion, Targets } from './person-changes.tsx'
import { Refused } from './person-fields.tsx'

/** Several people at once, and those who may be one. */
export const peopleTogetherPages = new Hono<App>()

const togetherActions = ['cancel', 'move', 'promote', 'merge'] as const
type TogetherAction = (typeof togetherActions)[number]

/** As many as one page of a list has. */
const mostTogether = 100

/** First it is asked, with everyone by name; the answer to that does it and tells what became of each. */
peopleTogetherPages.post('/console/people/chosen', async (c) => {
  const { deps } = c.env
  // Several fields of one name are a list only if that is asked for.
  const body = await readFormBody(c, { all: true })
  const action = togetherActions.find((known) => known === body.action) ?? 'cancel'
  const back = readBack(typed(body, 'back'))
  const kept = action === 'merge' ? await findOne(c, typed(body, 'kept')) : undefined
  const chosen = [body.id].flat().filter(isId)
  const people = (await findRegistrations(deps, [...new Set(chosen)].slice(0, mostTogether)))
    .filter(({ id }) => id !== kept?.id)
    .sort((a, b) => a.workshop.startsAt.getTime() - b.workshop.startsAt.getTime() || a.seq - b.seq)
  if (people.length === 0 || (action === 'merge' && !kept)) return nobodyPage(c, back)
  const asked = { action, people, kept, back }
  if (body.sure !== 'yes') return askPage(c, asked)
  const promotion = action === 'promote' ? readPromotion(body) : undefined
  if (promotion?.problem) return askPage(c, asked, promotion)
  const outcomes: Outcome[] = []
  for (const person of people) outcomes.push({ person, ...(await act(c, asked, person, body)) })
  return donePage(c, asked, outcomes)
})

/** What is asked for. `kept`: the registration that stays, of several that are one person's. */
type Asked = { action: TogetherAction; people: Registration[]; kept: Registration | undefined; back: string }

/** What became of one of several people. */
type Outcome = { person: Registration; done: boolean; said: string }

async function act(
  c: Context<App>,
  { action, kept }: Asked,
  person: Registration,
  body: Record<string, unknown>,
): Promise<Omit<Outcome, 'person'>> {
  const { deps } = c.env
  const t = peopleMessagesFor(c.var.locale)
  if (action === 'move') {
    const outcome = await movePerson(deps, actorOf(c), person, typed(body, 'to'))
    return outcome.kind === 'moved'
      ? { done: true, said: t.together.done[outcome.status] }
      : { done: false, said: t.moveRefusals[outcome.refusal] }
  }
  if (action === 'promote') {
    const outcome = await promotePerson(deps, actorOf(c), person, readPromotion(body))
    return outcome.kind === 'promoted'
      ? { done: true, said: t.together.done.promoted }
      : { done: false, said: t.promoteRefusals[outcome.refusal](outcome.taken, outcome.capacity) }
  }
  const outcome = await (action === 'merge' && kept
    ? mergePerson(deps, actorOf(c), person, kept)
    : cancelPerson(deps, actorOf(c), person))
  return outcome === 'cancelled'
    ? { done: true, said: t.together.done.cancelled }
    : { done: false, said: t.mergeRefusals[outcome] }
}

async function findOne(c: Context<App>, id: string): Promise<Registration | undefined> {
  return isId(id) ? (await findRegistrations(c.env.deps, [id]))[0] : undefined
}

/** The list from which people were chosen, or the console where the form says anything else. */
function readBack(path: string): string {
  const isList = /^\/console\/(?:workshops|campaigns)\/[a-z0-9-]+\/people(?:[?/][^\s\\]*)?$/
  return path.length <= 2000 && isList.test(path) ? path : paths.console()
}

function nobodyPage(c: Context<App>, back: string) {
  const t = peopleMessagesFor(c.var.locale)
  return consolePage(
    c,
    { title: t.list.title, section: 'campaigns', back: { href: back, text: t.together.toList }, status: 422 },
    <>
      <Refused title={t.person.refused}>{t.together.nobody}</Refused>
      <p>
        <a class="button second" href={back}>
          {t.together.toList}
        </a>
      </p>
    </>,
  )
}

/** @param promotion what was typed, where there is something wrong with the reason */
async function askPage(c: Context<App>, asked: Asked, promotion?: PromotionTyped) {
  const { action, people, kept, back } = asked
  const t = peopleMessagesFor(c.var.locale)
  const title = t.together[`${action}Title`](people.length)
  const targets = action === 'move' ? await targetsOf(c, people) : []
  const impossible = action === 'move' && targets.length === 0
  return consolePage(
    c,
    { title, section: 'campaigns', back: { href: back, text: t.together.toList }, status: promotion ? 422 : 200 },
    <>
      {promotion?.problem && <Refused title={t.person.problems}>{t.promote[promotion.problem]}</Refused>}
      <h1>{title}</h1>
      <form method="post" action={paths.chosenPeople()} novalidate>
        <input type="hidden" name="action" value={action} />
        <input type="hidden" name="back" value={back} />
        <ConfirmField />
        {kept && <input type="hidden" name="kept" value={kept.id} />}
        {people.map(({ id }) => (
          <input type="hidden" name="id" value={id} />
        ))}
        <p class="lead">
          {action === 'merge' ? t.together.mergeWarning : impossible ? t.together.campaigns : t[action].warning}
        </p>
        {kept && (
          <p>
            <b>{t.together.kept(`${kept.name} · ${kept.email} · ${workshopName(c, kept.workshop)}`)}</b>
          </p>
        )}
        {action === 'move' && <Targets c={c} workshops={targets} t={t} />}
        {action === 'promote' && (
          <div class="narrow">
            <PromotionFields reason={promotion?.reason} addSeat={promotion?.addSeat} label={t.promote.addSeats} t={t} />
          </div>
        )}
        <ul class="rows">
          {people.map((person) => (
            <li>
              <Named c={c} person={person} />
              <Status status={person.status} position={person.position} t={t} />
            </li>
          ))}
        </ul>
        <div class="actions">
          {!impossible && (
            <button type="submit" class={action === 'cancel' || action === 'merge' ? 'warn' : undefined}>
              {t.together.submit[action]}
            </button>
          )}
          <a class="button second" href={back}>
            {t.together.back}
          </a>
        </div>
      </form>
    </>,
  )
}

function Named({ c, person }: { c: Context<App>; person: Registration }) {
  return (
    <span>
      <a href={paths.person(person.id)}>{person.name}</a>
      <small>
        {person.email} · {workshopName(c, person.workshop)}
      </small>
    </span>
  )
}

/** The workshops to which all of them can be moved: those of their one campaign, without one where all are already. */
async function targetsOf(c: Context<App>, people: readonly Registration[]): Promise<Workshop[]> {
  const campaigns = new Set(people.map(({ workshop }) => workshop.campaign?.slug))
  const [slug] = campaigns
  const campaign = campaigns.size === 1 && slug && (await findCampaign(c.env.deps, slug))
  return campaign ? campaign.workshops.filter(({ id }) => people.some(({ workshop }) => workshop.id !== id)) : []
}

function donePage(c: Context<App>, { back }: Asked, outcomes: readonly Outcome[]) {
  const t = peopleMessagesFor(c.var.locale)
  const title = t.together.doneTitle(outcomes.filter(({ done }) => done).length, outcomes.length)
  return consolePage(
    c,
    { title, section: 'campaigns', back: { href: back, text: t.together.toList } },
    <>
      <h1 role="status">{title}</h1>
      <ul class="rows">
        {outcomes.map(({ person, done, said }) => (
          <li>
            <Named c={c} person={person} />
            <span class={done ? 'mark' : 'mark warn'}>{said}</span>
          </li>
        ))}
      </ul>
      <a class="button" href={back}>
        {t.together.toList}
      </a>
    </>,
  )
}

/** Those who are alike and are not one person. */
peopleTogetherPages.post('/console/people/apart', async (c) => {
  const body = await readFormBody(c, { all: true })
  const ids = [body.group].flat().filter(isId)
  const people = await findRegistrations(c.env.deps, [...new Set(ids)].slice(0, mostTogether))
  const back = readBack(typed(body, 'back'))
  if (people.length === 0) return nobodyPage(c, back)
  await tellApart(c.env.deps, actorOf(c), people)
  return c.redirect(withQuery(back, { done: 'apart' }), 303)
})

peopleTogetherPages.get('/console/workshops/:slug/people/duplicates', (c) => showAlike(c, 'workshop'))
peopleTogetherPages.get('/console/campaigns/:slug/people/duplicates', (c) => showAlike(c, 'campaign'))

async function showAlike(c: Context<App>, of: Whose['of']): Promise<Response> {
  const whose = await findWhose(c, of)
  if (!whose) return c.notFound()
  const groups = await findAlike(c.env.deps, whose.workshops)
  const t = peopleMessagesFor(c.var.locale)
  return consolePage(
    c,
    {
      title: `${t.alike.title} · ${nameOf(c, whose)}`,
      section: 'campaigns',
      back: { href: listPath(whose), text: nameOf(c, whose) },
      done: c.req.query('done') === 'apart' ? t.alike.toldApart : undefined,
    },
    <>
      <h1>{t.alike.title}</h1>
      <p class="lead">{groups.length > 0 ? t.alike.lead : t.alike.none}</p>
      {groups.map((group) => (
        <Group c={c} group={group} whose={whose} />
      ))}
    </>,
  )
}

/** Who may be one person: whoever should stay first, the others chosen already, to be cancelled or not. */
function Group({ c, group, whose }: { c: Context<App>; group: Alike; whose: Whose }) {
  const t = peopleMessagesFor(c.var.locale)
  const [kept, ...others] = group.people as [RosterLine, ...RosterLine[]]
  const row = (person: RosterLine, first: boolean) => {
    const workshop = whose.workshops.find(({ id }) => id === person.workshopId) as Workshop
    return (
      <li>
        <span>
          <a href={paths.person(person.id)}>{person.name}</a>
          <small>
            {[person.email, person.phone, person.company, workshopName(c, workshop)].filter(Boolean).join(' · ')}
          </small>
        </span>
        <Status status={person.status} position={person.position} t={t} />
        {first ? (
          <span class="mark">{t.alike.keep}</span>
        ) : (
          <label class="check">
            <input type="checkbox" name="id" value={person.id} checked={others.length === 1} />
            <span>{t.list.cancel}</span>
          </label>
        )}
      </li>
    )
  }
  return (
    <form method="post" action={paths.chosenPeople()} class="alike">
      <h2>{t.alike.by[group.by]}</h2>
      <input type="hidden" name="action" value="merge" />
      <input type="hidden" name="kept" value={kept.id} />
      <input type="hidden" name="back" value={`${listPath(whose)}/duplicates`} />
      {group.people.map(({ id }) => (
        <input type="hidden" name="group" value={id} />
      ))}
      <ul class="rows">
        {row(kept, true)}
        {others.map((person) => row(person, false))}
      </ul>
      <p class="actions">
        <button type="submit" class="small second">
          {t.alike.submit}
        </button>
        <button type="submit" class="small second" formaction={paths.apartPeople()}>
          {t.alike.apart}
        </button>
      </p>
    </form>
  )
}
