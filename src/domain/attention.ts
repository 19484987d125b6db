import { type SQL, sql } from 'drizzle-orm'
import { at, rows, uuids } from '../db/database.ts'
import type { Text } from '../db/schema.ts'
import type { Deps } from '../deps.ts'
import { isPointless, type Scope } from './figures.ts'
import { type DeliveryPause, findDeliveryPause, isNotPaused } from './mails.ts'
import { listWorkshops, type Workshop } from './workshops.ts'

/*
 * What organisers should look at, before somebody asks them: in counts, without names.
 */

/** Which workshop or campaign something is about, to name and to find it. */
export type WorkshopName = Pick<Workshop, 'slug' | 'city' | 'startsAt' | 'endsAt' | 'timeZone'>
export type CampaignName = { slug: string; title: Text }

/** What an organiser should look at. The order of the kinds is the order of urgency. */
export type Attention =
  /** The mail server refuses the content of all mails. `count`: how many wait. */
  | ({ kind: 'delivery_paused'; count: number } & DeliveryPause)
  /** The mail server refuses a message of an organiser. `id`: of the message; `count`: how many of its mails wait. */
  | { kind: 'message_paused'; id: string; subject: string; count: number }
  /** Mails to attendees that a server refused for good. */
  | { kind: 'mails_failed'; count: number; workshop: WorkshopName }
  /** Owed for longer than half an hour, because the mail server does not take them or nobody delivers. */
  | { kind: 'mails_waiting'; count: number; since: Date }
  /** There is no mail server to give them to. */
  | { kind: 'mails_held'; count: number }
  | { kind: 'group_expired'; workshop: WorkshopName; expiresAt: Date; already: boolean }
  /** A link that was scanned, so that it is in print somewhere, and leads on no longer. */
  | { kind: 'link_expired'; code: string; channel: string; about: WorkshopName | CampaignName }
  | { kind: 'no_address'; workshop: WorkshopName }
  | { kind: 'same_lead'; lead: string; workshop: WorkshopName; other: WorkshopName }
  | { kind: 'waiting_while_closed'; workshop: WorkshopName; waitlisted: number; free: number }
  | { kind: 'too_few_boards'; workshop: WorkshopName; capacity: number; boards: number }
  /** It can be registered for, but its campaign's page is not public. */
  | { kind: 'campaign_unpublished'; workshop: WorkshopName; campaign: CampaignName }
  | { kind: 'draft_soon'; workshop: WorkshopName }
  | { kind: 'draft_past'; workshop: WorkshopName }
export type AttentionKind = Attention['kind']

/**
 * What needs attention, the most urgent first: of all workshops that are to come, or of some.
 * @param only of these workshops, and without what concerns the installation
 */
export async function needsAttention(deps: Deps, only?: Scope): Promise<Attention[]> {
  const now = deps.now()
  const workshops = only?.workshops ?? (await comingAndForgotten(deps))
  const ids = uuids(workshops.map(({ id }) => id))
  const named = new Map(workshops.map((workshop) => [workshop.id, nameOf(workshop)]))
  const [failed, owed, paused, groups, links] = await Promise.all([
    rows<{ workshop_id: string; n: number }>(
      deps.db,
      // Dead mails are few; what they are about is looked up for each.
      sql`with dead as materialized (
            select m.registration_id from mails m
            where m.state = 'dead' and m.registration_id is not null and not ${isPointless}
          )
          select r.workshop_id, count(*)::int as n from dead join registrations r on r.id = dead.registration_id
          where r.workshop_id = any(${ids}) group by 1`,
    ),
    only ? [] : owedMails(deps),
    rows<{ id: string; subject: string; count: number }>(
      deps.db,
      sql`select x.id, x.subject, (
            select count(*)::int from mails m where m.written_id = x.id and m.state = 'pending'
          ) as count
          from content_refusals c join messages x on x.id = c.written_id
          where c.paused_at is not null and (
            ${!only} or x.workshop_id = any(${ids})
            or x.campaign_id in (select campaign_id from workshops where id = any(${ids}))
          )
          order by c.paused_at, x.id`,
    ),
    rows<{ workshop_id: string; expires_at: string | Date }>(
      deps.db,
      sql`select workshop_id, expires_at from chat_groups
          where workshop_id = any(${ids}) and expires_at < ${at(new Date(now.getTime() + dayLong))}`,
    ),
    rows<{ code: string; channel: string; workshop_id: string | null; campaign: CampaignName | null }>(
      deps.db,
      sql`select l.code, l.channel, l.workshop_id,
            case when c.id is not null then json_build_object('slug', c.slug, 'title', c.title) end as campaign
          from registration_links l left join campaigns c on c.id = l.campaign_id
          where l.scans > 0 and (not l.active or l.expires_at <= ${at(now)}) and (
            l.workshop_id = any(${openIds(workshops, now)})
            or l.campaign_id in (select campaign_id from workshops where id = any(${openIds(workshops, now)}))
          )
          order by l.scans desc`,
    ),
  ])
  const found: Attention[] = [
    ...paused.map((message) => ({ kind: 'message_paused' as const, ...message })),
    ...failed.map(({ workshop_id, n }) => ({
      kind: 'mails_failed' as const,
      count: n,
      workshop: named.get(workshop_id) as WorkshopName,
    })),
    ...owed,
    ...groups
      .filter(({ workshop_id }) =>
        isOpen(
          workshops.find(({ id }) => id === workshop_id),
          now,
        ),
      )
      .map(({ workshop_id, expires_at }) => ({
        kind: 'group_expired' as const,
        workshop: named.get(workshop_id) as WorkshopName,
        expiresAt: new Date(expires_at),
        already: new Date(expires_at) <= now,
      })),
    ...links.map(({ code, channel, workshop_id, campaign }) => ({
      kind: 'link_expired' as const,
      code,
      channel,
      about: campaign ?? (named.get(workshop_id as string) as WorkshopName),
    })),
    ...workshops.flatMap((workshop) => attentionTo(workshop, now)),
    ...sameLeads(workshops, now),
  ]
  const urgency = ({ kind }: Attention) => attentionKinds.indexOf(kind)
  const startOf = (one: Attention) => ('workshop' in one ? one.workshop.startsAt.getTime() : 0)
  return found.sort((a, b) => urgency(a) - urgency(b) || startOf(a) - startOf(b))
}

