import { createHash, randomBytes } from 'node:crypto'
import { and, eq, getTableColumns, isNull, sql } from 'drizzle-orm'
import { type Role, tokens } from '../db/schema.ts'
import type { Deps } from '../deps.ts'

/** Makes an API token and returns it; only its hash is kept, so it is seen once. 256 bits. */
export async function createToken(deps: Deps, name: string, role: Role): Promise<string> {
  const token = `bm_${randomBytes(32).toString('base64url')}`
  await deps.db.insert(tokens).values({ id: deps.newId(), name, role, hash: hashOf(token), createdAt: deps.now() })
  return token
}

/** The role of an API token, or undefined if it is unknown or revoked. */
export async function roleOfToken(deps: Deps, token: string): Promise<Role | undefined> {
  const [row] = await deps.db
    .select({ role: tokens.role })
    .from(tokens)
    .where(and(eq(tokens.hash, hashOf(token)), isNull(tokens.revokedAt)))
  return row?.role
}

/** All API tokens, without what they are, the oldest first. */
export async function listTokens(deps: Deps) {
  const { hash: _, ...columns } = getTableColumns(tokens)
  return deps.db.select(columns).from(tokens).orderBy(tokens.createdAt)
}

/** Makes a token useless. Tells whether there was one with this id that still worked. */
export async function revokeToken(deps: Deps, id: string): Promise<boolean> {
  const revoked = await deps.db
    .update(tokens)
    .set({ revokedAt: deps.now() })
    .where(and(sql`${tokens.id}::text = ${id}`, isNull(tokens.revokedAt)))
    .returning({ id: tokens.id })
  return revoked.length > 0
}

/** Whether a role may do what another is needed for. An owner may do all, a viewer sees no persons. */
export function mayActAs(role: Role, needed: Role): boolean {
  return rank[role] >= rank[needed]
}

const rank: Record<Role, number> = { viewer: 1, organiser: 2, owner: 3 }

/** A token is random, so a plain hash keeps it as safe as a slow one would. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
