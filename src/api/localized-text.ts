import type { Context } from 'hono'
import { z } from 'zod'
import type { Text } from '../db/schema.ts'
import type { App } from '../http/context.ts'
import { normalizeLine, normalizeText } from '../lib/text.ts'
import { typeErrorMessage } from './requests.ts'

/** A text in one string, or one string per language. */
export type LocalizedTextInput = string | { zh?: string | undefined; en?: string | undefined }

/** Schema of a required single-line text. `maxLength` in UTF-16 units, per language. */
export const singleLineText = (maxLength: number) => localizedText(normalizeLine, maxLength, { empty: false })

/** Schema of an optional text, which may have paragraphs. */
export const multiLineText = (maxLength: number) => localizedText(normalizeText, maxLength, { empty: true })

/**
 * Converts the input to the stored form. A plain string is in the language of `?lang=` or the default locale.
 * Accept-Language is ignored: it is the reader's preference, and clients send it by default.
 */
export function parseLocalizedText(c: Context<App>, input: LocalizedTextInput): Text {
  const { config } = c.env.deps
  const locale = c.req.query('lang') === undefined ? config.defaultLocale : c.var.locale
  return toLocalizedText(input, locale === 'en' ? 'en' : 'zh')
}

function localizedText(
  normalize: (text: string, maxLength: number) => string | undefined,
  maxLength: number,
  { empty }: { empty: boolean },
) {
  const string = z.string(typeErrorMessage)
  return z
    .union(
      [string, z.strictObject({ zh: string.optional(), en: string.optional() }, typeErrorMessage)],
      typeErrorMessage,
    )
    .transform((input, { addIssue }): LocalizedTextInput => {
      const validate = (text: string, path: string[]) => {
        const normalized = normalize(text, maxLength)
        if (normalized === undefined) addIssue({ code: 'custom', message: 'too_long', path })
        return normalized ?? text
      }
      const text =
        typeof input === 'string'
          ? validate(input, [])
          : { zh: validate(input.zh ?? '', ['zh']), en: validate(input.en ?? '', ['en']) }
      if (!empty && Object.keys(toLocalizedText(text, 'zh')).length === 0)
        addIssue({ code: 'custom', message: 'missing' })
      return text
    })
    .meta({ description: `A text of at most ${maxLength} characters, in one language or in both.` })
}

function toLocalizedText(input: LocalizedTextInput, language: keyof Text): Text {
  const { zh, en } = typeof input === 'string' ? ({ [language]: input } as Text) : input
  return { ...(zh && { zh }), ...(en && { en }) }
}
