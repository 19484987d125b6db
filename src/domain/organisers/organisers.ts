import { createHash, randomBytes } from 'node:crypto'
import { and, asc, desc, eq, getTableColumns, inArray, isNull, sql } from 'drizzle-orm'
import { databaseError, query, timestamptz } from '../../db/database.ts'
import {
  type MailPayload,
  mails,
  organisers,
  passkeys,
  type Role,
  sessions,
  tokens,
  verifications,
} from '../../db/schema.ts'
import { normalizeLine } from '../../lib/text.ts'
import type { Deps } from '../deps.ts'
import { type FieldProblem, fieldProblems, parseEmail, signUpSchema } from '../registrations/registrations.ts'
import { fingerprint, verifySignInCode } from '../tickets/signed-tokens.ts'

export type Organiser = { id: string; name: string; email: string; role: Role }

export type ListedOrganiser = Organiser & { invitedAt: Date; lastSeenAt: Date | null }

/** Lifetime of a mailed sign-in link. Also in functions/claim_mails.sql. */
export const signInLinkLifetimeSeconds = 15 * 60

/** All accounts by name, with the time of their last activity; null if they never signed in. */
export async function listOrganisers(deps: Deps): Promise<ListedOrganiser[]> {
  return deps.db
    .select({
      ...organiserColumns,
      invitedAt: organisers.createdAt,
      lastSeenAt: sql<Date | null>`max(${sessions.updatedAt})`.mapWith(sessions.updatedAt),
    })
    .from(organisers)
    .leftJoin(sessions, eq(sessions.userId, organisers.id))
    .groupBy(organisers.id)
    .orderBy(asc(organisers.name), asc(organisers.email))
}

export async function findOrganisers(deps: Deps, ids: string[]): Promise<Organiser[]> {
  return ids.length === 0 ? [] : deps.db.select(organiserColumns).from(organisers).where(inArray(organisers.id, ids))
}

export async function hasOwner(deps: Deps): Promise<boolean> {
  const [owner] = await deps.db
    .select({ id: organisers.id })
    .from(organisers)
    .where(eq(organisers.role, 'owner'))
    .limit(1)
  return owner !== undefined
}

/** The organiser's passkeys, oldest first. */
export async function listPasskeys(deps: Deps, organiserId: string) {
  const { id, name, createdAt } = passkeys
  return deps.db
    .select({ id, name, createdAt })
    .from(passkeys)
    .where(eq(passkeys.userId, organiserId))
    .orderBy(createdAt)
}

/** Deletes one of the organiser's passkeys. Returns false if it is not theirs or does not exist. */
export async function removePasskey(deps: Deps, organiserId: string, id: string): Promise<boolean> {
  const removed = await deps.db
    .delete(passkeys)
    .where(and(eq(passkeys.userId, organiserId), sql`${passkeys.id}::text = ${id}`))
    .returning({ id: passkeys.id })
  return removed.length > 0
}

/** Deletes expired sign-ins and sessions, by the real time like better-auth and not by `deps.now`. */
export async function purgeExpiredSignIns({ db }: Pick<Deps, 'db'>): Promise<void> {
  await db.delete(verifications).where(sql`${verifications.expiresAt} < now()`)
  await db.delete(sessions).where(sql`${sessions.expiresAt} < now()`)
}

export type OrganiserRefusal =
  | 'name_missing'
  | 'name_too_long'
  | 'email_invalid'
  | 'email_too_long'
  | 'exists'
  | 'last_owner'
  | 'not_found'
  | 'owner_exists'
export type OrganiserResult = { kind: 'changed'; organiser: Organiser } | { kind: 'refused'; refusal: OrganiserRefusal }

/** Creates the first owner. Refused once there is an owner, so that the printed link works for one person only. */
export async function createFirstOwner(deps: Deps, input: { name: string; email: string }): Promise<OrganiserResult> {
  const person = parseAccount(input)
  if ('refusal' in person) return { kind: 'refused', refusal: person.refusal }
  return deps.db.transaction(async (tx) => {
    // Of two people who follow the link at once, only one may become the owner.
    await tx.execute(sql`lock table organisers in share row exclusive mode`)
    if (await hasOwner({ ...deps, db: tx })) return { kind: 'refused', refusal: 'owner_exists' }
    const [organiser] = await tx
      .insert(organisers)
      .values(newOrganiser(deps, person, 'owner'))
      .onConflictDoUpdate({ target: organisers.email, set: { name: person.name, role: 'owner' } })
      .returning(organiserColumns)
    return { kind: 'changed', organiser: organiser as Organiser }
  })
}

