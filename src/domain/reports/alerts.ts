import { type SQL, sql } from 'drizzle-orm'
import { query, timestamptz, uuidArray } from '../../db/database.ts'
import type { Text } from '../../db/schema.ts'
import type { Deps } from '../deps.ts'
import { type DeliveryPause, findDeliveryPause, isNotPaused } from '../mails/outbox.ts'
import { listWorkshops, type Workshop } from '../workshops/workshops.ts'
import { isObsolete, type StatsScope } from './statistics.ts'

/** What is needed to name a workshop or campaign and to link to it. */
export type WorkshopRef = Pick<Workshop, 'slug' | 'city' | 'startsAt' | 'endsAt' | 'timeZone'>
export type CampaignRef = { slug: string; title: Text }

/** Something that organisers should look at. Counts only, no names. The kinds are in the order of urgency. */
export type Alert =
  /** The mail server refuses the content of all mails. `count`: queued mails. */
  | ({ kind: 'delivery_paused'; count: number } & DeliveryPause)
  /** The mail server refuses the content of a broadcast. `id`: of the broadcast; `count`: its queued mails. */
  | { kind: 'message_paused'; id: string; subject: string; count: number }
  /** Mails to attendees that a server rejected permanently. */
  | { kind: 'mails_failed'; count: number; workshop: WorkshopRef }
  /** Queued for over half an hour, because the mail server does not accept them or no worker runs. */
  | { kind: 'mails_waiting'; count: number; since: Date }
  /** No mail server is set. */
  | { kind: 'mails_held'; count: number }
  | { kind: 'group_expired'; workshop: WorkshopRef; expiresAt: Date; isExpired: boolean }
  /** A link that was scanned, so it is in print somewhere, and is no longer active. */
  | { kind: 'link_expired'; code: string; channel: string; about: WorkshopRef | CampaignRef }
  | { kind: 'no_address'; workshop: WorkshopRef }
  | { kind: 'same_lead'; lead: string; workshop: WorkshopRef; other: WorkshopRef }
  | { kind: 'waiting_while_closed'; workshop: WorkshopRef; waitlisted: number; free: number }
  | { kind: 'too_few_boards'; workshop: WorkshopRef; capacity: number; boards: number }
  /** The workshop takes registrations, but the page of its campaign is not public. */
  | { kind: 'campaign_unpublished'; workshop: WorkshopRef; campaign: CampaignRef }
  | { kind: 'draft_soon'; workshop: WorkshopRef }
  | { kind: 'draft_past'; workshop: WorkshopRef }
export type AlertKind = Alert['kind']

/**
 * The alerts of all upcoming workshops, most urgent first.
 * @param scope only the alerts of these workshops, and none about the outbox
 */
