import type { Context } from 'hono'
import { z } from 'zod'
import { itemKinds, type Text } from '../db/schema.ts'
import type { Item, ItemDraft } from '../domain/workshops/workshops.ts'
import type { App } from '../http/context.ts'
import { localize } from '../i18n/format.ts'
import type { Locale } from '../lib/config.ts'
import { limitSize } from '../lib/input-limits.ts'
import { parseLocalizedText, singleLineText } from './localized-text.ts'
import { typeErrorMessage } from './requests.ts'

export const ItemResponse = z
  .object({
    id: z.guid(),
    kind: z.enum(itemKinds),
    text: z.string(),
    url: z.url().optional(),
    mustConfirm: z.boolean().meta({ description: 'Attendees answer "ready" or "not yet" when they register.' }),
  })
  .meta({ id: 'Item', description: 'A checklist item: a prerequisite, a thing provided, or a thing to bring.' })

export function serializeItems(items: Item[], locale: Locale): z.input<typeof ItemResponse>[] {
  return items.map(({ text, url, ...item }) => ({ ...item, text: localize(text, locale), ...(url && { url }) }))
}

const ItemBody = z
  .strictObject(
    {
      id: z.guid(typeErrorMessage).optional().meta({ description: 'Id of an existing item, to keep its answers.' }),
      kind: z.enum(itemKinds, typeErrorMessage),
      text: singleLineText(300),
      url: z
        .string('url_invalid')
        .max(2000, { error: 'too_long', abort: true })
        .check(z.url({ protocol: /^https?$/, error: 'url_invalid' }))
        // Normalized, because the parser accepts line breaks, quotes and control characters.
        .transform((url) => new URL(url).href)
        .nullish(),
      mustConfirm: z.boolean(typeErrorMessage).optional(),
    },
    typeErrorMessage,
  )
  .meta({ id: 'ItemDraft' })

const maxItems = 50

const itemTexts = limitSize(maxItems, z.array(singleLineText(300), typeErrorMessage).max(maxItems, 'too_long'))
  .optional()
  .meta({ description: 'The texts of all items of this kind. Items of other kinds stay unchanged.' })

export const checklistFields = {
  items: limitSize(maxItems, z.array(ItemBody, typeErrorMessage).max(maxItems, 'too_long'))
    .optional()
    .meta({ description: "The complete checklist. If empty, a workshop uses its campaign's." }),
  prerequisites: itemTexts,
  provided: itemTexts,
  bring: itemTexts,
}

type ChecklistBody = z.output<z.ZodObject<typeof checklistFields>>

/** zod check: either items or lists of texts, and no duplicate item ids. */
export function validateChecklist({ value, issues }: z.core.ParsePayload<ChecklistBody>) {
  const { items, prerequisites, provided, bring } = value
  if (!items) return
  if (prerequisites || provided || bring) {
    issues.push({ code: 'custom', message: 'both_forms', path: ['items'], input: items })
  }
  const ids = items.map((item) => item.id)
  for (const [index, id] of ids.entries()) {
    if (id && ids.indexOf(id) < index)
      issues.push({ code: 'custom', message: 'duplicate', path: ['items', index, 'id'], input: id })
  }
}

/**
 * Converts a body to a checklist; undefined if the body has none. Lists of texts replace the items of their kind, but
 * keep items with the same text, with their URL and answers.
 */
export function parseChecklist(c: Context<App>, body: ChecklistBody, current: Item[] = []): ItemDraft[] | undefined {
  const { items, ...lists } = body
  if (items) {
    return items.map(({ mustConfirm = false, ...item }) => ({
      ...item,
      text: parseLocalizedText(c, item.text),
      mustConfirm,
    }))
  }
  const byKind = { prerequisite: lists.prerequisites, provided: lists.provided, bring: lists.bring }
  if (Object.values(byKind).every((texts) => texts === undefined)) return undefined
  return itemKinds.flatMap((kind) => {
    const existing = current.filter((item) => item.kind === kind)
    const requested = byKind[kind]?.map((input) => parseLocalizedText(c, input))
    return requested?.map((text) => takeMatchingItem(text, existing) ?? { kind, text, mustConfirm: false }) ?? existing
  })
}

/** Removes the item with this text from `items` and returns it, so that a repeated text does not match it twice. */
function takeMatchingItem(text: Text, items: Item[]): Item | undefined {
  const index = items.findIndex((item) =>
    Object.values(text).every((value) => Object.values(item.text).includes(value)),
  )
  return index < 0 ? undefined : items.splice(index, 1)[0]
}
