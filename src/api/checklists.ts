import type { Context } from 'hono'
import { z } from 'zod'
import type { Locale } from '../config.ts'
import type { App } from '../context.ts'
import { itemKinds, type Text } from '../db/schema.ts'
import { atMost } from '../domain/bounds.ts'
import type { Item, ItemDraft } from '../domain/workshops.ts'
import { pick } from '../messages/text.ts'
import { said } from './requests.ts'
import { readText, text } from './texts.ts'

export const ItemAnswer = z
  .object({
    id: z.guid(),
    kind: z.enum(itemKinds),
    text: z.string(),
    url: z.url().optional(),
    mustConfirm: z.boolean().meta({ description: 'Attendees say "ready" or "not yet" to it when they register.' }),
  })
  .meta({ id: 'Item', description: 'A checklist item: a prerequisite, a thing provided, or a thing to bring.' })

/** A checklist as it is shown, in one language. */
export function showItems(items: Item[], locale: Locale): z.input<typeof ItemAnswer>[] {
  return items.map(({ text, url, ...item }) => ({ ...item, text: pick(text, locale), ...(url && { url }) }))
}

const ItemBody = z
  .strictObject(
    {
      id: z.guid(said).optional().meta({ description: 'Of an item that is there: the answers given to it stay.' }),
      kind: z.enum(itemKinds, said),
      text: text(300),
      url: z
        .string('url_invalid')
        .max(2000, { error: 'too_long', abort: true })
        .check(z.url({ protocol: /^https?$/, error: 'url_invalid' }))
        // As it is read, without the line breaks, quotes and control characters that the parser forgives.
        .transform((url) => new URL(url).href)
        .nullish(),
      mustConfirm: z.boolean(said).optional(),
    },
    said,
  )
  .meta({ id: 'ItemDraft' })

/** Items that a checklist may have. */
const mostItems = 50

const texts = atMost(mostItems, z.array(text(300), said).max(mostItems, 'too_long'))
  .optional()
  .meta({ description: 'The texts of all items of this kind; those of the other kinds stay.' })

/** The fields of a body that carry a checklist. */
export const checklist = {
  items: atMost(mostItems, z.array(ItemBody, said).max(mostItems, 'too_long'))
    .optional()
    .meta({ description: 'The whole checklist. Empty: a workshop has the one of its campaign again.' }),
  prerequisites: texts,
  provided: texts,
  bring: texts,
}

type ChecklistBody = z.output<z.ZodObject<typeof checklist>>

/** For zod: a checklist is given as items or as lists of texts, and no item twice. */
export function checkChecklist({ value, issues }: z.core.ParsePayload<ChecklistBody>) {
  const { items, prerequisites, provided, bring } = value
  if (!items) return
  if (prerequisites || provided || bring) {
    issues.push({ code: 'custom', message: 'both_forms', path: ['items'], input: items })
  }
  const ids = items.map((item) => item.id)
  for (const [n, id] of ids.entries()) {
    if (id && ids.indexOf(id) < n)
      issues.push({ code: 'custom', message: 'duplicate', path: ['items', n, 'id'], input: id })
  }
}

/**
 * The checklist that a body asks for, undefined if it asks for none. Lists of texts replace the items of their kind; an
 * item whose text is there already stays as it is, with its address and its answers.
 */
export function readChecklist(c: Context<App>, body: ChecklistBody, current: Item[] = []): ItemDraft[] | undefined {
  const { items, ...lists } = body
  if (items) {
    return items.map(({ mustConfirm = false, ...item }) => ({ ...item, text: readText(c, item.text), mustConfirm }))
  }
  const byKind = { prerequisite: lists.prerequisites, provided: lists.provided, bring: lists.bring }
  if (Object.values(byKind).every((texts) => texts === undefined)) return undefined
  return itemKinds.flatMap((kind) => {
    const there = current.filter((item) => item.kind === kind)
    const asked = byKind[kind]?.map((given) => readText(c, given))
    return asked?.map((text) => takeSame(text, there) ?? { kind, text, mustConfirm: false }) ?? there
  })
}

/** Takes the item with this text out of `items`, so that a text which is given twice is not the same item twice. */
function takeSame(text: Text, items: Item[]): Item | undefined {
  const n = items.findIndex((item) => Object.values(text).every((words) => Object.values(item.text).includes(words)))
  return n < 0 ? undefined : items.splice(n, 1)[0]
}
