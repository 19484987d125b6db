import type { Locale } from '../lib/config.ts'
import { en } from './en/door.ts'
import { type DoorMessages, zhCN } from './zh-CN/door.ts'

export type { DoorMessages }

export function doorMessages(locale: Locale): DoorMessages {
  return locale === 'en' ? en : zhCN
}
