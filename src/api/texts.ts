import type { Context } from 'hono'
import { z } from 'zod'
import type { App } from '../context.ts'
import type { Text } from '../db/schema.ts'
import { oneLine, plainLines } from '../domain/plain-text.ts'
import { said } from './requests.ts'

/** A text that an organiser writes: one string, or one for each language. */
export type TextInput = string | { zh?: string | undefined; en?: string | undefined }

/** A text on one line that must not be empty. `longest` in UTF-16 units, for each language. */
export const text = (longest: number) => textOf(oneLine, longest, { empty: false })

/** A text that may have paragraphs or be empty. */
export const paragraphs = (longest: number) => textOf(plainLines, longest, { empty: true })

/**
 * What an organiser wrote, as it is stored. A plain string is in the language of `?lang=`, else of the installation;
 * Accept-Language says what one likes to read, and clients send it unasked.
 */
export function readText(c: Context<App>, given: TextInput): Text {
  const { config } = c.env.deps
  const locale = c.req.query('lang') === undefined ? config.defaultLocale : c.var.locale
  return sorted(given, locale === 'en' ? 'en' : 'zh')
}

function textOf(
  clean: (text: string, longest: number) => string | undefined,
  longest: number,
  { empty }: { empty: boolean },
) {
  const words = z.string(said)
  return z
    .union([words, z.strictObject({ zh: words.optional(), en: words.optional() }, said)], said)
    .transform((given, { addIssue }): TextInput => {
      const checked = (text: string, path: string[]) => {
        const words = clean(text, longest)
        if (words === undefined) addIssue({ code: 'custom', message: 'too_long', path })
        return words ?? text
      }
      const text =
        typeof given === 'string'
          ? checked(given, [])
          : { zh: checked(given.zh ?? '', ['zh']), en: checked(given.en ?? '', ['en']) }
      if (!empty && Object.keys(sorted(text, 'zh')).length === 0) addIssue({ code: 'custom', message: 'missing' })
      return text
    })
    .meta({ description: `A text of at most ${longest} characters, in one language or in both.` })
}

function sorted(given: TextInput, language: keyof Text): Text {
  const { zh, en } = typeof given === 'string' ? ({ [language]: given } as Text) : given
  return { ...(zh && { zh }), ...(en && { en }) }
}
