import type { Locale } from '../lib/config.ts'
import { en } from './en/console.ts'
import { type ConsoleMessages, zhCN } from './zh-CN/console.ts'

export function consoleMessages(locale: Locale): ConsoleMessages {
  return locale === 'en' ? en : zhCN
}
