import type { Locale } from '../config.ts'
import { en } from './spread.en.ts'
import { type SpreadMessages, zhCN } from './spread.zh-CN.ts'

export type { SpreadMessages }

/** What stands on posters, in articles and in messages to chat groups, in one language. */
export function spreadMessagesFor(locale: Locale): SpreadMessages {
  return locale === 'en' ? en : zhCN
}
