import type { Locale } from '../lib/config.ts'
import { en } from './en/broadcasts.ts'
import { type BroadcastMessages, zhCN } from './zh-CN/broadcasts.ts'

export type { BroadcastMessages }

/** What organisers read about mails and the messages that they send, in one language. */
export function broadcastMessages(locale: Locale): BroadcastMessages {
  return locale === 'en' ? en : zhCN
}
