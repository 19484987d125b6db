import type { Locale } from '../config.ts'
import { en } from './mailing.en.ts'
import { type MailingMessages, zhCN } from './mailing.zh-CN.ts'

export type { MailingMessages }

/** What organisers read about mails and the messages that they send, in one language. */
export function mailingMessagesFor(locale: Locale): MailingMessages {
  return locale === 'en' ? en : zhCN
}
