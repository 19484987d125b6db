import { randomInt } from 'node:crypto'
import { eq, getTableColumns, sql } from 'drizzle-orm'
import { databaseError, query } from '../../db/database.ts'
import { campaigns, registrationLinks, workshops } from '../../db/schema.ts'
import type { Deps } from '../deps.ts'

/** A short code behind a QR, with its target. */
export type RegistrationLink = typeof registrationLinks.$inferSelect & { target: LinkTarget }

/** By slug. */
export type LinkTarget = { campaign: string } | { workshop: string }

/** No vowels, so that no word appears by chance, and no characters that look alike in print. */
const alphabet = '23456789bcdfghjkmnpqrstvwxz'

/** Seven random characters: a code for a printed QR that people may also type. */
export function generateShortCode(): string {
  return Array.from({ length: 7 }, () => alphabet[randomInt(alphabet.length)]).join('')
}

/** Creates a registration link for a channel. Undefined if the target does not exist. */
export async function createLink(
  deps: Deps,
  target: LinkTarget,
  { channel, expiresAt }: { channel: string; expiresAt?: Date | null | undefined },
): Promise<RegistrationLink | undefined> {
  const owner = await findTarget(deps, target)
  if (!owner) return undefined
  for (;;) {
    const code = generateShortCode()
    try {
      await deps.db.insert(registrationLinks).values({ code, channel, expiresAt, ...owner, createdAt: deps.now() })
      return await findLink(deps, code)
    } catch (error) {
      if (databaseError(error)?.constraint !== 'registration_links_pkey') throw error
    }
  }
}

/** Retargets a link, renames its channel, changes its expiry, or switches it off or on. */
export async function changeLink(
  deps: Deps,
  code: string,
  {
    target,
    ...changes
  }: {
    target?: LinkTarget | undefined
    channel?: string | undefined
    expiresAt?: Date | null | undefined
    active?: boolean | undefined
  },
): Promise<RegistrationLink | 'not_found' | 'target_not_found'> {
  const owner = target && (await findTarget(deps, target))
  if (target && !owner) return 'target_not_found'
  const change = { ...changes, ...(owner && { campaignId: null, workshopId: null, ...owner }) }
  if (Object.keys(change).length > 0) {
    await deps.db.update(registrationLinks).set(change).where(eq(registrationLinks.code, code))
  }
  return (await findLink(deps, code)) ?? 'not_found'
}

/** Finds a link by its code, also if it is expired or switched off. */
export async function findLink(deps: Deps, code: string): Promise<RegistrationLink | undefined> {
  const [row] = await deps.db
    .select({ ...getTableColumns(registrationLinks), campaign: campaigns.slug, workshop: workshops.slug })
    .from(registrationLinks)
    .leftJoin(campaigns, eq(campaigns.id, registrationLinks.campaignId))
    .leftJoin(workshops, eq(workshops.id, registrationLinks.workshopId))
    .where(eq(registrationLinks.code, code))
  if (!row) return undefined
  const { campaign, workshop, ...link } = row
  return { ...link, target: campaign ? { campaign } : { workshop: workshop as string } }
}

/** The links of a campaign or workshop, oldest first. Undefined if the target does not exist. */
export async function listLinks(deps: Deps, target: LinkTarget): Promise<RegistrationLink[] | undefined> {
  const owner = await findTarget(deps, target)
  if (!owner) return undefined
  const links = await deps.db
    .select()
    .from(registrationLinks)
    .where(
      'campaignId' in owner
        ? eq(registrationLinks.campaignId, owner.campaignId)
        : eq(registrationLinks.workshopId, owner.workshopId),
    )
    .orderBy(registrationLinks.createdAt, registrationLinks.code)
  return links.map((link) => ({ ...link, target }))
}

/** True if the link is switched on and not expired. */
export function isLinkActive(link: RegistrationLink, now: Date): boolean {
  return link.active && !(link.expiresAt && link.expiresAt <= now)
}

/** The oldest link that is switched on, for the startup banner. */
export async function findFirstLink(deps: Deps): Promise<RegistrationLink | undefined> {
  const [row] = await deps.db
    .select({ code: registrationLinks.code })
    .from(registrationLinks)
    .where(eq(registrationLinks.active, true))
    .orderBy(registrationLinks.createdAt)
    .limit(1)
  return row && findLink(deps, row.code)
}

/** The scans of a link and the registrations through it, including cancelled ones. */
export async function linkStats(
  deps: Deps,
  code: string,
): Promise<{ scans: number; registrations: number } | undefined> {
  const [row] = await query<{ scans: number | string; registrations: number }>(
    deps.db,
    sql`select scans, (select count(*)::int from registrations where link_code = code) as registrations
        from registration_links where code = ${code}`,
  )
  return row && { scans: Number(row.scans), registrations: row.registrations }
}

/** Adds scans to many links in one statement. Unknown codes are ignored. */
export async function addScans(deps: Pick<Deps, 'db'>, scans: ReadonlyMap<string, number>): Promise<void> {
  const counted = JSON.stringify([...scans].map(([code, scans]) => ({ code, scans })))
  await deps.db.execute(sql`
    with counted as (select * from jsonb_to_recordset(${counted}::jsonb) as counted (code text, scans int)),
    -- In the order of their codes, because several servers update the same links.
    locked as (
      select code from registration_links where code in (select code from counted) order by code for no key update
    )
    update registration_links link set scans = link.scans + counted.scans
    from counted join locked using (code)
    where link.code = counted.code
  `)
}

async function findTarget(
  deps: Deps,
  target: LinkTarget,
): Promise<{ campaignId: string } | { workshopId: string } | undefined> {
  if ('campaign' in target) {
    const [row] = await deps.db.select({ id: campaigns.id }).from(campaigns).where(eq(campaigns.slug, target.campaign))
    return row && { campaignId: row.id }
  }
  const [row] = await deps.db.select({ id: workshops.id }).from(workshops).where(eq(workshops.slug, target.workshop))
  return row && { workshopId: row.id }
}
