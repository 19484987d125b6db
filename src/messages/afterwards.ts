import type { Locale } from '../config.ts'
import type { DefaultQuestion, Question } from '../domain/feedback.ts'
import { en } from './afterwards.en.ts'
import { type AfterwardsMessages, zhCN } from './afterwards.zh-CN.ts'
import { pick } from './text.ts'

export type { AfterwardsMessages }

/** What is said once a workshop has begun, in one language. */
export function afterwardsMessagesFor(locale: Locale): AfterwardsMessages {
  return locale === 'en' ? en : zhCN
}

/** A question as it is asked: in the organisers' words, or as everybody is asked. */
export function questionText({ id, text }: Question, locale: Locale): string {
  return text ? pick(text, locale) : afterwardsMessagesFor(locale).feedback.questions[id as DefaultQuestion]
}
