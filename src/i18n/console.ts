import type { Locale } from '../lib/config.ts'
import { en } from './en/console.ts'
import { type ConsoleMessages, zhCN } from './zh-CN/console.ts'

/** What organisers read in the console, in one language. */
export function consoleMessages(locale: Locale): ConsoleMessages {
  return locale === 'en' ? en : zhCN
}
