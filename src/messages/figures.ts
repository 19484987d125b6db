import type { Locale } from '../config.ts'
import { figuresEn } from './figures.en.ts'
import { type FigureMessages, figuresZhCN } from './figures.zh-CN.ts'

/** What the overview, the figures and the audit log say, in one language. */
export function figureMessagesFor(locale: Locale): FigureMessages {
  return locale === 'en' ? figuresEn : figuresZhCN
}
