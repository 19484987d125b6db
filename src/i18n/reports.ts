import type { Locale } from '../lib/config.ts'
import { en } from './en/reports.ts'
import { type ReportMessages, zhCN } from './zh-CN/reports.ts'

/** What the overview, the figures and the audit log say, in one language. */
export function reportMessages(locale: Locale): ReportMessages {
  return locale === 'en' ? en : zhCN
}
