import type { Locale } from '../lib/config.ts'
import { en } from './en/promotion.ts'
import { type PromotionMessages, zhCN } from './zh-CN/promotion.ts'

export type { PromotionMessages }

export function promotionMessages(locale: Locale): PromotionMessages {
  return locale === 'en' ? en : zhCN
}
