import type { Locale } from '../lib/config.ts'
import { en } from './en/readiness.ts'
import { type ReadinessMessages, zhCN } from './zh-CN/readiness.ts'

export type { ReadinessMessages }

export function readinessMessages(locale: Locale): ReadinessMessages {
  return locale === 'en' ? en : zhCN
}
