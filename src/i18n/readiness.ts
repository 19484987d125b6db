import type { Locale } from '../lib/config.ts'
import { en } from './en/readiness.ts'
import { type ReadinessMessages, zhCN } from './zh-CN/readiness.ts'

export type { ReadinessMessages }

/** What attendees read about getting ready, and organisers about that and the reminders, in one language. */
export function readinessMessages(locale: Locale): ReadinessMessages {
  return locale === 'en' ? en : zhCN
}
