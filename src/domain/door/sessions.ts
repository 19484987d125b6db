import { createHash, randomBytes } from 'node:crypto'
import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import { doorSessions, workshops } from '../../db/schema.ts'
import { normalizeLine } from '../../lib/text.ts'
import { localDate, nextMidnight } from '../../lib/time-zones.ts'
import type { Deps } from '../deps.ts'
import { createJoinCode, verifyJoinCode } from '../tickets/signed-tokens.ts'
import { findWorkshopById, type Workshop } from '../workshops/workshops.ts'

/*
 * A door is a helper's phone that may check people in to one workshop, until the night. It sees names and the last digits
 * of phone numbers.
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

/** Who does something at a door: a helper in their session, or an organiser, who has none. */
export type DoorActor = { name: string; sessionId?: string | undefined; workshopId: string }

/**
 * A time that a phone brought, as one that Postgres can read, however wrong its clock is: between 1970 and now. What more
 * is believed of it stands in the functions that take it.
 */
export function clampClientTime({ now }: Pick<Deps, 'now'>, time: Date): Date {
  return new Date(Math.max(0, Math.min(time.getTime(), now().getTime())))
}

/** The longest name of a door. */
export const maxNameLength = 40

/** What the QR says that an organiser shows to helpers. */
export function workshopJoinCode(
  { config }: Pick<Deps, 'config'>,
  workshop: Pick<Workshop, 'id' | 'joinCodeVersion'>,
): string {
  return createJoinCode(config.secret, { id: workshop.id, version: workshop.joinCodeVersion })
}

/**
 * The workshop to which a code lets helpers in. `renewed`: an organiser made another QR since. `over`: it is cancelled, or
 * its night has come. `not_found`: forged or mangled, or the workshop is gone.
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

/** Whether a door may still be opened: until the night after the workshop, unless it is cancelled. */
export function canStartDoorSession(
  deps: Pick<Deps, 'now'>,
  { state, endsAt, timeZone }: Pick<Workshop, 'state' | 'endsAt' | 'timeZone'>,
): boolean {
  return state !== 'cancelled' && deps.now() < nextMidnight(endsAt, timeZone)
}

/**
 * Opens a door. Gives its session and the token for the phone's cookie, of which only a hash is kept. 256 bits.
 * @param name of the helper; one of spaces only, or longer than 40 characters, is refused
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
 * Until when a door is open that is opened now: the night after the workshop where it is opened on that day or less than
 * twelve hours before the start, else the coming night. Nights begin at midnight where the workshop is.
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
 * The door whose token a phone brings, and the time written down at which it was last seen. `over`: it was ended, or its
 * night has come. Undefined for a token that is none of ours.
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
  // Twice a minute is enough to see who is there.
  if (!session.lastSeenAt || now.getTime() - session.lastSeenAt.getTime() > 30_000) {
    await deps.db.update(doorSessions).set({ lastSeenAt: now }).where(eq(doorSessions.id, session.id))
  }
  return { kind: 'open', session }
}

/** The doors of a workshop, those that are open first, and of these the newest first. */
export async function listDoorSessions(
  deps: Deps,
  workshop: Pick<Workshop, 'id'>,
): Promise<(DoorSession & { open: boolean })[]> {
  const found = await deps.db
    .select(columns)
    .from(doorSessions)
    .where(eq(doorSessions.workshopId, workshop.id))
    .orderBy(desc(doorSessions.createdAt), desc(doorSessions.id))
  const now = deps.now()
  return found
    .map((session) => ({ ...session, open: !session.endedAt && session.expiresAt > now }))
    .sort((a, b) => Number(b.open) - Number(a.open))
}

/** Ends a door of a workshop. Gives it, or undefined if there is none that is open. */
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

/** Makes the QR that lets helpers in invalid; there is another one from now on. Doors that are open stay open. */
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

/** A token is random, so a plain hash keeps it as safe as a slow one would. */
function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
