import type { Locale } from '../config.ts'
import { consoleEn } from './console.en.ts'
import { type ConsoleMessages, consoleZhCN } from './console.zh-CN.ts'

/** What organisers read in the console, in one language. */
export function consoleMessagesFor(locale: Locale): ConsoleMessages {
  return locale === 'en' ? consoleEn : consoleZhCN
}
