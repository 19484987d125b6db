import type { Locale } from '../config.ts'
import type { Campaign } from '../domain/campaigns.ts'
import { toOneLine, toPlainLines } from '../domain/plain-text.ts'
import { type Item, isPublic, type Workshop } from '../domain/workshops.ts'
import { type ItemTag, tagOf } from '../messages/items.ts'
import { pick } from '../messages/text.ts'

/** What is announced, in one language, each text a plain line that XML can hold. */
export type Announcement = {
  title: string
  /** May have several lines; empty for a workshop, which has none. */
  summary: string
  /** In order of date. */
  workshops: Workshop[]
  /** The checklist by what an item asks of the attendee; those with nothing are left out. */
  checklist: { tag: ItemTag; texts: string[] }[]
}

/**
 * What is told of a campaign or a workshop. Of a campaign's workshops those that are cancelled never count, drafts only
 * while nothing is published, and those that are over only when there are no others.
 */
export function announcementOf(subject: Campaign | Workshop, locale: Locale): Announcement {
  const workshops = 'workshops' in subject ? worthTelling(subject.workshops) : [subject]
  return {
    title: printable(pick(subject.title, locale)),
    summary: 'summary' in subject ? summaryOf(subject.summary, locale) : '',
    workshops,
    checklist: byTag(subject.items.length > 0 ? subject.items : sharedItems(workshops), locale),
  }
}

/** A text of the organisers as one line: no control characters, and none that XML 1.0 (2.2) forbids. */
export function printable(text: string): string {
  return toOneLine(text).replace(/[\ufffe\uffff]/g, '')
}

function summaryOf(summary: Campaign['summary'], locale: Locale): string {
  return toPlainLines(pick(summary, locale)).split('\n').map(printable).filter(Boolean).join('\n')
}

function worthTelling(workshops: Workshop[]): Workshop[] {
  const standing = workshops.filter(({ state }) => state !== 'cancelled')
  const published = someOrAll(standing, isPublic)
  return someOrAll(published, ({ status }) => status !== 'over')
}

function someOrAll<T>(all: T[], wanted: (one: T) => boolean): T[] {
  const some = all.filter(wanted)
  return some.length > 0 ? some : all
}

/** What all workshops ask for, where their campaign has no checklist of its own. */
function sharedItems([first, ...others]: Workshop[]): Item[] {
  const said = ({ kind, text }: Item) => JSON.stringify([kind, text.zh, text.en])
  return (first?.items ?? []).filter((item) =>
    others.every(({ items }) => items.some((other) => said(other) === said(item))),
  )
}

function byTag(items: Item[], locale: Locale): Announcement['checklist'] {
  const tags: ItemTag[] = ['provided', 'bring', 'know', 'install']
  return tags
    .map((tag) => ({
      tag,
      texts: items
        .filter((item) => tagOf(item) === tag)
        .map((item) => printable(pick(item.text, locale)))
        .filter(Boolean),
    }))
    .filter(({ texts }) => texts.length > 0)
}
