import type { Campaign } from '../domain/campaigns/campaigns.ts'
import { type Item, isPublic, type Workshop } from '../domain/workshops/workshops.ts'
import { localize } from '../i18n/format.ts'
import { type ItemTag, itemTag } from '../i18n/item-tags.ts'
import type { Locale } from '../lib/config.ts'
import { toPlainText, toSingleLine } from '../lib/text.ts'

/** Content of posters, articles and messages, in one language. Each text is a single line valid in XML. */
export type PromotionContent = {
  title: string
  /** May have several lines. Empty for a workshop. */
  summary: string
  /** By date. */
  workshops: Workshop[]
  /** Checklist items by tag, without empty groups. */
  checklist: { tag: ItemTag; texts: string[] }[]
}

/**
 * Collects the content for a campaign or a workshop. Of a campaign's workshops, cancelled ones are excluded, drafts are
 * included only while none is published, and past ones only if there are no others.
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

/** Converts a text to a single line without control characters and characters that XML 1.0 (2.2) forbids. */
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

function preferMatching<T>(all: T[], predicate: (item: T) => boolean): T[] {
  const matching = all.filter(predicate)
  return matching.length > 0 ? matching : all
}

/** Items on the checklists of all workshops, for a campaign without a checklist. */
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