/** Creates an account and enqueues a mail with the address of the sign-in page. */
export async function inviteOrganiser(
  deps: Deps,
  input: { name: string; email: string; role: Role },
): Promise<OrganiserResult> {
  const person = parseAccount(input)
  if ('refusal' in person) return { kind: 'refused', refusal: person.refusal }
  try {
    return await deps.db.transaction(async (tx) => {
      const [organiser] = await tx
        .insert(organisers)
        .values(newOrganiser(deps, person, input.role))
        .returning(organiserColumns)
      await enqueueSignInMail({ ...deps, db: tx }, (organiser as Organiser).id, { payload: { invited: true } })
      return { kind: 'changed', organiser: organiser as Organiser }
    })
  } catch (error) {
    if (databaseError(error)?.constraint === 'organisers_email_unique') return { kind: 'refused', refusal: 'exists' }
    throw error
  }
}

export async function findOrganiserByEmail(deps: Deps, email: string): Promise<Organiser | undefined> {
  const [organiser] = await deps.db
    .select(organiserColumns)
    .from(organisers)
    .where(eq(organisers.email, email.toLowerCase()))
  return organiser
}

/**
 * Enqueues the mail with an organiser's sign-in link. It stores the uid that the code is derived from, not the code.
 * @throws if we did not issue the code
 */
export async function enqueueSignInLink(deps: Deps, { id: organiserId }: Organiser, code: string): Promise<void> {
  const uid = verifySignInCode(deps.config.secret, code)
  if (!uid) throw new Error('the sign-in code is invalid')
  await enqueueSignInMail(deps, organiserId, { uid })
}

/** The form in which a sign-in code is stored, so that nothing in the database can be used to sign in. */
export const hashSignInCode = (secret: string, code: string) => fingerprint(secret, `sign-in ${code}`)

/** Changes the role of an account. Refused for the last owner, without whom nobody could manage accounts. */
export async function changeRole(deps: Deps, id: string, role: Role): Promise<OrganiserResult> {
  return changeUnlessLastOwner(
    deps,
    id,
    role !== 'owner',
    sql`update organisers set role = ${role}, updated_at = ${timestamptz(deps.now())}`,
  )
}

/** Deletes an account with its sessions and passkeys. Refused for the last owner. */
export async function removeOrganiser(deps: Deps, id: string): Promise<OrganiserResult> {
  return changeUnlessLastOwner(deps, id, true, sql`delete from organisers`)
}

export async function renameOrganiser(deps: Deps, id: string, input: string): Promise<OrganiserResult> {
  const parsed = parseName(input)
  if ('refusal' in parsed) return { kind: 'refused', ...parsed }
  const { name } = parsed
  const [organiser] = await deps.db
    .update(organisers)
    .set({ name, updatedAt: deps.now() })
    .where(eq(organisers.id, id))
    .returning(organiserColumns)
  return organiser ? { kind: 'changed', organiser } : { kind: 'refused', refusal: 'not_found' }
}

/** A browser in which an organiser is signed in. */
export type Session = Pick<typeof sessions.$inferSelect, 'id' | 'userAgent' | 'createdAt' | 'updatedAt'>

/** The organiser's active sessions, most recently used first. */
export async function listSessions(deps: Deps, organiserId: string): Promise<Session[]> {
  const { id, userAgent, createdAt, updatedAt } = sessions
  return deps.db
    .select({ id, userAgent, createdAt, updatedAt })
    .from(sessions)
    .where(and(eq(sessions.userId, organiserId), sql`${sessions.expiresAt} > now()`))
    .orderBy(desc(sessions.updatedAt))
}

/** Ends one of the organiser's sessions. Returns false if it is not theirs or does not exist. */
export async function endSession(deps: Deps, organiserId: string, id: string): Promise<boolean> {
  const ended = await deps.db
    .delete(sessions)
    .where(and(eq(sessions.userId, organiserId), sql`${sessions.id}::text = ${id}`))
    .returning({ id: sessions.id })
  return ended.length > 0
}

/** Normalizes the name of a token. Undefined if it is too long. */
export function parseTokenName(input: string): string | undefined {
  return normalizeLine(input, 80)
}

