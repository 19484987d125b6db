import type { DefaultQuestion, Question } from '../domain/attendance/feedback.ts'
import type { Locale } from '../lib/config.ts'
import { en } from './en/post-event.ts'
import { localize } from './format.ts'
import { type PostEventMessages, zhCN } from './zh-CN/post-event.ts'

export type { PostEventMessages }

/** What is said once a workshop has begun, in one language. */
export function postEventMessages(locale: Locale): PostEventMessages {
  return locale === 'en' ? en : zhCN
}

/** A question as it is asked: in the organisers' words, or as everybody is asked. */
export function questionText({ id, text }: Question, locale: Locale): string {
  return text ? localize(text, locale) : postEventMessages(locale).feedback.questions[id as DefaultQuestion]
}
