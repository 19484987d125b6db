import type { Locale } from '../config.ts'
import { en } from './api.en.ts'
import { type ApiMessages, zhCN } from './api.zh-CN.ts'

/** What the API says beside what attendees read, in one language. */
export function apiMessagesFor(locale: Locale): ApiMessages {
  return locale === 'en' ? en : zhCN
}
