import { type SQL, sql } from 'drizzle-orm'
import { query, timestamptz, uuidArray } from '../../db/database.ts'
import type { Text } from '../../db/schema.ts'
import type { Deps } from '../deps.ts'
import { type DeliveryPause, findDeliveryPause, isNotPaused } from '../mails/outbox.ts'
import { listWorkshops, type Workshop } from '../workshops/workshops.ts'
import { isObsolete, type StatsScope } from './statistics.ts'

/*
 * What organisers should look at, before somebody asks them: in counts, without names.
 */

/** Which workshop or campaign something is about, to name and to find it. */
export type WorkshopRef = Pick<Workshop, 'slug' | 'city' | 'startsAt' | 'endsAt' | 'timeZone'>
export type CampaignRef = { slug: string; title: Text }

/** What an organiser should look at. The order of the kinds is the order of urgency. */
export type Alert =
  /** The mail server refuses the content of all mails. `count`: how many wait. */
  | ({ kind: 'delivery_paused'; count: number } & DeliveryPause)
  /** The mail server refuses a message of an organiser. `id`: of the message; `count`: how many of its mails wait. */
  | { kind: 'message_paused'; id: string; subject: string; count: number }
  /** Mails to attendees that a server refused for good. */
  | { kind: 'mails_failed'; count: number; workshop: WorkshopRef }
  /** Owed for longer than half an hour, because the mail server does not take them or nobody delivers. */
  | { kind: 'mails_waiting'; count: number; since: Date }
  /** There is no mail server to give them to. */
  | { kind: 'mails_held'; count: number }
  | { kind: 'group_expired'; workshop: WorkshopRef; expiresAt: Date; already: boolean }
  /** A link that was scanned, so that it is in print somewhere, and leads on no longer. */
  | { kind: 'link_expired'; code: string; channel: string; about: WorkshopRef | CampaignRef }
  | { kind: 'no_address'; workshop: WorkshopRef }
  | { kind: 'same_lead'; lead: string; workshop: WorkshopRef; other: WorkshopRef }
  | { kind: 'waiting_while_closed'; workshop: WorkshopRef; waitlisted: number; free: number }
  | { kind: 'too_few_boards'; workshop: WorkshopRef; capacity: number; boards: number }
  /** It can be registered for, but its campaign's page is not public. */
  | { kind: 'campaign_unpublished'; workshop: WorkshopRef; campaign: CampaignRef }
  | { kind: 'draft_soon'; workshop: WorkshopRef }
  | { kind: 'draft_past'; workshop: WorkshopRef }
export type AlertKind = Alert['kind']

/**
 * What needs attention, the most urgent first: of all workshops that are to come, or of some.
 * @scope scope of these workshops, and without what concerns the installation
 */
export async function listAlerts(deps: Deps, scope?: StatsScope): Promise<Alert[]> {
  const now = deps.now()
  const workshops = scope?.workshops ?? (await listMonitoredWorkshops(deps))
  const ids = uuidArray(workshops.map(({ id }) => id))
  const refs = new Map(workshops.map((workshop) => [workshop.id, toWorkshopRef(workshop)]))
  const [failed, mailAlerts, paused, groups, links] = await Promise.all([
    query<{ workshop_id: string; n: number }>(
      deps.db,
      // Dead mails are few; what they are about is looked up for each.
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
  const found: Alert[] = [
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
        already: new Date(expires_at) <= now,
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
  const startTime = (one: Alert) => ('workshop' in one ? one.workshop.startsAt.getTime() : 0)
  return found.sort((a, b) => urgency(a) - urgency(b) || startTime(a) - startTime(b))
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

/** What a workshop alone shows at a moment. */
function workshopAlerts(workshop: Workshop, now: Date): Alert[] {
  const { state, startsAt, endsAt, closesAt, capacity, taken, waitlisted, boards, campaign, address } = workshop
  const ref = toWorkshopRef(workshop)
  if (state === 'cancelled') return []
  if (state === 'draft') {
    if (endsAt <= now) return [{ kind: 'draft_past', workshop: ref }]
    return isWithinDays(startsAt, 14, now) ? [{ kind: 'draft_soon', workshop: ref }] : []
  }
  if (startsAt <= now) return []
  const found: Alert[] = []
  const isClosed = state === 'closed' || (closesAt !== null && closesAt <= now)
  if (!address.zh && !address.en && isWithinDays(startsAt, 14, now)) found.push({ kind: 'no_address', workshop: ref })
  if (isClosed && waitlisted > 0) {
    found.push({ kind: 'waiting_while_closed', workshop: ref, waitlisted, free: capacity - taken })
  }
  // Without a single board none are lent.
  if (boards > 0 && capacity > boards) found.push({ kind: 'too_few_boards', workshop: ref, capacity, boards })
  if (campaign?.state === 'draft') {
    const { slug, title } = campaign
    found.push({ kind: 'campaign_unpublished', workshop: ref, campaign: { slug, title } })
  }
  return found
}

/** Two workshops at the same time of which one person is in charge. */
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

/** Whether a workshop is public and not over. */
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

/** The workshops that are not over, and the drafts of the last three months that were never published. */
async function listMonitoredWorkshops(deps: Deps): Promise<Workshop[]> {
  const [{ items: upcoming }, { items: over }] = await Promise.all([
    listWorkshops(deps, { drafts: true, limit: maxWorkshops }),
    listWorkshops(deps, { drafts: true, status: 'over', limit: maxWorkshops }),
  ])
  const since = deps.now().getTime() - 90 * dayMs
  return [...upcoming, ...over.filter(({ state, endsAt }) => state === 'draft' && endsAt.getTime() > since)]
}

/** More than an installation has at a time. */
const maxWorkshops = 500

/**
 * Whether mails are held because there is no mail server, wait because delivery is paused, or wait for longer than half an
 * hour: one entry or none. Mails of a paused message are not among them.
 */
export async function listMailAlerts(deps: Deps): Promise<Alert[]> {
  const cutoff = timestamptz(new Date(deps.now().getTime() - 30 * 60_000))
  const [queued] = await query<{ all: number; waiting: number; since: string | Date | null }>(
    deps.db,
    // What was refused for now says why; what nobody tried is due all the time.
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
