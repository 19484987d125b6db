import { eq, inArray, type SQL, sql } from 'drizzle-orm'
import { query, timestamptz, uuidArray } from '../../db/database.ts'
import { broadcasts, type MailState, type Text } from '../../db/schema.ts'
import { maxProblems } from '../../lib/input-limits.ts'
import { normalizeLine, normalizeText } from '../../lib/text.ts'
import { type LinkedText, linkUrls } from '../../lib/urls.ts'
import { type Actor, recordAudit } from '../audit/log.ts'
import type { Deps } from '../deps.ts'
import { buildPeopleCondition, type PeopleFilter } from '../registrations/list.ts'
import { findWorkshopById, type Workshop } from '../workshops/workshops.ts'
import { bulkMailIntervalSeconds } from './pacing.ts'

/** What an organiser wrote to attendees: plain text with placeholders. */
export type Broadcast = {
  id: string
  subject: string
  body: string
  /** The workshop it is about, with whose facts a test is filled in; undefined for one about a campaign. */
  workshop: Workshop | undefined
}

/** What a message may hold in double braces, `{{name}}` say, and is filled in for each attendee. */
export const placeholders = ['name', 'workshop', 'city', 'date', 'time', 'place', 'ticket'] as const
export type Placeholder = (typeof placeholders)[number]

/**
 * What stands in double braces and for nothing, as it was written, each once; of braces that no others close or open,
 * what is beside them.
 */
export function findUnknownPlaceholders(text: string): string[] {
  const names = [...text.matchAll(placeholderPattern)].map(([, name = '']) => name.trim())
  const unpaired = text.replace(placeholderPattern, ' ').match(/\{\{[^\s{}]{0,20}|[^\s{}]{0,20}\}\}/g) ?? []
  return [...new Set([...names.filter((name) => !isPlaceholder(name)), ...unpaired])]
}

/**
 * A text with its placeholders filled in; one that stands for nothing stays as it is. An address that a placeholder
 * stands for is a link of its own, whatever is typed around it. What attendees typed, their name, is never one.
 */
export function fillPlaceholders(text: string, values: PlaceholderValues): LinkedText {
  // Every other part is what stood in braces.
  const parts = text.split(placeholderPattern).flatMap((part, n): LinkedText => {
    if (n % 2 === 0) return linkUrls(part)
    const name = part.trim()
    if (!isPlaceholder(name)) return [`{{${part}}}`]
    if (name === 'ticket') return [{ url: values.ticket, separate: true }]
    return name === 'name' ? [values.name] : separateTrailingUrl(linkUrls(values[name]))
  })
  return joinTexts(parts)
}

/** What placeholders stand for; `ticket` is an address. */
export type PlaceholderValues = Record<Placeholder, string>

/** A value that ends with an address is set off from what follows. */
function separateTrailingUrl(value: LinkedText): LinkedText {
  const last = value.at(-1)
  return typeof last === 'object' ? [...value.slice(0, -1), { ...last, separate: true }] : value
}

function joinTexts(parts: LinkedText): LinkedText {
  const merged: LinkedText = []
  for (const part of parts) {
    const last = merged.at(-1)
    if (typeof part === 'string' && typeof last === 'string') merged[merged.length - 1] = last + part
    else if (part !== '') merged.push(part)
  }
  return merged
}

const placeholderPattern = /\{\{([^{}]{0,40})\}\}/g

function isPlaceholder(name: string): name is Placeholder {
  return (placeholders as readonly string[]).includes(name)
}

/** The messages with these ids. */
export async function findBroadcasts(deps: Deps, ids: string[]): Promise<Broadcast[]> {
  const found = ids.length === 0 ? [] : await deps.db.select().from(broadcasts).where(inArray(broadcasts.id, ids))
  return Promise.all(
    found.map(async ({ id, subject, body, workshopId }) => ({
      ...{ id, subject, body },
      workshop: workshopId ? await findWorkshopById(deps, workshopId) : undefined,
    })),
  )
}

/** What an organiser typed. */
export type BroadcastDraft = { subject: string; body: string }

