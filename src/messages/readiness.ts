import type { Locale } from '../config.ts'
import { en } from './readiness.en.ts'
import { type ReadinessMessages, zhCN } from './readiness.zh-CN.ts'

export type { ReadinessMessages }

/** What attendees read about getting ready, and organisers about that and the reminders, in one language. */
export function readinessMessagesFor(locale: Locale): ReadinessMessages {
  return locale === 'en' ? en : zhCN
}
