import { type SQL, sql } from 'drizzle-orm'
import { query, timestamptz } from '../../db/database.ts'
import type { Text } from '../../db/schema.ts'
import type { Deps } from '../deps.ts'

/** What is written down of those who change, export or look up something. */
export const auditActions = [
  'campaign.created',
  'campaign.changed',
  'campaign.published',
  'campaign.unpublished',
  'workshop.created',
  'workshop.changed',
  'workshop.published',
  'workshop.unpublished',
  'workshop.closed',
  'workshop.reopened',
  'workshop.cancelled',
  'link.created',
  'link.changed',
  'person.looked_up',
  'person.changed',
  'person.cancelled',
  'person.moved',
  'person.promoted',
  'person.added',
  'person.merged',
  'person.told_apart',
  'person.erased',
  'list.looked_up',
  'list.exported',
  'message.sent',
  'message.sent_again',
  'mail.sent_again',
  'group.changed',
  'attendance.closed',
  'attendance.reopened',
  'materials.changed',
  'feedback.changed',
  'feedback.exported',
  'board.added',
  'board.changed',
  'board.removed',
  'board.packed',
  'board.lent',
  'board.returned',
  'board.asked_back',
  'board.exported',
  'organiser.invited',
  'organiser.role_changed',
  'organiser.removed',
  'session.ended',
  'door.opened',
  'door.ended',
  'door.renewed',
  'token.created',
  'token.revoked',
  'audit.exported',
] as const
export type AuditAction = (typeof auditActions)[number]

/** Who did it: an organiser or an API token, by the name it has now. */
export type Actor = { name: string; organiserId?: string | undefined; tokenId?: string | undefined }

export type AuditInput = {
  action: AuditAction
  campaignId?: string | undefined
  workshopId?: string | undefined
  /** Whose registration it was about. What concerns two people is written down twice, once for each. */
  registrationId?: string | undefined
  /**
   * What it was about in words that are no personal data of attendees, and that stay. The log page has names for those in
   * messages/figures.zh-CN.ts, and shows others as they are called here; `changed` is a list of fields.
   */
  payload?: Record<string, unknown> | undefined
  /**
   * What it tells of attendees and helpers, and what was searched for. It goes when the person of `registrationId` is erased or
   * purged; without one, RETENTION_DAYS after it was written down.
   */
  pii?: Record<string, unknown> | undefined
}

/** One line of the audit log, with what it was about as that is called now. */
export type AuditEntry = {
  id: number
  at: Date
  /** The name of the organiser or API token, as it was then. */
  actor: string
  by: 'organiser' | 'token' | 'gone'
  action: AuditAction
  campaign: { slug: string; title: Text } | null
  workshop: { slug: string; city: Text; startsAt: Date; timeZone: string } | null
  registration: { id: string; seq: number; name: string; erased: boolean } | null
  payload: Record<string, unknown>
  pii: Record<string, unknown> | null
}

export type AuditFilter = {
  /** A part of the actor's name, in any case. */
  actor?: string | undefined
  action?: AuditAction | undefined
  /** From this moment on. */
  from?: Date | undefined
  /** Before this moment. */
  to?: Date | undefined
  campaignId?: string | undefined
  workshopId?: string | undefined
  registrationId?: string | undefined
  /** The `next` of the page before. */
  before?: number | undefined
  limit?: number | undefined
}

/**
 * Writes down who did what. In a transaction with what was done where that is one; `deps.db` may be it.
 * What is told of a person who is erased already is left out.
 */
export async function recordAudit(deps: Pick<Deps, 'db' | 'now'>, actor: Actor, entry: AuditInput): Promise<void> {
  const { registrationId = null, payload = {}, pii } = entry
  const storedPii = pii && Object.keys(pii).length > 0 ? JSON.stringify(pii) : null
  // Whoever erases the person locks the row too: one of the two waits, and what is told goes either way.
  await deps.db.execute(sql`
    with person as (select erased_at from registrations where id = ${registrationId}::uuid for share)
    insert into audit_entries (at, actor, organiser_id, token_id, action, campaign_id, workshop_id, registration_id, payload, pii)
    values (
      -- Who has just taken their own account away did it all the same.
      ${timestamptz(deps.now())}, ${actor.name}, (select id from organisers where id = ${actor.organiserId ?? null}::uuid),
      ${actor.tokenId ?? null}::uuid, ${entry.action},
      ${entry.campaignId ?? null}::uuid, ${entry.workshopId ?? null}::uuid, ${registrationId}::uuid,
      ${JSON.stringify(payload)}::jsonb,
      case when (select erased_at from person) is null then ${storedPii}::jsonb end
    )
  `)
}

/**
 * Writes down who did what in the statement that does it, so that nothing is done that is not written down.
 * @source source the rows that tell that it was done, one for each entry: `answer where outcome = 'promoted'`, say
 * @param payload in addition to that of the entry, as jsonb
 */
