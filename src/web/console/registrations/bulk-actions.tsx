import { type Context, Hono } from 'hono'
import { findCampaign } from '../../../domain/campaigns/campaigns.ts'
import {
  cancelPerson,
  markNotDuplicate,
  mergePerson,
  movePerson,
  promotePerson,
} from '../../../domain/registrations/admin.ts'
import type { AttendeeRow } from '../../../domain/registrations/export.ts'
import { type DuplicateGroup, findDuplicates } from '../../../domain/registrations/list.ts'
import { findRegistrations, type Registration } from '../../../domain/registrations/registrations.ts'
import type { Workshop } from '../../../domain/workshops/workshops.ts'
import { currentActor } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { isUuid, parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { registrationMessages } from '../../../i18n/registrations.ts'
import { ConflictNotice } from '../../ui/notices.tsx'
import { consolePage } from '../layout.tsx'
import { ConfirmField } from '../ui/confirmation.tsx'
import { stringField } from '../ui/fields.tsx'
import { RegistrationStatusBadge } from '../ui/status-badges.tsx'
import { workshopLabel } from '../ui/workshop-labels.ts'
import { MoveTargets, PromotionFields, type PromotionFormValues, parsePromotionForm } from './action-fields.tsx'
import { attendeeListPath, loadScope, type PeopleScope, scopeTitle } from './query.ts'

/** Actions on several registrations, and merging of duplicates. */
export const bulkActionPages = new Hono<App>()

const bulkActions = ['cancel', 'move', 'promote', 'merge'] as const
type BulkAction = (typeof bulkActions)[number]

/** One page of the list. */
const maxBulkSelection = 100

/** Asks for confirmation with the selected names; once confirmed, performs the action and shows each outcome. */
bulkActionPages.post('/console/people/chosen', async (c) => {
  const { deps } = c.env
  const body = await parseFormBody(c, { all: true })
  const action = bulkActions.find((known) => known === body.action) ?? 'cancel'
  const back = parseReturnPath(stringField(body, 'back'))
  const kept = action === 'merge' ? await loadRegistration(c, stringField(body, 'kept')) : undefined
  const ids = [body.id].flat().filter(isUuid)
  const people = (await findRegistrations(deps, [...new Set(ids)].slice(0, maxBulkSelection)))
    .filter(({ id }) => id !== kept?.id)
    .sort((a, b) => a.workshop.startsAt.getTime() - b.workshop.startsAt.getTime() || a.seq - b.seq)
  if (people.length === 0 || (action === 'merge' && !kept)) return emptySelectionPage(c, back)
  const request = { action, people, kept, back }
  if (body.sure !== 'yes') return confirmBulkActionPage(c, request)
  const promotion = action === 'promote' ? parsePromotionForm(body) : undefined
  if (promotion?.problem) return confirmBulkActionPage(c, request, promotion)
  const outcomes: BulkOutcome[] = []
  for (const person of people) outcomes.push({ person, ...(await performBulkAction(c, request, person, body)) })
  return bulkResultPage(c, request, outcomes)
})

/** `kept`: the registration that remains when duplicates are merged. */
type BulkRequest = { action: BulkAction; people: Registration[]; kept: Registration | undefined; back: string }

type BulkOutcome = { person: Registration; succeeded: boolean; message: string }

async function performBulkAction(
  c: Context<App>,
  { action, kept }: BulkRequest,
  person: Registration,
  body: Record<string, unknown>,
): Promise<Omit<BulkOutcome, 'person'>> {
  const { deps } = c.env
  const t = registrationMessages(c.var.locale)
  if (action === 'move') {
    const outcome = await movePerson(deps, currentActor(c), person, stringField(body, 'to'))
    return outcome.kind === 'moved'
      ? { succeeded: true, message: t.bulk.done[outcome.status] }
      : { succeeded: false, message: t.moveRefusals[outcome.refusal] }
  }
  if (action === 'promote') {
    const outcome = await promotePerson(deps, currentActor(c), person, parsePromotionForm(body))
    return outcome.kind === 'promoted'
      ? { succeeded: true, message: t.bulk.done.promoted }
      : { succeeded: false, message: t.promoteRefusals[outcome.refusal](outcome.taken, outcome.capacity) }
  }
  const outcome = await (action === 'merge' && kept
    ? mergePerson(deps, currentActor(c), person, kept)
    : cancelPerson(deps, currentActor(c), person))
  return outcome === 'cancelled'
    ? { succeeded: true, message: t.bulk.done.cancelled }
    : { succeeded: false, message: t.mergeRefusals[outcome] }
}

async function loadRegistration(c: Context<App>, id: string): Promise<Registration | undefined> {
  return isUuid(id) ? (await findRegistrations(c.env.deps, [id]))[0] : undefined
}

/** The attendee list to return to, or the overview for any other value. */
function parseReturnPath(path: string): string {
  const isList = /^\/console\/(?:workshops|campaigns)\/[a-z0-9-]+\/people(?:[?/][^\s\\]*)?$/
  return path.length <= 2000 && isList.test(path) ? path : paths.console()
}

function emptySelectionPage(c: Context<App>, back: string) {
  const t = registrationMessages(c.var.locale)
  return consolePage(
    c,
    { title: t.list.title, section: 'campaigns', back: { href: back, text: t.bulk.toList }, status: 422 },
    <>
      <ConflictNotice title={t.person.refused}>{t.bulk.nobody}</ConflictNotice>
      <p>
        <a class="button second" href={back}>
          {t.bulk.toList}
        </a>
      </p>
    </>,
  )
}

/** @param promotion the submitted values, if they were invalid */
async function confirmBulkActionPage(c: Context<App>, request: BulkRequest, promotion?: PromotionFormValues) {
  const { action, people, kept, back } = request
  const t = registrationMessages(c.var.locale)
  const title = t.bulk[`${action}Title`](people.length)
  const targets = action === 'move' ? await listMoveTargets(c, people) : []
  const hasNoTarget = action === 'move' && targets.length === 0
  return consolePage(
    c,
    { title, section: 'campaigns', back: { href: back, text: t.bulk.toList }, status: promotion ? 422 : 200 },
    <>
      {promotion?.problem && <ConflictNotice title={t.person.problems}>{t.promote[promotion.problem]}</ConflictNotice>}
      <h1>{title}</h1>
      <form method="post" action={paths.bulkActions()} novalidate>
        <input type="hidden" name="action" value={action} />
        <input type="hidden" name="back" value={back} />
        <ConfirmField />
        {kept && <input type="hidden" name="kept" value={kept.id} />}
        {people.map(({ id }) => (
          <input type="hidden" name="id" value={id} />
        ))}
        <p class="lead">
          {action === 'merge' ? t.bulk.mergeWarning : hasNoTarget ? t.bulk.campaigns : t[action].warning}
        </p>
        {kept && (
          <p>
            <b>{t.bulk.kept(`${kept.name} · ${kept.email} · ${workshopLabel(kept.workshop, c)}`)}</b>
          </p>
        )}
        {action === 'move' && <MoveTargets c={c} workshops={targets} t={t} />}
        {action === 'promote' && (
          <div class="narrow">
            <PromotionFields reason={promotion?.reason} addSeat={promotion?.addSeat} label={t.promote.addSeats} t={t} />
          </div>
        )}
        <ul class="rows">
          {people.map((person) => (
            <li>
              <PersonLink c={c} person={person} />
              <RegistrationStatusBadge status={person.status} position={person.position} t={t} />
            </li>
          ))}
        </ul>
        <div class="actions">
          {!hasNoTarget && (
            <button type="submit" class={action === 'cancel' || action === 'merge' ? 'warn' : undefined}>
              {t.bulk.submit[action]}
            </button>
          )}
          <a class="button second" href={back}>
            {t.bulk.back}
          </a>
        </div>
      </form>
    </>,
  )
}

function PersonLink({ c, person }: { c: Context<App>; person: Registration }) {
  return (
    <span>
      <a href={paths.person(person.id)}>{person.name}</a>
      <small>
        {person.email} · {workshopLabel(person.workshop, c)}
      </small>
    </span>
  )
}

/** Workshops of the people's common campaign, without the one all of them are in; none if their campaigns differ. */
async function listMoveTargets(c: Context<App>, people: readonly Registration[]): Promise<Workshop[]> {
  const campaigns = new Set(people.map(({ workshop }) => workshop.campaign?.slug))
  const [slug] = campaigns
  const campaign = campaigns.size === 1 && slug && (await findCampaign(c.env.deps, slug))
  return campaign ? campaign.workshops.filter(({ id }) => people.some(({ workshop }) => workshop.id !== id)) : []
}

function bulkResultPage(c: Context<App>, { back }: BulkRequest, outcomes: readonly BulkOutcome[]) {
  const t = registrationMessages(c.var.locale)
  const title = t.bulk.doneTitle(outcomes.filter(({ succeeded }) => succeeded).length, outcomes.length)
  return consolePage(
    c,
    { title, section: 'campaigns', back: { href: back, text: t.bulk.toList } },
    <>
      <h1 role="status">{title}</h1>
      <ul class="rows">
        {outcomes.map(({ person, succeeded, message }) => (
          <li>
            <PersonLink c={c} person={person} />
            <span class={succeeded ? 'mark' : 'mark warn'}>{message}</span>
          </li>
        ))}
      </ul>
      <a class="button" href={back}>
        {t.bulk.toList}
      </a>
    </>,
  )
}

/** Marks similar registrations as different people. */
bulkActionPages.post('/console/people/apart', async (c) => {
  const body = await parseFormBody(c, { all: true })
  const ids = [body.group].flat().filter(isUuid)
  const people = await findRegistrations(c.env.deps, [...new Set(ids)].slice(0, maxBulkSelection))
  const back = parseReturnPath(stringField(body, 'back'))
  if (people.length === 0) return emptySelectionPage(c, back)
  await markNotDuplicate(c.env.deps, currentActor(c), people)
  return c.redirect(withQuery(back, { done: 'apart' }), 303)
})

bulkActionPages.get('/console/workshops/:slug/people/duplicates', (c) => duplicatesPage(c, 'workshop'))
bulkActionPages.get('/console/campaigns/:slug/people/duplicates', (c) => duplicatesPage(c, 'campaign'))

async function duplicatesPage(c: Context<App>, kind: PeopleScope['kind']): Promise<Response> {
  const scope = await loadScope(c, kind)
  if (!scope) return c.notFound()
  const groups = await findDuplicates(c.env.deps, scope.workshops)
  const t = registrationMessages(c.var.locale)
  return consolePage(
    c,
    {
      title: `${t.duplicates.title} · ${scopeTitle(c, scope)}`,
      section: 'campaigns',
      back: { href: attendeeListPath(scope), text: scopeTitle(c, scope) },
      flash: c.req.query('done') === 'apart' ? t.duplicates.toldApart : undefined,
    },
    <>
      <h1>{t.duplicates.title}</h1>
      <p class="lead">{groups.length > 0 ? t.duplicates.lead : t.duplicates.none}</p>
      {groups.map((group) => (
        <DuplicateGroupForm c={c} group={group} scope={scope} />
      ))}
    </>,
  )
}

/** A group of probable duplicates: the one to keep first, the others with checkboxes to cancel them. */
function DuplicateGroupForm({ c, group, scope }: { c: Context<App>; group: DuplicateGroup; scope: PeopleScope }) {
  const t = registrationMessages(c.var.locale)
  const [kept, ...others] = group.people as [AttendeeRow, ...AttendeeRow[]]
  const row = (person: AttendeeRow, isKept: boolean) => {
    const workshop = scope.workshops.find(({ id }) => id === person.workshopId) as Workshop
    return (
      <li>
        <span>
          <a href={paths.person(person.id)}>{person.name}</a>
          <small>
            {[person.email, person.phone, person.company, workshopLabel(workshop, c)].filter(Boolean).join(' · ')}
          </small>
        </span>
        <RegistrationStatusBadge status={person.status} position={person.position} t={t} />
        {isKept ? (
          <span class="mark">{t.duplicates.keep}</span>
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
    <form method="post" action={paths.bulkActions()} class="alike">
      <h2>{t.duplicates.by[group.by]}</h2>
      <input type="hidden" name="action" value="merge" />
      <input type="hidden" name="kept" value={kept.id} />
      <input type="hidden" name="back" value={`${attendeeListPath(scope)}/duplicates`} />
      {group.people.map(({ id }) => (
        <input type="hidden" name="group" value={id} />
      ))}
      <ul class="rows">
        {row(kept, true)}
        {others.map((person) => row(person, false))}
      </ul>
      <p class="actions">
        <button type="submit" class="small second">
          {t.duplicates.submit}
        </button>
        <button type="submit" class="small second" formaction={paths.markNotDuplicates()}>
          {t.duplicates.apart}
        </button>
      </p>
    </form>
  )
}