/** Characters that a subject and a body may have at the most. */
export const broadcastLimits = { subject: 200, body: 10_000 } as const

export type BroadcastProblem =
  | { field: keyof BroadcastDraft; code: 'missing' | 'too_long' }
  /** `names`: what stands in braces and for nothing, at most 50 of them. */
  | { field: keyof BroadcastDraft; code: 'unknown_placeholder'; names: string[] }

/** Reads a message as it was typed: made plain text, but for what is too long, and what is wrong with it. */
export function parseBroadcast(input: BroadcastDraft): { draft: BroadcastDraft; problems: BroadcastProblem[] } {
  const normalized = {
    subject: normalizeLine(input.subject, broadcastLimits.subject),
    body: normalizeText(input.body, broadcastLimits.body),
  }
  const problems = (['subject', 'body'] as const).flatMap((field): BroadcastProblem[] => {
    const text = normalized[field]
    if (text === undefined) return [{ field, code: 'too_long' }]
    if (!text) return [{ field, code: 'missing' }]
    const names = findUnknownPlaceholders(text).slice(0, maxProblems)
    return names.length > 0 ? [{ field, code: 'unknown_placeholder', names }] : []
  })
  return { draft: { subject: normalized.subject ?? input.subject, body: normalized.body ?? input.body }, problems }
}

/** Whom a message is for: who of a workshop, or of all workshops of a campaign, a filter lets through. */
export type Audience = {
  about: { workshopId: string } | { campaignId: string }
  /** The one workshop, or all of the campaign in the order of their dates. */
  workshops: readonly Workshop[]
  filter: PeopleFilter
}

/**
 * Whom a message would go to now: each mailbox once, with a seat before without, then by the dates of the workshops.
 * Those who cancelled are left out unless the filter asks for them, those without an address always: they were
 * erased, or came to the door without having signed up.
 */
export async function findAudience(
  deps: Deps,
  audience: Audience,
): Promise<{ people: number; first: string | undefined }> {
  const [found] = await query<{ people: number; first: string | null }>(
    deps.db,
    sql`with audience as (${await audienceQuery(deps, audience)})
        select count(*)::int as people, (select id from audience order by place, seq limit 1) as first from audience`,
  )
  return { people: found?.people ?? 0, first: found?.first ?? undefined }
}

async function audienceQuery(deps: Deps, { workshops, filter }: Audience): Promise<SQL> {
  const workshopPosition = sql`array_position(${uuidArray(workshops.map(({ id }) => id))}, r.workshop_id)`
  return sql`
    select distinct on (r.email_key) r.id, r.seq, ${workshopPosition} as place
    from registrations r
    where ${await buildPeopleCondition(deps, workshops, filter)} and r.email <> ''
      ${filter.status ? sql`` : sql`and r.status <> 'cancelled'`}
    order by r.email_key, array_position(array['confirmed', 'offered', 'waitlisted', 'cancelled'], r.status),
      ${workshopPosition}, r.seq`
}

/** Why a message does not go out. `sent_already`: under this id another one did. */
export type BroadcastRefusal = 'invalid' | 'nobody' | 'sent_already'

export type BroadcastOutcome =
  | { kind: 'sent'; people: number }
  | { kind: 'refused'; refusal: Exclude<BroadcastRefusal, 'invalid'> }
  | { kind: 'refused'; refusal: 'invalid'; problems: BroadcastProblem[] }

/**
 * Owes a mail of a message to everyone it is for, in one statement. The same id again is answered the same, and owes
 * nothing: two clicks send once.
 * @param id of the message, which its form brought along
 */
