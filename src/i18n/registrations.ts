import type { Locale } from '../lib/config.ts'
import { en } from './en/registrations.ts'
import { type RegistrationMessages, zhCN } from './zh-CN/registrations.ts'

export type { RegistrationMessages }

/** What organisers read about people, in one language. */
export function registrationMessages(locale: Locale): RegistrationMessages {
  return locale === 'en' ? en : zhCN
}
