import type { Locale } from '../lib/config.ts'
import { en } from './en/registrations.ts'
import { type RegistrationMessages, zhCN } from './zh-CN/registrations.ts'

export type { RegistrationMessages }

export function registrationMessages(locale: Locale): RegistrationMessages {
  return locale === 'en' ? en : zhCN
}
