import type { Locale } from '../config.ts'
import { en } from './door.en.ts'
import { type DoorMessages, zhCN } from './door.zh-CN.ts'

export type { DoorMessages }

/** What helpers read at the door, and organisers about it, in one language. */
export function doorMessagesFor(locale: Locale): DoorMessages {
  return locale === 'en' ? en : zhCN
}
