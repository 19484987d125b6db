import type { Locale } from '../lib/config.ts'
import { en } from './en/api.ts'
import { type ApiMessages, zhCN } from './zh-CN/api.ts'

export function apiMessages(locale: Locale): ApiMessages {
  return locale === 'en' ? en : zhCN
}
