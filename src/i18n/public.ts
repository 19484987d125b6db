import type { Locale } from '../lib/config.ts'
import { en } from './en/public.ts'
import { type PublicMessages, zhCN } from './zh-CN/public.ts'

export type { PublicMessages }

export function publicMessages(locale: Locale): PublicMessages {
  return locale === 'en' ? en : zhCN
}
