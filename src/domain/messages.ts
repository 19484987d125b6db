import { inArray } from 'drizzle-orm'
import { messages } from '../db/schema.ts'
import type { Deps } from '../deps.ts'

/** What an organiser wrote to attendees: plain text with placeholders. */
export type Written = { id: string; subject: string; body: string }

/** What a message may hold in double braces, `{{name}}` say, and is filled in for each attendee. */
export const placeholders = ['name', 'workshop', 'city', 'date', 'time', 'place', 'ticket'] as const
export type Placeholder = (typeof placeholders)[number]

/** The names in double braces that stand for nothing, as they were written. */
export function unknownPlaceholders(text: string): string[] {
  return [...text.matchAll(braces)]
    .map(([, name = '']) => name.trim())
    .filter((name) => !(placeholders as readonly string[]).includes(name))
}

/** A text with its placeholders filled in; one that stands for nothing stays as it is. */
export function fillPlaceholders(text: string, values: Record<Placeholder, string>): string {
  return text.replace(braces, (whole, name: string) => values[name.trim() as Placeholder] ?? whole)
}

const braces = /\{\{([^{}]{0,40})\}\}/g

/** The messages with these ids. */
export async function findWritten(deps: Deps, ids: string[]): Promise<Written[]> {
  const { id, subject, body } = messages
  return ids.length === 0 ? [] : deps.db.select({ id, subject, body }).from(messages).where(inArray(id, ids))
}