export async function sendBroadcast(
  deps: Deps,
  actor: Actor,
  { id, audience, ...input }: BroadcastDraft & { id: string; audience: Audience },
): Promise<BroadcastOutcome> {
  const { draft, problems } = parseBroadcast(input)
  if (problems.length > 0) return { kind: 'refused', refusal: 'invalid', problems }
  const now = timestamptz(deps.now())
  const seconds = bulkMailIntervalSeconds(deps)
  const [sent] = await query<{ written: number; owed: number }>(
    deps.db,
    sql`with audience as materialized (${await audienceQuery(deps, audience)}),
        broadcast as (
          ${insertBroadcast(deps, actor, id, audience.about, draft)} where exists (select 1 from audience)
          on conflict (id) do nothing
          returning id
        ),
        enqueued as (
          insert into mails (registration_id, broadcast_id, kind, created_at, due_at)
          select a.id, w.id, 'message', ${now},
            ${now}::timestamptz + ${seconds} * interval '1 second' * (row_number() over (order by a.place, a.seq) - 1)
          from audience a cross join broadcast w
          order by a.place, a.seq
          returning 1
        )
        select (select count(*) from broadcast)::int as written, (select count(*) from enqueued)::int as owed`,
  )
  if (!sent?.written) return replayResult(deps, id, audience, draft)
  deps.notifyMailQueue()
  const { search, ...filter } = audience.filter
  await recordAudit(deps, actor, {
    action: 'message.sent',
    ...audience.about,
    payload: { count: sent.owed, ...filter },
    pii: { subject: draft.subject, search },
  })
  return { kind: 'sent', people: sent.owed }
}

function insertBroadcast(deps: Deps, actor: Actor, id: string, about: Audience['about'], draft: BroadcastDraft): SQL {
  return sql`
    insert into broadcasts (id, campaign_id, workshop_id, subject, body, organiser_id, created_at)
    select ${id}::uuid, ${'campaignId' in about ? about.campaignId : null}::uuid,
      ${'workshopId' in about ? about.workshopId : null}::uuid, ${draft.subject}, ${draft.body},
      ${actor.organiserId ?? null}::uuid, ${timestamptz(deps.now())}::timestamptz`
}

/** What a message is answered with that was not written: it was before, or nobody fits. */
async function replayResult(
  deps: Deps,
  id: string,
  { about }: Audience,
  { subject, body }: BroadcastDraft,
): Promise<BroadcastOutcome> {
  const [existing] = await deps.db.select().from(broadcasts).where(eq(broadcasts.id, id))
  if (!existing) return { kind: 'refused', refusal: 'nobody' }
  const sameSubject =
    'campaignId' in about ? existing.campaignId === about.campaignId : existing.workshopId === about.workshopId
  const progress = await findBroadcastProgress(deps, id)
  if (!sameSubject || existing.subject !== subject || existing.body !== body || !progress) {
    return { kind: 'refused', refusal: 'sent_already' }
  }
  return { kind: 'sent', people: progress.people }
}

/**
 * Owes a test of a message to the organiser who writes it, filled in with their own name and a workshop's facts. It is
 * a message of its own, which no attendee gets. The same id again owes nothing.
 */
export async function sendTestBroadcast(
  deps: Deps,
  actor: Actor & { organiserId: string },
  { id, workshop, ...input }: BroadcastDraft & { id: string; workshop: Workshop },
): Promise<'sent' | BroadcastProblem[]> {
  const { draft, problems } = parseBroadcast(input)
  if (problems.length > 0) return problems
  const now = timestamptz(deps.now())
  await deps.db.execute(sql`
    with broadcast as (
      ${insertBroadcast(deps, actor, id, { workshopId: workshop.id }, draft)}
      on conflict (id) do nothing
      returning id
    )
    insert into mails (organiser_id, broadcast_id, kind, created_at, due_at)
    select ${actor.organiserId}::uuid, id, 'message', ${now}, ${now} from broadcast`)
  deps.notifyMailQueue()
  return 'sent'
}

/** A message that was sent, how many mails of it are in which state, and how many there are in all. */
export type BroadcastProgress = {
  id: string
  subject: string
  body: string
  createdAt: Date
  /** The name of whoever wrote it; null once that account is gone. */
  author: string | null
  campaign: { slug: string; title: Text } | null
  workshop: { slug: string; city: Text; venue: Text } | null
  states: Record<MailState, number>
  people: number
  /** Set while the mail server refuses the message; `reason` is what it answered, without addresses. */
  paused: { since: Date; reason: string } | null
  /** Of the dead mails, those whose content was refused. */
  refused: number
}