export async function listAlerts(deps: Deps, scope?: StatsScope): Promise<Alert[]> {
  const now = deps.now()
  const workshops = scope?.workshops ?? (await listMonitoredWorkshops(deps))
  const ids = uuidArray(workshops.map(({ id }) => id))
  const refs = new Map(workshops.map((workshop) => [workshop.id, toWorkshopRef(workshop)]))
  const [failed, mailAlerts, paused, groups, links] = await Promise.all([
    query<{ workshop_id: string; n: number }>(
      deps.db,
      // Dead mails are few, so their registrations are looked up one by one.
      sql`with dead as materialized (
            select m.registration_id from mails m
            where m.state = 'dead' and m.registration_id is not null and not ${isObsolete}
          )
          select r.workshop_id, count(*)::int as n from dead join registrations r on r.id = dead.registration_id
          where r.workshop_id = any(${ids}) group by 1`,
    ),
    scope ? [] : listMailAlerts(deps),
    query<{ id: string; subject: string; count: number }>(
      deps.db,
      sql`select x.id, x.subject, (
            select count(*)::int from mails m where m.broadcast_id = x.id and m.state = 'pending'
          ) as count
          from content_refusals c join broadcasts x on x.id = c.broadcast_id
          where c.paused_at is not null and (
            ${!scope} or x.workshop_id = any(${ids})
            or x.campaign_id in (select campaign_id from workshops where id = any(${ids}))
          )
          order by c.paused_at, x.id`,
    ),
    query<{ workshop_id: string; expires_at: string | Date }>(
      deps.db,
      sql`select workshop_id, expires_at from chat_groups
          where workshop_id = any(${ids}) and expires_at < ${timestamptz(new Date(now.getTime() + dayMs))}`,
    ),
    query<{ code: string; channel: string; workshop_id: string | null; campaign: CampaignRef | null }>(
      deps.db,
      sql`select l.code, l.channel, l.workshop_id,
            case when c.id is not null then json_build_object('slug', c.slug, 'title', c.title) end as campaign
          from registration_links l left join campaigns c on c.id = l.campaign_id
          where l.scans > 0 and (not l.active or l.expires_at <= ${timestamptz(now)}) and (
            l.workshop_id = any(${openIds(workshops, now)})
            or l.campaign_id in (select campaign_id from workshops where id = any(${openIds(workshops, now)}))
          )
          order by l.scans desc`,
    ),
  ])
  const alerts: Alert[] = [
    ...paused.map((message) => ({ kind: 'message_paused' as const, ...message })),
    ...failed.map(({ workshop_id, n }) => ({
      kind: 'mails_failed' as const,
      count: n,
      workshop: refs.get(workshop_id) as WorkshopRef,
    })),
    ...mailAlerts,
    ...groups
      .filter(({ workshop_id }) =>
        isOpen(
          workshops.find(({ id }) => id === workshop_id),
          now,
        ),
      )
      .map(({ workshop_id, expires_at }) => ({
        kind: 'group_expired' as const,
        workshop: refs.get(workshop_id) as WorkshopRef,
        expiresAt: new Date(expires_at),
        isExpired: new Date(expires_at) <= now,
      })),
    ...links.map(({ code, channel, workshop_id, campaign }) => ({
      kind: 'link_expired' as const,
      code,
      channel,
      about: campaign ?? (refs.get(workshop_id as string) as WorkshopRef),
    })),
    ...workshops.flatMap((workshop) => workshopAlerts(workshop, now)),
    ...findLeadConflicts(workshops, now),
  ]
  const urgency = ({ kind }: Alert) => alertKinds.indexOf(kind)
  const startTime = (alert: Alert) => ('workshop' in alert ? alert.workshop.startsAt.getTime() : 0)
  return alerts.sort((a, b) => urgency(a) - urgency(b) || startTime(a) - startTime(b))
}

/** In the order of urgency. */
const alertKinds = [
  'delivery_paused',
  'message_paused',
  'mails_failed',
  'mails_waiting',
  'mails_held',
  'group_expired',
  'link_expired',
  'no_address',
  'same_lead',
  'waiting_while_closed',
  'too_few_boards',
  'campaign_unpublished',
  'draft_soon',
  'draft_past',
] as const satisfies readonly AlertKind[]

/** The alerts that follow from the workshop itself. */
function workshopAlerts(workshop: Workshop, now: Date): Alert[] {
  const { state, startsAt, endsAt, closesAt, capacity, taken, waitlisted, boards, campaign, address } = workshop
  const ref = toWorkshopRef(workshop)
  if (state === 'cancelled') return []
  if (state === 'draft') {
    if (endsAt <= now) return [{ kind: 'draft_past', workshop: ref }]
    return isWithinDays(startsAt, 14, now) ? [{ kind: 'draft_soon', workshop: ref }] : []
  }
  if (startsAt <= now) return []
  const alerts: Alert[] = []
  const isClosed = state === 'closed' || (closesAt !== null && closesAt <= now)
  if (!address.zh && !address.en && isWithinDays(startsAt, 14, now)) alerts.push({ kind: 'no_address', workshop: ref })
  if (isClosed && waitlisted > 0) {
    alerts.push({ kind: 'waiting_while_closed', workshop: ref, waitlisted, free: capacity - taken })
  }
  // Without boards the workshop lends none.
  if (boards > 0 && capacity > boards) alerts.push({ kind: 'too_few_boards', workshop: ref, capacity, boards })
  if (campaign?.state === 'draft') {
    const { slug, title } = campaign
    alerts.push({ kind: 'campaign_unpublished', workshop: ref, campaign: { slug, title } })
  }
  return alerts
}

