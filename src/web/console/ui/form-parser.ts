import { type ItemKind, itemKinds, type Text } from '../../../db/schema.ts'
import type { ItemDraft } from '../../../domain/workshops/workshops.ts'
import type { FieldProblemCode } from '../../../i18n/zh-CN/console.ts'
import { isTimeZone } from '../../../lib/config.ts'
import { maxProblems } from '../../../lib/input-limits.ts'
import { normalizeLine, normalizeText } from '../../../lib/text.ts'
import { parseDateTime } from '../../../lib/time-zones.ts'
import { stringField } from './fields.tsx'

/** An error of a submitted field. `taken`: seats taken, for `capacity_below_taken`. */
export type FormError = { field: string; code: FieldProblemCode; taken?: number }

/** Checklist items; the API has the same limit. */
const maxItems = 50

const maxUrlLength = 2000

/** Rows of one kind that are parsed and rendered again: twice the limit of any list. */
const maxRows = 100

/** Parses the fields of a submitted form and collects their errors. */
export class FormParser {
  readonly errors: FormError[] = []

  constructor(readonly body: Record<string, unknown>) {}

  /** A bilingual text from `name.zh` and `name.en`; unchanged if it is too long. */
  bilingual(name: string, maxLength: number, { required = false, multiline = false } = {}): Text {
    const [zh, en] = (['zh', 'en'] as const).map((language) =>
      this.#read(`${name}.${language}`, maxLength, multiline ? normalizeText : normalizeLine),
    )
    if (required && !zh && !en) this.addError(`${name}.zh`, 'missing')
    return { ...(zh && { zh }), ...(en && { en }) }
  }

  /** A line of text; null if empty, unchanged if too long. */
  string(name: string, maxLength: number): string | null {
    return this.#read(name, maxLength, normalizeLine) || null
  }

  #read(name: string, maxLength: number, normalize: typeof normalizeLine): string {
    const text = stringField(this.body, name)
    const normalized = normalize(text, maxLength)
    if (normalized === undefined) this.addError(name, 'too_long')
    return normalized ?? text
  }

  /** A whole number; undefined if empty. */
  number(name: string, min: number, max: number): number | undefined {
    const text = stringField(this.body, name).trim()
    if (text === '') return undefined
    if (!/^\d{1,9}$/.test(text)) this.addError(name, 'number_invalid')
    else if (Number(text) < min || Number(text) > max) this.addError(name, 'out_of_range')
    return Number(text)
  }

  required<Value>(name: string, value: Value | undefined): Value | undefined {
    if (value === undefined && !stringField(this.body, name)) this.addError(name, 'missing')
    return value
  }

  /** An instant from a date field and a time field in the time zone; undefined if both are empty. */
  dateAndTime(date: string, time: string, timeZone: string): Date | undefined {
    const [day, timeOfDay] = [stringField(this.body, date), stringField(this.body, time)]
    if (!day && !timeOfDay) return undefined
    const moment = parseDateTime(`${day}T${timeOfDay}`, timeZone)
    if (!moment) this.addError(parseDateTime(`${day}T00:00`, timeZone) ? time : date, 'date_invalid')
    return moment
  }

  /** An instant from a datetime-local field; null if empty. */
  dateTime(name: string, timeZone: string): Date | null {
    const text = stringField(this.body, name)
    if (!text) return null
    const moment = parseDateTime(text, timeZone)
    if (!moment) this.addError(name, 'date_invalid')
    return moment ?? null
  }

  timeZone(name: string, fallback: string): string {
    const zone = stringField(this.body, name).trim() || fallback
    if (isTimeZone(zone)) return zone
    this.addError(name, 'time_zone_invalid')
    return fallback
  }

  checked(name: string): boolean {
    return this.body[name] === 'yes'
  }

  /** The checklist in form order. Lines without text are skipped. */
  checklistItems(): ItemDraft[] {
    const items = this.rowNumbers('item').flatMap((n): ItemDraft[] => {
      const at = `item.${n}`
      if (!stringField(this.body, `${at}.zh`).trim() && !stringField(this.body, `${at}.en`).trim()) return []
      const id = stringField(this.body, `${at}.id`)
      return [
        {
          ...(/^[0-9a-f-]{36}$/.test(id) && { id }),
          kind: itemKinds.find((kind) => kind === this.body[`${at}.kind`]) ?? ('bring' satisfies ItemKind),
          text: this.bilingual(at, 300),
          url: this.url(`${at}.url`),
          mustConfirm: this.checked(`${at}.confirm`),
        },
      ]
    })
    if (items.length > maxItems) this.addError(`item.${maxItems}.zh`, 'too_many_items')
    return items
  }

  /** The numbers N of the submitted fields `name.N.…`, ascending. */
  rowNumbers(name: string): number[] {
    const line = new RegExp(`^${name}\\.(\\d{1,3})\\.`)
    const numbers = Object.keys(this.body).flatMap((key) => {
      const [, n] = line.exec(key) ?? []
      return n === undefined ? [] : [Number(n)]
    })
    return [...new Set(numbers)].sort((a, b) => a - b).slice(0, maxRows)
  }

  addError(field: string, code: FieldProblemCode, taken?: number): void {
    if (this.errors.length === maxProblems) return
    // One error per field: a date can be used with two times.
    if (this.errors.some((known) => known.field === field)) return
    this.errors.push({ field, code, ...(taken !== undefined && { taken }) })
  }

  /** An http(s) URL; null if empty, unchanged if invalid. */
  url(name: string): string | null {
    const text = stringField(this.body, name).trim()
    if (!text) return null
    if (text.length > maxUrlLength) {
      this.addError(name, 'too_long')
      return text
    }
    const address = URL.canParse(text) ? new URL(text) : undefined
    if (!address || !/^https?:$/.test(address.protocol)) this.addError(name, 'url_invalid')
    // The encoded URL is stored, nine times as long for Chinese: it must pass when it is saved again.
    else if (address.href.length > maxUrlLength) this.addError(name, 'too_long')
    else return address.href
    return text
  }
}
