import type { Context } from 'hono'
import { raw } from 'hono/html'
import type { Child } from 'hono/jsx'
import type { Role } from '../../db/schema.ts'
import { hasRole } from '../../domain/organisers/organisers.ts'
import type { App } from '../../http/context.ts'
import { paths, withQuery } from '../../http/links.ts'
import { consoleMessages } from '../../i18n/console.ts'
import { publicMessages } from '../../i18n/public.ts'
import type { ConsoleMessages } from '../../i18n/zh-CN/console.ts'
import { Flash } from '../ui/notices.tsx'
import { ConfirmField } from './ui/confirmation.tsx'

/** An entry of the console's navigation. */
export type ConsoleSection = keyof ConsoleMessages['sections']

export type ConsolePageOptions = {
  title: string
  /** The current entry of the navigation; none on pages without sign-in. */
  section?: ConsoleSection | undefined
  /** The link above the title. */
  back?: { href: string; text: string } | undefined
  /** Names of scripts in src/client. */
  scripts?: readonly string[] | undefined
  /** Success message of the preceding action. */
  flash?: string | undefined
  status?: 200 | 400 | 401 | 403 | 404 | 405 | 409 | 410 | 422 | 429 | undefined
}

/** Renders a console page in the organiser's language, uncached. Responds 422 if `isConfirmed` found no confirmation. */
export async function consolePage(c: Context<App>, options: ConsolePageOptions, content: Child): Promise<Response> {
  c.header('Cache-Control', 'no-store')
  const html = await (<ConsoleDocument c={c} options={options} content={content} />).toString()
  return c.html(String(html), c.get('unconfirmed') ? 422 : (options.status ?? 200))
}

const sections: { section: ConsoleSection; href: string; needs: Role }[] = [
  { section: 'overview', href: paths.console(), needs: 'viewer' },
  { section: 'campaigns', href: paths.consoleCampaigns(), needs: 'viewer' },
  { section: 'boards', href: paths.boards(), needs: 'viewer' },
  { section: 'mails', href: paths.consoleMails(), needs: 'organiser' },
  { section: 'years', href: paths.yearlyStats(), needs: 'viewer' },
  { section: 'audit', href: paths.audit(), needs: 'organiser' },
  { section: 'organisers', href: paths.organisers(), needs: 'owner' },
  { section: 'tokens', href: paths.tokens(), needs: 'owner' },
  { section: 'account', href: paths.account(), needs: 'viewer' },
]

function ConsoleDocument({ c, options, content }: { c: Context<App>; options: ConsolePageOptions; content: Child }) {
  const locale = c.get('locale')
  const organiser = c.get('organiser')
  const t = consoleMessages(locale)
  const { lang, skip, otherLanguage } = publicMessages(locale)
  const { pathname, search } = new URL(c.req.url)
  // A response to a POST has no URL of its own that the language switch could link to.
  const currentPath = c.req.method === 'GET' ? pathname.replace(/^\/+/, '/') + search : paths.console()
  return (
    <>
      {raw('<!doctype html>')}
      <html lang={lang}>
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
          <meta name="color-scheme" content="light dark" />
          <meta name="format-detection" content="telephone=no" />
          <meta name="robots" content="noindex" />
          <title>{`${options.title} · ${t.title}`}</title>
          <link rel="icon" href={paths.asset('favicon.svg')} type="image/svg+xml" />
          <link rel="stylesheet" href={paths.asset('site.css')} />
          <link rel="stylesheet" href={paths.asset('console.css')} />
          {options.scripts?.map((name) => (
            <script type="module" src={paths.asset(`${name}.js`)} />
          ))}
        </head>
        <body class={organiser ? 'console' : 'console alone'}>
          <a class="skip" href="#main">
            {skip}
          </a>
          {organiser && (
            <nav class="sections" aria-label={t.nav}>
              <a class="brand" href={paths.console()}>
                {t.title}
              </a>
              <ul>
                {sections
                  .filter(({ needs }) => hasRole(organiser.role, needs))
                  .map(({ section, href }) => (
                    <li>
                      <a href={href} aria-current={section === options.section ? 'page' : undefined}>
                        {t.sections[section]}
                      </a>
                    </li>
                  ))}
              </ul>
              <form method="post" action={paths.signOut()}>
                <ConfirmField />
                <button class="plain" type="submit">
                  {t.signOut}
                </button>
              </form>
            </nav>
          )}
          <div class="sheet">
            <header class="bar">
              {options.back ? <a href={options.back.href}>{options.back.text}</a> : <span />}
              <span>
                <a href={paths.home()}>{t.toSite}</a>
                <a
                  href={withQuery(currentPath, { lang: otherLanguage.locale })}
                  hreflang={otherLanguage.locale}
                  lang={otherLanguage.locale}
                >
                  {otherLanguage.name}
                </a>
              </span>
            </header>
            <main id="main">
              {/* Looked up by `?done=`, so it can be a method of Object.prototype. */}
              {typeof options.flash === 'string' && <Flash>{options.flash}</Flash>}
              {c.get('unconfirmed') && (
                <div class="alert" role="alert" tabindex={-1} autofocus>
                  <p>{t.unconfirmed}</p>
                </div>
              )}
              {content}
            </main>
          </div>
        </body>
      </html>
    </>
  )
}
