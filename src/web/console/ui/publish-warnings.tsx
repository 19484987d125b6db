import type { Context } from 'hono'
import { findWarnings } from '../../../domain/workshops/warnings.ts'
import type { Workshop } from '../../../domain/workshops/workshops.ts'
import type { App } from '../../../http/context.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { localize } from '../../../i18n/format.ts'

/** Warnings about workshops that are about to be published. A missing mail server is mentioned once. */
export async function Warnings({ workshops, c }: { workshops: Workshop[]; c: Context<App> }) {
  const locale = c.get('locale')
  const t = consoleMessages(locale).warnings
  const lines = await Promise.all(
    workshops.map(async (workshop) => {
      const warnings = await findWarnings(c.env.deps, workshop)
      return warnings.map((warning) => ({
        workshop,
        code: warning.warning,
        // Each message function takes the warning of its own code, which the type of the index does not express.
        text: (t[warning.warning] as (of: typeof warning) => string)(warning),
      }))
    }),
  )
  const all = lines
    .flat()
    .filter(({ code }, n, all) => code !== 'no_mail' || n === all.findIndex((w) => w.code === code))
  if (all.length === 0) return null
  return (
    <div class="alert">
      <h2>{t.title}</h2>
      <ul>
        {all.map(({ workshop, code, text }) => (
          <li>
            {code !== 'no_mail' && workshops.length > 1 && `${localize(workshop.city, locale)} · `}
            {text}
          </li>
        ))}
      </ul>
    </div>
  )
}