/** Creates an API token of 256 random bits and returns it. Only its hash is stored, so it cannot be shown again. */
export async function createToken(deps: Deps, name: string, role: Role): Promise<string> {
  const token = `bm_${randomBytes(32).toString('base64url')}`
  await deps.db.insert(tokens).values({ id: deps.newId(), name, role, hash: hashToken(token), createdAt: deps.now() })
  return token
}

export type Token = { id: string; name: string; role: Role }

/** Finds an API token; undefined if it is unknown or revoked. */
export async function findToken(deps: Deps, token: string): Promise<Token | undefined> {
  const [row] = await deps.db
    .select({ id: tokens.id, name: tokens.name, role: tokens.role })
    .from(tokens)
    .where(and(eq(tokens.hash, hashToken(token)), isNull(tokens.revokedAt)))
  return row
}

/** All API tokens without their hashes, oldest first. */
export async function listTokens(deps: Deps) {
  const { hash: _, ...columns } = getTableColumns(tokens)
  return deps.db.select(columns).from(tokens).orderBy(tokens.createdAt)
}

/** Revokes a token. Returns false if it is unknown or already revoked. */
export async function revokeToken(deps: Deps, id: string): Promise<boolean> {
  const revoked = await deps.db
    .update(tokens)
    .set({ revokedAt: deps.now() })
    .where(and(sql`${tokens.id}::text = ${id}`, isNull(tokens.revokedAt)))
    .returning({ id: tokens.id })
  return revoked.length > 0
}

/** True if a role has the permissions of the required one. Owners have all; viewers see no personal data. */
export function hasRole(role: Role, required: Role): boolean {
  return roleRank[role] >= roleRank[required]
}

const organiserColumns = {
  id: organisers.id,
  name: organisers.name,
  email: organisers.email,
  role: organisers.role,
}

async function enqueueSignInMail(
  deps: Deps,
  organiserId: string,
  values: { uid?: string; payload?: MailPayload },
): Promise<void> {
  await deps.db
    .insert(mails)
    .values({ ...values, organiserId, kind: 'sign_in', createdAt: deps.now(), dueAt: deps.now() })
  deps.notifyMailQueue()
}

/** Validates the input. The address is lower-cased, as better-auth stores it. */
function parseAccount({
  name: rawName,
  email,
}: {
  name: string
  email: string
}): { name: string; email: string } | { refusal: OrganiserRefusal } {
  const parsedName = parseName(rawName)
  if ('refusal' in parsedName) return parsedName
  const parsed = parseEmail(email)
  if ('problems' in parsed) return { refusal: isTooLong(parsed.problems) ? 'email_too_long' : 'email_invalid' }
  return { name: parsedName.name, email: parsed.email.toLowerCase() }
}

function parseName(input: string): { name: string } | { refusal: 'name_missing' | 'name_too_long' } {
  const parsed = signUpSchema.pick({ name: true }).safeParse({ name: input })
  if (parsed.success) return parsed.data
  return { refusal: isTooLong(fieldProblems(parsed.error)) ? 'name_too_long' : 'name_missing' }
}

const isTooLong = (problems: FieldProblem[]) => problems.some(({ code }) => code === 'too_long')

function newOrganiser(deps: Deps, { name, email }: { name: string; email: string }, role: Role) {
  const now = deps.now()
  // Signing in needs a mail sent to the address, which verifies it.
  return { id: deps.newId(), name, email, role, emailVerified: true, createdAt: now, updatedAt: now }
}

async function changeUnlessLastOwner(
  deps: Deps,
  id: string,
  takesOwner: boolean,
  change: ReturnType<typeof sql>,
): Promise<OrganiserResult> {
  // Locks the owners first, so that of two who remove each other at once one remains.
  const [changed] = await query<Organiser>(
    deps.db,
    sql`with owners as materialized (
          select id from organisers where role = 'owner' order by id for update
        )
        ${change}
        where id::text = ${id} and (not ${takesOwner}::boolean or exists (select 1 from owners where owners.id <> organisers.id))
        returning id, name, email, role`,
  )
  if (changed) return { kind: 'changed', organiser: changed }
  const existing = await query(deps.db, sql`select 1 from organisers where id::text = ${id}`)
  return { kind: 'refused', refusal: existing.length > 0 ? 'last_owner' : 'not_found' }
}

const roleRank: Record<Role, number> = { viewer: 1, organiser: 2, owner: 3 }

/** Tokens are random, so a fast hash is as safe as a slow one. */
function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