/** Pairs of workshops at the same time with the same person in charge. */
function findLeadConflicts(workshops: Workshop[], now: Date): Alert[] {
  const workshopsWithLead = workshops.filter((workshop) => workshop.lead?.trim() && isOpen(workshop, now))
  return workshopsWithLead.flatMap((workshop, index) =>
    workshopsWithLead
      .slice(index + 1)
      .filter(
        (other) =>
          other.lead?.trim().toLowerCase() === workshop.lead?.trim().toLowerCase() &&
          other.startsAt < workshop.endsAt &&
          workshop.startsAt < other.endsAt,
      )
      .map((other) => ({
        kind: 'same_lead' as const,
        lead: workshop.lead?.trim() as string,
        workshop: toWorkshopRef(workshop),
        other: toWorkshopRef(other),
      })),
  )
}

/** True if the workshop is public and not over. */
function isOpen(workshop: Workshop | undefined, now: Date): boolean {
  return (
    workshop !== undefined && workshop.endsAt > now && (workshop.state === 'published' || workshop.state === 'closed')
  )
}

function openIds(workshops: Workshop[], now: Date): SQL {
  return uuidArray(workshops.filter((workshop) => isOpen(workshop, now)).map(({ id }) => id))
}

function isWithinDays(moment: Date, days: number, now: Date): boolean {
  return moment > now && moment.getTime() - now.getTime() <= days * dayMs
}

/** The workshops that are not over, and the drafts that ended in the last 90 days. */
async function listMonitoredWorkshops(deps: Deps): Promise<Workshop[]> {
  const [{ items: upcoming }, { items: over }] = await Promise.all([
    listWorkshops(deps, { drafts: true, limit: maxWorkshops }),
    listWorkshops(deps, { drafts: true, status: 'over', limit: maxWorkshops }),
  ])
  const since = deps.now().getTime() - 90 * dayMs
  return [...upcoming, ...over.filter(({ state, endsAt }) => state === 'draft' && endsAt.getTime() > since)]
}

/** More than one installation has at a time. */
const maxWorkshops = 500

/**
 * The alert about the outbox, if any: no mail server is set, delivery is paused, or mails are queued for over half an hour.
 * Mails of a paused broadcast do not count.
 */
export async function listMailAlerts(deps: Deps): Promise<Alert[]> {
  const cutoff = timestamptz(new Date(deps.now().getTime() - 30 * 60_000))
  const [queued] = await query<{ all: number; waiting: number; since: string | Date | null }>(
    deps.db,
    // A mail that was tried and deferred has a reason; one that was never tried counts by its due date.
    sql`select count(*)::int as all, count(*) filter (where ${isOverdue(cutoff)})::int as waiting,
          min(created_at) filter (where ${isOverdue(cutoff)}) as since
        from mails where state in ('pending', 'sending') and ${isNotPaused}`,
  )
  if (!queued?.all) return []
  if (!deps.config.smtpUrl) return [{ kind: 'mails_held', count: queued.all }]
  const pause = await findDeliveryPause(deps)
  if (pause) return [{ kind: 'delivery_paused', count: queued.all, ...pause }]
  return queued.since ? [{ kind: 'mails_waiting', count: queued.waiting, since: new Date(queued.since) }] : []
}

function isOverdue(cutoff: SQL): SQL {
  return sql`created_at < ${cutoff} and (reason is not null or last_error is not null or due_at < ${cutoff})`
}

function toWorkshopRef({ slug, city, startsAt, endsAt, timeZone }: Workshop): WorkshopRef {
  return { slug, city, startsAt, endsAt, timeZone }
}

const dayMs = 24 * 3600 * 1000
