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

/** An organiser's message to attendees: plain text with placeholders. */
export type Broadcast = {
  id: string
  subject: string
  body: string
  /** The workshop whose details fill in a test mail; undefined for a broadcast to a campaign. */
  workshop: Workshop | undefined
}

/** Placeholders, written as `{{name}}` and filled in for each attendee. */
export const placeholders = ['name', 'workshop', 'city', 'date', 'time', 'place', 'ticket'] as const
export type Placeholder = (typeof placeholders)[number]

/** Returns unknown placeholders, each once, and unpaired double braces with the text next to them. */
export function findUnknownPlaceholders(text: string): string[] {
  const names = [...text.matchAll(placeholderPattern)].map(([, name = '']) => name.trim())
  const unpaired = text.replace(placeholderPattern, ' ').match(/\{\{[^\s{}]{0,20}|[^\s{}]{0,20}\}\}/g) ?? []
  return [...new Set([...names.filter((name) => !isPlaceholder(name)), ...unpaired])]
}

/**
 * Fills in placeholders; unknown ones are kept. A URL that replaces a placeholder is a separate link, whatever text is next to
 * it. The attendee's name is never turned into a link.
 */
export function fillPlaceholders(text: string, values: PlaceholderValues): LinkedText {
  // Splitting by a pattern with a group: parts with odd index are the text within braces.
  const parts = text.split(placeholderPattern).flatMap((part, n): LinkedText => {
    if (n % 2 === 0) return linkUrls(part)
    const name = part.trim()
    if (!isPlaceholder(name)) return [`{{${part}}}`]
    if (name === 'ticket') return [{ url: values.ticket, separate: true }]
    return name === 'name' ? [values.name] : separateTrailingUrl(linkUrls(values[name]))
  })
  return joinTexts(parts)
}

/** Values of the placeholders; `ticket` is a URL. */
export type PlaceholderValues = Record<Placeholder, string>

/** Marks a URL at the end of a value as separate, so that following text does not become part of it. */
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

export async function findBroadcasts(deps: Deps, ids: string[]): Promise<Broadcast[]> {
  const rows = ids.length === 0 ? [] : await deps.db.select().from(broadcasts).where(inArray(broadcasts.id, ids))
  return Promise.all(
    rows.map(async ({ id, subject, body, workshopId }) => ({
      ...{ id, subject, body },
      workshop: workshopId ? await findWorkshopById(deps, workshopId) : undefined,
    })),
  )
}

export type BroadcastDraft = { subject: string; body: string }

/** Maximum lengths. */
export const broadcastLimits = { subject: 200, body: 10_000 } as const

export type BroadcastProblem =
  | { field: keyof BroadcastDraft; code: 'missing' | 'too_long' }
  /** `names`: as returned by `findUnknownPlaceholders`, at most 50. */
  | { field: keyof BroadcastDraft; code: 'unknown_placeholder'; names: string[] }

/** Parses the form of a broadcast: the text normalized, except fields that are too long, and its problems. */
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

/** Recipients of a broadcast: registrations of a workshop or campaign that match a filter. */
export type Audience = {
  about: { workshopId: string } | { campaignId: string }
  /** The one workshop, or all of the campaign in the order of their dates. */
  workshops: readonly Workshop[]
  filter: PeopleFilter
}

/**
 * Counts the recipients that a broadcast would have now, and returns the id of the first. Each address counts once; of several
 * registrations the one with a seat is taken, then the earliest workshop. Cancelled ones need a filter by that status. Those
 * without an address (erased or walk-ins) are excluded.
 */
export async function findAudience(
  deps: Deps,
  audience: Audience,
): Promise<{ people: number; first: string | undefined }> {
  const [result] = await query<{ people: number; first: string | null }>(
    deps.db,
    sql`with audience as (${await audienceQuery(deps, audience)})
        select count(*)::int as people, (select id from audience order by place, seq limit 1) as first from audience`,
  )
  return { people: result?.people ?? 0, first: result?.first ?? undefined }
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

/** Why a broadcast is refused. `sent_already`: another one was sent with this id. */
export type BroadcastRefusal = 'invalid' | 'nobody' | 'sent_already'

export type BroadcastOutcome =
  | { kind: 'sent'; people: number }
  | { kind: 'refused'; refusal: Exclude<BroadcastRefusal, 'invalid'> }
  | { kind: 'refused'; refusal: 'invalid'; problems: BroadcastProblem[] }

/**
 * Stores a broadcast and enqueues a mail to each recipient, in one statement. Idempotent by `id`, so that a double click sends
 * once.
 * @param id of the broadcast, a hidden field of its form
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
  const [sent] = await query<{ written: number; queued: number }>(
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
        select (select count(*) from broadcast)::int as written, (select count(*) from enqueued)::int as queued`,
  )
  if (!sent?.written) return replayResult(deps, id, audience, draft)
  deps.notifyMailQueue()
  const { search, ...filter } = audience.filter
  await recordAudit(deps, actor, {
    action: 'message.sent',
    ...audience.about,
    payload: { count: sent.queued, ...filter },
    pii: { subject: draft.subject, search },
  })
  return { kind: 'sent', people: sent.queued }
}

function insertBroadcast(deps: Deps, actor: Actor, id: string, about: Audience['about'], draft: BroadcastDraft): SQL {
  return sql`
    insert into broadcasts (id, campaign_id, workshop_id, subject, body, organiser_id, created_at)
    select ${id}::uuid, ${'campaignId' in about ? about.campaignId : null}::uuid,
      ${'workshopId' in about ? about.workshopId : null}::uuid, ${draft.subject}, ${draft.body},
      ${actor.organiserId ?? null}::uuid, ${timestamptz(deps.now())}::timestamptz`
}

/** The outcome for a broadcast that was not inserted: it was sent before, or has no recipients. */
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
 * Enqueues a test mail to the author, filled in with their name and a workshop's details. It is stored as a separate
 * broadcast without other recipients. Idempotent by `id`.
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

/** A sent broadcast, with its mails by state and their total. */
export type BroadcastProgress = {
  id: string
  subject: string
  body: string
  createdAt: Date
  /** Name of the author; null once the account was deleted. */
  author: string | null
  campaign: { slug: string; title: Text } | null
  workshop: { slug: string; city: Text; venue: Text } | null
  states: Record<MailState, number>
  people: number
  /** Set while paused because the mail server refuses the content; `reason` is its reply without addresses. */
  paused: { since: Date; reason: string } | null
  /** Number of dead mails whose content was refused. */
  refused: number
}

/** Undefined if no broadcast with this id was sent to attendees. */
export async function findBroadcastProgress(deps: Deps, id: string): Promise<BroadcastProgress | undefined> {
  const [progress] = await selectProgress(deps, sql`x.id = ${id}::uuid`)
  return progress
}

/** Lists the broadcasts that concern a workshop or campaign, newest first, at most 100. */
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

/** Excludes tests, which have no mail to an attendee. */
async function selectProgress(deps: Deps, condition: SQL): Promise<BroadcastProgress[]> {
  const rows = await query<
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
  return rows.map(({ pausedAt, refusal, ...broadcast }) => ({
    ...broadcast,
    createdAt: new Date(broadcast.createdAt),
    paused: pausedAt ? { since: new Date(pausedAt), reason: refusal } : null,
    people: Object.values(broadcast.states).reduce((sum, mails) => sum + mails, 0),
  }))
}

/**
 * Resends a broadcast that the mail server refused: ends its pause and requeues the mails whose content was refused. Mails
 * already sent are not repeated.
 * @returns the number of queued mails, or undefined if it is not paused and none of its mails was refused
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