export function insertAudit(
  deps: Pick<Deps, 'now'>,
  actor: Actor,
  entry: AuditInput & { pii: Record<string, unknown> },
  source: SQL,
  payload: SQL,
): SQL {
  const { action, campaignId = null, workshopId = null, registrationId = null } = entry
  return sql`
    insert into audit_entries (at, actor, organiser_id, token_id, action, campaign_id, workshop_id, registration_id, payload, pii)
    select ${timestamptz(deps.now())}::timestamptz, ${actor.name}::text,
      (select id from organisers where id = ${actor.organiserId ?? null}::uuid), ${actor.tokenId ?? null}::uuid,
      ${action}::text, ${campaignId}::uuid, ${workshopId}::uuid, ${registrationId}::uuid,
      ${JSON.stringify(entry.payload ?? {})}::jsonb || ${payload}, ${JSON.stringify(entry.pii)}::jsonb
    from ${source}`
}

/** A page of the audit log, the newest first. */
export async function listAudit(
  deps: Deps,
  filter: AuditFilter,
): Promise<{ entries: AuditEntry[]; next: number | undefined }> {
  const limit = filter.limit ?? 50
  // One more than asked for tells whether there are more.
  const found = await query<StoredEntry>(deps.db, selectEntries(filter, limit + 1))
  const entries = found.slice(0, limit).map(parseEntry)
  return { entries, next: found.length > limit ? entries.at(-1)?.id : undefined }
}

/** The whole audit log of a filter, the newest first, so many entries at a time. */
export async function* streamAudit(deps: Deps, filter: AuditFilter): AsyncGenerator<AuditEntry[]> {
  for (let before = filter.before; ; ) {
    const { entries, next } = await listAudit(deps, { ...filter, before, limit: 500 })
    yield entries
    if (next === undefined) return
    before = next
  }
}

/**
 * Empties what entries that name no registration tell of attendees, searches above all, once they were written down
 * before a moment. Returns how many.
 */
export async function purgeSearchLog(deps: Pick<Deps, 'db'>, before: Date): Promise<number> {
  const emptied = await query(
    deps.db,
    sql`
      with due as (
        -- In the order of their ids, because two purges may meet, and one and the erasing of a person.
        select id from audit_entries
        where at < ${timestamptz(before)} and registration_id is null and pii is not null
        order by id for no key update
      )
      update audit_entries e set pii = null from due where e.id = due.id returning e.id
    `,
  )
  return emptied.length
}

type StoredEntry = {
  id: number | string
  at: string | Date
  actor: string
  by: AuditEntry['by']
  action: AuditAction
  campaign: AuditEntry['campaign']
  workshop: { slug: string; city: Text; startsAt: string; timeZone: string } | null
  registration: AuditEntry['registration']
  payload: Record<string, unknown>
  pii: Record<string, unknown> | null
}

/** The page is taken first, and what it was about is looked up for its lines. */
function selectEntries(filter: AuditFilter, limit: number): SQL {
  const { actor, action, from, to, campaignId, workshopId, registrationId, before } = filter
  const conditions = [
    actor && sql`strpos(lower(actor), lower(${actor})) > 0`,
    action && sql`action = ${action}`,
    from && sql`at >= ${timestamptz(from)}`,
    to && sql`at < ${timestamptz(to)}`,
    // What was done to a workshop was done to its campaign.
    campaignId &&
      sql`(campaign_id = ${campaignId}::uuid
        or workshop_id in (select id from workshops where campaign_id = ${campaignId}::uuid))`,
    workshopId && sql`workshop_id = ${workshopId}::uuid`,
    registrationId && sql`registration_id = ${registrationId}::uuid`,
    before !== undefined && sql`id < ${before}`,
  ].filter((condition) => condition !== undefined && condition !== false && condition !== '')
  return sql`
    with page as materialized (
      select * from audit_entries
      where ${conditions.length > 0 ? sql.join(conditions as SQL[], sql` and `) : sql`true`}
      order by id desc limit ${limit}
    )
    select p.id, p.at, p.actor, p.action, p.payload, p.pii,
      case when p.organiser_id is not null then 'organiser' when p.token_id is not null then 'token' else 'gone' end as by,
      (select json_build_object('slug', c.slug, 'title', c.title) from campaigns c where c.id = p.campaign_id) as campaign,
      (select json_build_object('slug', w.slug, 'city', w.city, 'startsAt', w.starts_at, 'timeZone', w.time_zone)
        from workshops w where w.id = p.workshop_id) as workshop,
      (select json_build_object('id', r.id, 'seq', r.seq, 'name', r.name, 'erased', r.erased_at is not null)
        from registrations r where r.id = p.registration_id) as registration
    from page p
    order by p.id desc`
}

function parseEntry(row: StoredEntry): AuditEntry {
  return {
    ...row,
    id: Number(row.id),
    at: new Date(row.at),
    workshop: row.workshop && { ...row.workshop, startsAt: new Date(row.workshop.startsAt) },
  }
}
