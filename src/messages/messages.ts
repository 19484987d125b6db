import type { Locale } from '../config.ts'
import { en } from './en.ts'
import { type Messages, zhCN } from './zh-CN.ts'

export type { Messages }

/** Everything that attendees are told on pages and by the API, in one language. */
export function messagesFor(locale: Locale): Messages {
  return locale === 'en' ? en : zhCN
}
