import type { Locale } from '../lib/config.ts'
import { en } from './en/boards.ts'
import { type BoardMessages, zhCN } from './zh-CN/boards.ts'

export type { BoardMessages }

export function boardMessages(locale: Locale): BoardMessages {
  return locale === 'en' ? en : zhCN
}
