import { isTimeZone } from '../config.ts'
import { type ItemKind, itemKinds, type Text } from '../db/schema.ts'
import { mostProblems } from '../domain/bounds.ts'
import { oneLine, plainLines } from '../domain/plain-text.ts'
import { readMoment } from '../domain/time-zones.ts'
import type { ItemDraft } from '../domain/workshops.ts'
import type { FieldProblemCode } from '../messages/console.zh-CN.ts'
import { typed } from './fields.tsx'

/** Why a field of a form in the console is refused, by its name. */
export type Refused = { field: string; code: FieldProblemCode; taken?: number }

/** As many as the API takes. */
const mostItems = 50

const longestUrl = 2000

/** Lines of one kind that are read from a form, and come back with it: twice as many as any list may have. */
const mostRows = 100

/** Reads the fields of a form that was sent, and keeps what is wrong with them. */
export class Form {
  readonly refused: Refused[] = []

  constructor(readonly body: Record<string, unknown>) {}

  /** A text in both languages, from `name.zh` and `name.en`; as it was typed where it is too long. */
  text(name: string, longest: number, { needed = false, lines = false } = {}): Text {
    const [zh, en] = (['zh', 'en'] as const).map((language) =>
      this.#read(`${name}.${language}`, longest, lines ? plainLines : oneLine),
    )
    if (needed && !zh && !en) this.refuse(`${name}.zh`, 'missing')
    return { ...(zh && { zh }), ...(en && { en }) }
  }

  /** A line of text, or null where nothing was typed; as it was typed where it is too long. */
  line(name: string, longest: number): string | null {
    return this.#read(name, longest, oneLine) || null
  }

  #read(name: string, longest: number, read: typeof oneLine): string {
    const text = typed(this.body, name)
    const plain = read(text, longest)
    if (plain === undefined) this.refuse(name, 'too_long')
    return plain ?? text
  }

  /** A whole number; undefined where nothing was typed. */
  number(name: string, least: number, most: number): number | undefined {
    const text = typed(this.body, name).trim()
    if (text === '') return undefined
    if (!/^\d{1,9}$/.test(text)) this.refuse(name, 'number_invalid')
    else if (Number(text) < least || Number(text) > most) this.refuse(name, 'out_of_range')
    return Number(text)
  }

  needed<Value>(name: string, value: Value | undefined): Value | undefined {
    if (value === undefined && !typed(this.body, name)) this.refuse(name, 'missing')
    return value
  }

  /** A moment, from a date and a time of day on the clocks of a zone; undefined where nothing was typed. */
  moment(date: string, time: string, timeZone: string): Date | undefined {
    const [day, clock] = [typed(this.body, date), typed(this.body, time)]
    if (!day && !clock) return undefined
    const moment = readMoment(`${day}T${clock}`, timeZone)
    if (!moment) this.refuse(readMoment(`${day}T00:00`, timeZone) ? time : date, 'date_invalid')
    return moment
  }

  /** A moment, from a field of date and time; null where nothing was typed. */
  dateTime(name: string, timeZone: string): Date | null {
    const text = typed(this.body, name)
    if (!text) return null
    const moment = readMoment(text, timeZone)
    if (!moment) this.refuse(name, 'date_invalid')
    return moment ?? null
  }

  timeZone(name: string, otherwise: string): string {
    const zone = typed(this.body, name).trim() || otherwise
    if (isTimeZone(zone)) return zone
    this.refuse(name, 'time_zone_invalid')
    return otherwise
  }

  checked(name: string): boolean {
    return this.body[name] === 'yes'
  }

  /** The checklist, line by line as it was sent; a line without text is left out. */
  items(): ItemDraft[] {
    const items = this.rows('item').flatMap((n): ItemDraft[] => {
      const at = `item.${n}`
      if (!typed(this.body, `${at}.zh`).trim() && !typed(this.body, `${at}.en`).trim()) return []
      const id = typed(this.body, `${at}.id`)
      return [
        {
          ...(/^[0-9a-f-]{36}$/.test(id) && { id }),
          kind: itemKinds.find((kind) => kind === this.body[`${at}.kind`]) ?? ('bring' satisfies ItemKind),
          text: this.text(at, 300),
          url: this.url(`${at}.url`),
          mustConfirm: this.checked(`${at}.confirm`),
        },
      ]
    })
    if (items.length > mostItems) this.refuse(`item.${mostItems}.zh`, 'too_many_items')
    return items
  }

  /** The numbers of the lines `name.N.…` that were sent, in their order. */
  rows(name: string): number[] {
    const line = new RegExp(`^${name}\\.(\\d{1,3})\\.`)
    const numbers = Object.keys(this.body).flatMap((key) => {
      const [, n] = line.exec(key) ?? []
      return n === undefined ? [] : [Number(n)]
    })
    return [...new Set(numbers)].sort((a, b) => a - b).slice(0, mostRows)
  }

  refuse(field: string, code: FieldProblemCode, taken?: number): void {
    if (this.refused.length === mostProblems) return
    // A day of two times is wrong once.
    if (this.refused.some((known) => known.field === field)) return
    this.refused.push({ field, code, ...(taken !== undefined && { taken }) })
  }

  /** An address of the web, or null where nothing was typed; as it was typed where it is none. */
  url(name: string): string | null {
    const text = typed(this.body, name).trim()
    if (!text) return null
    if (text.length > longestUrl) {
      this.refuse(name, 'too_long')
      return text
    }
    const address = URL.canParse(text) ? new URL(text) : undefined
    if (!address || !/^https?:$/.test(address.protocol)) this.refuse(name, 'url_invalid')
    // As it is kept, which for Chinese is nine times as long: what was saved can be saved again.
    else if (address.href.length > longestUrl) this.refuse(name, 'too_long')
    else return address.href
    return text
  }
}
