import { eq } from 'drizzle-orm'
import { chatGroups, type Text } from '../../db/schema.ts'
import type { Deps } from '../deps.ts'
import type { Workshop } from './workshops.ts'

/** The chat group of a workshop: an image of its QR, which chat apps let expire after some days. */
export type ChatGroup = typeof chatGroups.$inferSelect

/** A phone screenshot has a few hundred thousand bytes. */
const maxPictureBytes = 900_000

export type ChatGroupRefusal = 'picture_missing' | 'picture_too_large' | 'not_a_picture'

export async function findChatGroup(deps: Deps, { id }: Pick<Workshop, 'id'>): Promise<ChatGroup | undefined> {
  const [group] = await deps.db.select().from(chatGroups).where(eq(chatGroups.workshopId, id))
  return group
}

/** True if the QR of a group has not expired, as far as the organiser has entered a date. */
export function isChatGroupOpen({ expiresAt }: Pick<ChatGroup, 'expiresAt'>, now: Date): boolean {
  return !expiresAt || expiresAt > now
}

/**
 * Creates or changes the chat group of a workshop. Without a picture the existing one is kept. Accepts PNG, JPEG and WebP,
 * detected by content and not by file name.
 */
export async function setChatGroup(
  deps: Deps,
  { id: workshopId }: Pick<Workshop, 'id'>,
  { picture, note, expiresAt }: { picture: Uint8Array | undefined; note: Text; expiresAt: Date | null },
): Promise<'changed' | ChatGroupRefusal> {
  const facts = { note, expiresAt, updatedAt: deps.now() }
  if (!picture) {
    const changed = await deps.db
      .update(chatGroups)
      .set(facts)
      .where(eq(chatGroups.workshopId, workshopId))
      .returning({ workshopId: chatGroups.workshopId })
    return changed.length > 0 ? 'changed' : 'picture_missing'
  }
  if (picture.length > maxPictureBytes) return 'picture_too_large'
  const mediaType = detectMediaType(picture)
  if (!mediaType) return 'not_a_picture'
  const values = { ...facts, mediaType, picture: Buffer.from(picture).toString('base64') }
  await deps.db
    .insert(chatGroups)
    .values({ workshopId, ...values })
    .onConflictDoUpdate({ target: chatGroups.workshopId, set: values })
  return 'changed'
}

/** Deletes the chat group of a workshop. Returns false if there is none. */
export async function removeChatGroup(deps: Deps, { id }: Pick<Workshop, 'id'>): Promise<boolean> {
  const removed = await deps.db
    .delete(chatGroups)
    .where(eq(chatGroups.workshopId, id))
    .returning({ workshopId: chatGroups.workshopId })
  return removed.length > 0
}

function detectMediaType(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1')
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (head.startsWith('RIFF') && head.endsWith('WEBP')) return 'image/webp'
  return undefined
}
