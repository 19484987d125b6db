import type { Locale } from '../lib/config.ts'
import { en } from './en/reports.ts'
import { type ReportMessages, zhCN } from './zh-CN/reports.ts'

export function reportMessages(locale: Locale): ReportMessages {
  return locale === 'en' ? en : zhCN
}
