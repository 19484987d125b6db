import { createHash, randomBytes } from 'node:crypto'
import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import { doorSessions, workshops } from '../../db/schema.ts'
import { normalizeLine } from '../../lib/text.ts'
import { localDate, nextMidnight } from '../../lib/time-zones.ts'
import type { Deps } from '../deps.ts'
import { createJoinCode, verifyJoinCode } from '../tickets/signed-tokens.ts'
import { findWorkshopById, type Workshop } from '../workshops/workshops.ts'

/*
 * Door sessions: a helper's phone, without an account, may check attendees in to one workshop until midnight. It sees names
 * and the last digits of phone numbers.
 */

export type DoorSession = {
  id: string
  workshopId: string
  name: string
  createdAt: Date
  expiresAt: Date
  endedAt: Date | null
  lastSeenAt: Date | null
  userAgent: string | null
}

/** Actor at a door: a helper with a session, or an organiser without one. */
export type DoorActor = { name: string; sessionId?: string | undefined; workshopId: string }

/**
 * Clamps a phone's time to between 1970 and now, which Postgres can store however wrong the phone's clock is. The SQL
 * functions that take it clamp it further.
 */
export function clampClientTime({ now }: Pick<Deps, 'now'>, time: Date): Date {
  return new Date(Math.max(0, Math.min(time.getTime(), now().getTime())))
}

/** Longest name of a helper. */
export const maxNameLength = 40

/** Join code in the QR that an organiser shows to helpers. */
export function workshopJoinCode(
  { config }: Pick<Deps, 'config'>,
  workshop: Pick<Workshop, 'id' | 'joinCodeVersion'>,
): string {
  return createJoinCode(config.secret, { id: workshop.id, version: workshop.joinCodeVersion })
}

/**
 * Finds the workshop of a join code. `renewed`: an organiser has rotated the code. `over`: the workshop is cancelled or the
 * midnight after it has passed. `not_found`: the code is forged or malformed, or the workshop was deleted.
 */
export async function resolveJoinCode(
  deps: Deps,
  code: string,
): Promise<{ kind: 'joinable'; workshop: Workshop } | { kind: 'renewed' | 'over' | 'not_found' }> {
  const subject = verifyJoinCode(deps.config.secret, code)
  const workshop = subject && (await findWorkshopById(deps, subject.id))
  if (!workshop) return { kind: 'not_found' }
  if (workshop.joinCodeVersion % 256 !== subject.version) return { kind: 'renewed' }
  if (!canStartDoorSession(deps, workshop)) return { kind: 'over' }
  return { kind: 'joinable', workshop }
}

/** True until the midnight after the workshop, unless it is cancelled. */
export function canStartDoorSession(
  deps: Pick<Deps, 'now'>,
  { state, endsAt, timeZone }: Pick<Workshop, 'state' | 'endsAt' | 'timeZone'>,
): boolean {
  return state !== 'cancelled' && deps.now() < nextMidnight(endsAt, timeZone)
}

/**
 * Starts a door session. Returns it with the 256-bit token for the phone's cookie, of which only a hash is stored.
 * @param name of the helper; refused if empty or longer than `maxNameLength`
 */
export async function startDoorSession(
  deps: Deps,
  workshop: Workshop,
  name: string,
  userAgent: string | undefined,
): Promise<
  { kind: 'opened'; session: DoorSession; token: string } | { kind: 'refused'; refusal: 'missing' | 'too_long' }
> {
  const normalizedName = normalizeLine(name, maxNameLength)
  if (normalizedName === undefined) return { kind: 'refused', refusal: 'too_long' }
  if (normalizedName === '') return { kind: 'refused', refusal: 'missing' }
  const token = randomBytes(32).toString('base64url')
  const now = deps.now()
  const [session] = await deps.db
    .insert(doorSessions)
    .values({
      id: deps.newId(),
      workshopId: workshop.id,
      name: normalizedName,
      hash: hashToken(token),
      createdAt: now,
      expiresAt: doorSessionExpiry(workshop, now),
      lastSeenAt: now,
      userAgent: userAgent?.slice(0, 300) ?? null,
    })
    .returning(columns)
  return { kind: 'opened', session: session as DoorSession, token }
}

