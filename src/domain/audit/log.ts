import { type SQL, sql } from 'drizzle-orm'
import { query, timestamptz } from '../../db/database.ts'
import type { Text } from '../../db/schema.ts'
import type { Deps } from '../deps.ts'

/** The actions that are recorded in the audit log: changes, exports and look-ups. */
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

/** An organiser or an API token, with its current name. */
export type Actor = { name: string; organiserId?: string | undefined; tokenId?: string | undefined }

export type AuditInput = {
  action: AuditAction
  campaignId?: string | undefined
  workshopId?: string | undefined
  /** The registration concerned. An action that concerns two registrations gets an entry for each. */
  registrationId?: string | undefined
  /**
   * Details without personal data of attendees; kept for ever. The log page labels the keys that are listed in
   * i18n/zh-CN/reports.ts and shows others as they are. `changed` is a list of fields.
   */
  payload?: Record<string, unknown> | undefined
  /**
   * Personal data of attendees and helpers, and search terms. Cleared when the person of `registrationId` is erased or
   * purged; without a `registrationId`, RETENTION_DAYS after it was recorded.
   */
  pii?: Record<string, unknown> | undefined
}

/** An entry of the audit log, with the current names of what it concerns. */
export type AuditEntry = {
  id: number
  at: Date
  /** The name of the organiser or API token at that time. */
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
  /** Part of the actor's name, case-insensitive. */
  actor?: string | undefined
  action?: AuditAction | undefined
  /** Inclusive. */
  from?: Date | undefined
  /** Exclusive. */
  to?: Date | undefined
  campaignId?: string | undefined
  workshopId?: string | undefined
  registrationId?: string | undefined
  /** The `next` of the previous page. */
  before?: number | undefined
  limit?: number | undefined
}

/**
 * Records an action in the audit log. If the action runs in a transaction, pass that as `deps.db`. `pii` is omitted if
 * the person is already erased.
 */
export async function recordAudit(deps: Pick<Deps, 'db' | 'now'>, actor: Actor, entry: AuditInput): Promise<void> {
  const { registrationId = null, payload = {}, pii } = entry
  const piiJson = pii && Object.keys(pii).length > 0 ? JSON.stringify(pii) : null
  // Erasing a person locks the row too, so one of the two waits, and `pii` is gone either way.
  await deps.db.execute(sql`
    with person as (select erased_at from registrations where id = ${registrationId}::uuid for share)
    insert into audit_entries (at, actor, organiser_id, token_id, action, campaign_id, workshop_id, registration_id, payload, pii)
    values (
      -- Null if the actor has just deleted their own account.
      ${timestamptz(deps.now())}, ${actor.name}, (select id from organisers where id = ${actor.organiserId ?? null}::uuid),
      ${actor.tokenId ?? null}::uuid, ${entry.action},
      ${entry.campaignId ?? null}::uuid, ${entry.workshopId ?? null}::uuid, ${registrationId}::uuid,
      ${JSON.stringify(payload)}::jsonb,
      case when (select erased_at from person) is null then ${piiJson}::jsonb end
    )
  `)
}

/**
  const { registrationId = null, payload = {}, pii } = entry
  const piiJson = pii && Object.keys(pii).length > 0 ? JSON.stringify(pii) : null
  // Erasing a person locks the row too, so one of the two waits, and `pii` is gone either way.
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

/** A page of the audit log, newest first. */
export async function listAudit(
  deps: Deps,
  filter: AuditFilter,
): Promise<{ entries: AuditEntry[]; next: number | undefined }> {
  const limit = filter.limit ?? 50
  // One more row than the page has shows whether there is a next page.
  const rows = await query<StoredEntry>(deps.db, selectEntries(filter, limit + 1))
  const entries = rows.slice(0, limit).map(parseEntry)
  return { entries, next: rows.length > limit ? entries.at(-1)?.id : undefined }
}

/** All audit entries that match a filter, newest first, in pages of 500. */
export async function* streamAudit(deps: Deps, filter: AuditFilter): AsyncGenerator<AuditEntry[]> {
  for (let before = filter.before; ; ) {
    const { entries, next } = await listAudit(deps, { ...filter, before, limit: 500 })
    yield entries
    if (next === undefined) return
    before = next
  }
}

/**
 * Clears the personal data (mostly search terms) of entries without a registration that are older than `before`. Returns
 * their number.
 */
export async function purgeSearchLog(deps: Pick<Deps, 'db'>, before: Date): Promise<number> {
  const cleared = await query(
    deps.db,
    sql`
      with due as (
        -- In the order of their ids, because two purges may run at once, or a purge and the erasure of a person.
        select id from audit_entries
        where at < ${timestamptz(before)} and registration_id is null and pii is not null
        order by id for no key update
      )
      update audit_entries e set pii = null from due where e.id = due.id returning e.id
    `,
  )
  return cleared.length
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

/** Selects the page first, then joins what its entries concern. */
function selectEntries(filter: AuditFilter, limit: number): SQL {
  const { actor, action, from, to, campaignId, workshopId, registrationId, before } = filter
  const conditions = [
    actor && sql`strpos(lower(actor), lower(${actor})) > 0`,
    action && sql`action = ${action}`,
    from && sql`at >= ${timestamptz(from)}`,
    to && sql`at < ${timestamptz(to)}`,
    // The entries of a campaign include those of its workshops.
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