/** In the order of urgency. */
const attentionKinds = [
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
] as const satisfies readonly AttentionKind[]

/** What a workshop alone shows at a moment. */
function attentionTo(workshop: Workshop, now: Date): Attention[] {
  const { state, startsAt, endsAt, closesAt, capacity, taken, waitlisted, boards, campaign, address } = workshop
  const about = nameOf(workshop)
  if (state === 'cancelled') return []
  if (state === 'draft') {
    if (endsAt <= now) return [{ kind: 'draft_past', workshop: about }]
    return within(startsAt, 14, now) ? [{ kind: 'draft_soon', workshop: about }] : []
  }
  if (startsAt <= now) return []
  const found: Attention[] = []
  const isClosed = state === 'closed' || (closesAt !== null && closesAt <= now)
  if (!address.zh && !address.en && within(startsAt, 14, now)) found.push({ kind: 'no_address', workshop: about })
  if (isClosed && waitlisted > 0) {
    found.push({ kind: 'waiting_while_closed', workshop: about, waitlisted, free: capacity - taken })
  }
  // Without a single board none are lent.
  if (boards > 0 && capacity > boards) found.push({ kind: 'too_few_boards', workshop: about, capacity, boards })
  if (campaign?.state === 'draft') {
    const { slug, title } = campaign
    found.push({ kind: 'campaign_unpublished', workshop: about, campaign: { slug, title } })
  }
  return found
}

/** Two workshops at the same time of which one person is in charge. */
function sameLeads(workshops: Workshop[], now: Date): Attention[] {
  const led = workshops.filter((workshop) => workshop.lead?.trim() && isOpen(workshop, now))
  return led.flatMap((workshop, index) =>
    led
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
        workshop: nameOf(workshop),
        other: nameOf(other),
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
  return uuids(workshops.filter((workshop) => isOpen(workshop, now)).map(({ id }) => id))
}

function within(moment: Date, days: number, now: Date): boolean {
  return moment > now && moment.getTime() - now.getTime() <= days * dayLong
}

/** The workshops that are not over, and the drafts of the last three months that were never published. */
async function comingAndForgotten(deps: Deps): Promise<Workshop[]> {
  const [{ items: coming }, { items: over }] = await Promise.all([
    listWorkshops(deps, { drafts: true, limit: mostWorkshops }),
    listWorkshops(deps, { drafts: true, status: 'over', limit: mostWorkshops }),
  ])
  const since = deps.now().getTime() - 90 * dayLong
  return [...coming, ...over.filter(({ state, endsAt }) => state === 'draft' && endsAt.getTime() > since)]
}

/** More than an installation has at a time. */
const mostWorkshops = 500

/**
 * Whether mails are held because there is no mail server, wait because delivery is paused, or wait for longer than half an
 * hour: one entry or none. Mails of a paused message are not among them.
 */
export async function owedMails(deps: Deps): Promise<Attention[]> {
  const longAgo = at(new Date(deps.now().getTime() - 30 * 60_000))
  const [owed] = await rows<{ all: number; waiting: number; since: string | Date | null }>(
    deps.db,
    // What was refused for now says why; what nobody tried is due all the time.
    sql`select count(*)::int as all, count(*) filter (where ${isLate(longAgo)})::int as waiting,
          min(created_at) filter (where ${isLate(longAgo)}) as since
        from mails where state in ('pending', 'sending') and ${isNotPaused}`,
  )
  if (!owed?.all) return []
  if (!deps.config.smtpUrl) return [{ kind: 'mails_held', count: owed.all }]
  const pause = await findDeliveryPause(deps)
  if (pause) return [{ kind: 'delivery_paused', count: owed.all, ...pause }]
  return owed.since ? [{ kind: 'mails_waiting', count: owed.waiting, since: new Date(owed.since) }] : []
}

function isLate(longAgo: SQL): SQL {
  return sql`created_at < ${longAgo} and (reason is not null or due_at < ${longAgo})`
}

function nameOf({ slug, city, startsAt, endsAt, timeZone }: Workshop): WorkshopName {
  return { slug, city, startsAt, endsAt, timeZone }
}

const dayLong = 24 * 3600 * 1000