/**
 * Returns when a session that starts now expires, at a midnight in the workshop's time zone: the one after the workshop if it
 * starts on that day or less than twelve hours before it, else the next one.
 */
export function doorSessionExpiry(
  { startsAt, endsAt, timeZone }: Pick<Workshop, 'startsAt' | 'endsAt' | 'timeZone'>,
  now: Date,
): Date {
  const onTheDay = localDate(now, timeZone) >= localDate(startsAt, timeZone)
  const startsSoon = now.getTime() >= startsAt.getTime() - 12 * 3_600_000
  const [workshopMidnight, nextNight] = [nextMidnight(endsAt, timeZone), nextMidnight(now, timeZone)]
  return (onTheDay || startsSoon) && workshopMidnight > now ? workshopMidnight : nextNight
}

/**
 * Finds the door session of a token and updates when it was last seen. `over`: it was ended or has expired. Undefined for an
 * unknown token.
 */
export async function findDoorSession(
  deps: Deps,
  token: string,
): Promise<{ kind: 'open' | 'over'; session: DoorSession } | undefined> {
  if (!/^[\w-]{43}$/.test(token)) return undefined
  const [session] = await deps.db
    .select(columns)
    .from(doorSessions)
    .where(eq(doorSessions.hash, hashToken(token)))
  if (!session) return undefined
  const now = deps.now()
  if (session.endedAt || session.expiresAt <= now) return { kind: 'over', session }
  // Written at most twice a minute, which is precise enough for the list of sessions.
  if (!session.lastSeenAt || now.getTime() - session.lastSeenAt.getTime() > 30_000) {
    await deps.db.update(doorSessions).set({ lastSeenAt: now }).where(eq(doorSessions.id, session.id))
  }
  return { kind: 'open', session }
}

/** Lists the door sessions of a workshop, open ones first, then newest first. */
export async function listDoorSessions(
  deps: Deps,
  workshop: Pick<Workshop, 'id'>,
): Promise<(DoorSession & { open: boolean })[]> {
  const sessions = await deps.db
    .select(columns)
    .from(doorSessions)
    .where(eq(doorSessions.workshopId, workshop.id))
    .orderBy(desc(doorSessions.createdAt), desc(doorSessions.id))
  const now = deps.now()
  return sessions
    .map((session) => ({ ...session, open: !session.endedAt && session.expiresAt > now }))
    .sort((a, b) => Number(b.open) - Number(a.open))
}

/** Ends a door session of a workshop. Returns it, or undefined if it is unknown or was ended before. */
export async function endDoorSession(
  deps: Deps,
  workshop: Pick<Workshop, 'id'>,
  id: string,
): Promise<DoorSession | undefined> {
  const [ended] = await deps.db
    .update(doorSessions)
    .set({ endedAt: deps.now() })
    .where(and(eq(doorSessions.id, id), eq(doorSessions.workshopId, workshop.id), isNull(doorSessions.endedAt)))
    .returning(columns)
  return ended
}

/** Invalidates the helpers' QR and creates a new one. Open door sessions continue. */
export async function rotateJoinCode(deps: Deps, workshop: Pick<Workshop, 'id'>): Promise<void> {
  await deps.db
    .update(workshops)
    .set({ joinCodeVersion: sql`${workshops.joinCodeVersion} + 1` })
    .where(eq(workshops.id, workshop.id))
}

const columns = {
  id: doorSessions.id,
  workshopId: doorSessions.workshopId,
  name: doorSessions.name,
  createdAt: doorSessions.createdAt,
  expiresAt: doorSessions.expiresAt,
  endedAt: doorSessions.endedAt,
  lastSeenAt: doorSessions.lastSeenAt,
  userAgent: doorSessions.userAgent,
}

/** A plain hash: the token is random, so a slow one would add no security. */
function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
