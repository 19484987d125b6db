import type { Locale } from '../config.ts'
import { en } from './people.en.ts'
import { type PeopleMessages, zhCN } from './people.zh-CN.ts'

export type { PeopleMessages }

/** What organisers read about people, in one language. */
export function peopleMessagesFor(locale: Locale): PeopleMessages {
  return locale === 'en' ? en : zhCN
}
