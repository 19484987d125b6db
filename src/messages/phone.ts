import type { Locale } from '../config.ts'
import { en } from './phone.en.ts'
import { type PhoneMessages, zhCN } from './phone.zh-CN.ts'

export type { PhoneMessages }

/** What a helper's phone says, in one language. */
export function phoneMessagesFor(locale: Locale): PhoneMessages {
  return locale === 'en' ? en : zhCN
}
