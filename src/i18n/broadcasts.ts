import type { Locale } from '../lib/config.ts'
import { en } from './en/broadcasts.ts'
import { type BroadcastMessages, zhCN } from './zh-CN/broadcasts.ts'

export type { BroadcastMessages }

export function broadcastMessages(locale: Locale): BroadcastMessages {
  return locale === 'en' ? en : zhCN
}
