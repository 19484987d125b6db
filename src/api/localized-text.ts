import type { Context } from 'hono'
import { z } from 'zod'
import type { Text } from '../db/schema.ts'
import type { App } from '../http/context.ts'
import { normalizeLine, normalizeText } from '../lib/text.ts'
import { typeErrorMessage } from './requests.ts'

/** A text that an organiser writes: one string, or one for each language. */
export type LocalizedTextInput = string | { zh?: string | undefined; en?: string | undefined }

/** A text on one line that must not be empty. `longest` in UTF-16 units, for each language. */
export const singleLineText = (maxLength: number) => localizedText(normalizeLine, maxLength, { empty: false })

/** A text that may have paragraphs or be empty. */
export const multiLineText = (maxLength: number) => localizedText(normalizeText, maxLength, { empty: true })

/**
 * What an organiser wrote, as it is stored. A plain string is in the language of `?lang=`, else of the installation;
 * Accept-Language says what one likes to read, and clients send it unasked.
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
  const words = z.string(typeErrorMessage)
  return z
    .union([words, z.strictObject({ zh: words.optional(), en: words.optional() }, typeErrorMessage)], typeErrorMessage)
    .transform((input, { addIssue }): LocalizedTextInput => {
      const validate = (text: string, path: string[]) => {
        const words = normalize(text, maxLength)
        if (words === undefined) addIssue({ code: 'custom', message: 'too_long', path })
        return words ?? text
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