/** How far a message has come, or undefined if none with this id was sent to attendees. */
export async function findBroadcastProgress(deps: Deps, id: string): Promise<BroadcastProgress | undefined> {
  const [found] = await selectProgress(deps, sql`x.id = ${id}::uuid`)
  return found
}

/** The messages to the attendees of a workshop or campaign, the newest first, at most 100. */
export async function listBroadcasts(deps: Deps, about: Audience['about']): Promise<BroadcastProgress[]> {
  return selectProgress(
    deps,
    'campaignId' in about
      ? sql`(x.campaign_id = ${about.campaignId}::uuid
          or x.workshop_id in (select id from workshops where campaign_id = ${about.campaignId}::uuid))`
      : sql`(x.workshop_id = ${about.workshopId}::uuid
          or x.campaign_id = (select campaign_id from workshops where id = ${about.workshopId}::uuid))`,
  )
}

/** A test has no mail to an attendee. */
async function selectProgress(deps: Deps, condition: SQL): Promise<BroadcastProgress[]> {
  const found = await query<
    Omit<BroadcastProgress, 'createdAt' | 'people' | 'paused'> & {
      createdAt: string | Date
      pausedAt: string | Date | null
      refusal: string
    }
  >(
    deps.db,
    sql`select x.id, x.subject, x.body, x.created_at as "createdAt", pause.paused_at as "pausedAt", pause.last_error as refusal,
          counted.refused::int as refused,
          (select coalesce(nullif(name, ''), email) from organisers where id = x.organiser_id) as author,
          (select json_build_object('slug', slug, 'title', title) from campaigns where id = x.campaign_id) as campaign,
          (select json_build_object('slug', slug, 'city', city, 'venue', venue) from workshops
            where id = x.workshop_id) as workshop,
          json_build_object(
            'pending', counted.pending, 'sending', counted.sending, 'sent', counted.sent, 'dead', counted.dead
          ) as states
        from broadcasts x
        cross join lateral (
          select count(*) as people,
            count(*) filter (where state = 'pending') as pending, count(*) filter (where state = 'sending') as sending,
            count(*) filter (where state = 'sent') as sent, count(*) filter (where state = 'dead') as dead,
            count(*) filter (where state = 'dead' and refusals > 0) as refused
          from mails m where m.broadcast_id = x.id and m.registration_id is not null
        ) counted
        left join content_refusals pause on pause.broadcast_id = x.id and pause.paused_at is not null
        where ${condition} and counted.people > 0
        order by x.created_at desc, x.id desc
        limit 100`,
  )
  return found.map(({ pausedAt, refusal, ...message }) => ({
    ...message,
    createdAt: new Date(message.createdAt),
    paused: pausedAt ? { since: new Date(pausedAt), reason: refusal } : null,
    people: Object.values(message.states).reduce((sum, mails) => sum + mails, 0),
  }))
}

/**
 * Sends a message again that the mail server refused: ends its pause, and puts the mails back in the queue whose content was
 * refused. Nobody gets it twice.
 * @returns how many mails are waiting now, or undefined if the message is not paused and none of its mails was refused
 */
export async function resendBroadcast(deps: Deps, actor: Actor, id: string): Promise<number | undefined> {
  const [broadcast] = await deps.db.select().from(broadcasts).where(eq(broadcasts.id, id))
  if (!broadcast) return undefined
  const [resumed] = await query<{ count: number }>(
    deps.db,
    sql`select resume_broadcast(${id}::uuid, ${bulkMailIntervalSeconds(deps)}::double precision, ${timestamptz(deps.now())}) as count`,
  )
  const count = resumed?.count ?? 0
  if (count === 0) return undefined
  deps.notifyMailQueue()
  await recordAudit(deps, actor, {
    action: 'message.sent_again',
    campaignId: broadcast.campaignId ?? undefined,
    workshopId: broadcast.workshopId ?? undefined,
    payload: { count },
    pii: { subject: broadcast.subject },
  })
  return count
}
