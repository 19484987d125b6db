import type { Campaign } from '../domain/campaigns/campaigns.ts'
import { type Item, isPublic, type Workshop } from '../domain/workshops/workshops.ts'
import { localize } from '../i18n/format.ts'
import { type ItemTag, itemTag } from '../i18n/item-tags.ts'
import type { Locale } from '../lib/config.ts'
import { toPlainText, toSingleLine } from '../lib/text.ts'

/** What is announced, in one language, each text a plain line that XML can hold. */
export type PromotionContent = {
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
export function promotionContent(subject: Campaign | Workshop, locale: Locale): PromotionContent {
  const workshops = 'workshops' in subject ? promotedWorkshops(subject.workshops) : [subject]
  return {
    title: stripControlChars(localize(subject.title, locale)),
    summary: 'summary' in subject ? plainSummary(subject.summary, locale) : '',
    workshops,
    checklist: groupByTag(subject.items.length > 0 ? subject.items : sharedItems(workshops), locale),
  }
}

/** A text of the organisers as one line: no control characters, and none that XML 1.0 (2.2) forbids. */
export function stripControlChars(text: string): string {
  return toSingleLine(text).replace(/[\ufffe\uffff]/g, '')
}

function plainSummary(summary: Campaign['summary'], locale: Locale): string {
  return toPlainText(localize(summary, locale)).split('\n').map(stripControlChars).filter(Boolean).join('\n')
}

function promotedWorkshops(workshops: Workshop[]): Workshop[] {
  const active = workshops.filter(({ state }) => state !== 'cancelled')
  const published = preferMatching(active, isPublic)
  return preferMatching(published, ({ status }) => status !== 'over')
}

function preferMatching<T>(all: T[], matches: (one: T) => boolean): T[] {
  const some = all.filter(matches)
  return some.length > 0 ? some : all
}

/** What all workshops ask for, where their campaign has no checklist of its own. */
function sharedItems([first, ...others]: Workshop[]): Item[] {
  const itemKey = ({ kind, text }: Item) => JSON.stringify([kind, text.zh, text.en])
  return (first?.items ?? []).filter((item) =>
    others.every(({ items }) => items.some((other) => itemKey(other) === itemKey(item))),
  )
}

function groupByTag(items: Item[], locale: Locale): PromotionContent['checklist'] {
  const tags: ItemTag[] = ['provided', 'bring', 'know', 'install']
  return tags
    .map((tag) => ({
      tag,
      texts: items
        .filter((item) => itemTag(item) === tag)
        .map((item) => stripControlChars(localize(item.text, locale)))
        .filter(Boolean),
    }))
    .filter(({ texts }) => texts.length > 0)
}
