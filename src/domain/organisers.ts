import { createHash, randomBytes } from 'node:crypto'
import { and, eq, isNull } from 'drizzle-orm'
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

/** Whether a role may do what another is needed for. An owner may do all, a viewer sees no persons. */
export function mayActAs(role: Role, needed: Role): boolean {
  return rank[role] >= rank[needed]
}

const rank: Record<Role, number> = { viewer: 1, organiser: 2, owner: 3 }

/** A token is random, so a plain hash keeps it as safe as a slow one would. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
