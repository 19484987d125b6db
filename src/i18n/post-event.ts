import type { DefaultQuestion, Question } from '../domain/attendance/feedback.ts'
import type { Locale } from '../lib/config.ts'
import { en } from './en/post-event.ts'
import { localize } from './format.ts'
import { type PostEventMessages, zhCN } from './zh-CN/post-event.ts'

export type { PostEventMessages }

export function postEventMessages(locale: Locale): PostEventMessages {
  return locale === 'en' ? en : zhCN
}

/** Text of a feedback question: the organisers' own, or that of the default question. */
export function questionText({ id, text }: Question, locale: Locale): string {
  return text ? localize(text, locale) : postEventMessages(locale).feedback.questions[id as DefaultQuestion]
}
