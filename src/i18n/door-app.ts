import type { Locale } from '../lib/config.ts'
import { en } from './en/door-app.ts'
import { type DoorAppMessages, zhCN } from './zh-CN/door-app.ts'

export type { DoorAppMessages }

export function doorAppMessages(locale: Locale): DoorAppMessages {
  return locale === 'en' ? en : zhCN
}
