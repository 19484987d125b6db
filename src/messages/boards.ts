import type { Locale } from '../config.ts'
import { en } from './boards.en.ts'
import { type BoardMessages, zhCN } from './boards.zh-CN.ts'

export type { BoardMessages }

/** What is said about boards: to organisers, to helpers at the door, and to whoever finds one. */
export function boardMessagesFor(locale: Locale): BoardMessages {
  return locale === 'en' ? en : zhCN
}
