import type { Locale } from '../lib/config.ts'
import { en } from './en/boards.ts'
import { type BoardMessages, zhCN } from './zh-CN/boards.ts'

export type { BoardMessages }

/** What is said about boards: to organisers, to helpers at the door, and to whoever finds one. */
export function boardMessages(locale: Locale): BoardMessages {
  return locale === 'en' ? en : zhCN
}
