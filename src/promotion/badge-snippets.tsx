import type { Campaign } from '../domain/campaigns/campaigns.ts'
import type { Workshop } from '../domain/workshops/workshops.ts'
import { absoluteUrl, paths, withQuery } from '../http/links.ts'
import { localize } from '../i18n/format.ts'
import { promotionMessages } from '../i18n/promotion.ts'
import type { Locale } from '../lib/config.ts'
import { promotionContent, stripControlChars } from './content.ts'

/**
 * Renders snippets that show the seats left on other sites: for each workshop a badge linking to its page, as HTML and
 * Markdown, and an iframe with time and place. The badge is in the language of the viewer's browser.
 * @param via code of a registration link, to attribute sign-ups
 */
export function renderBadgeSnippets(
  subject: Campaign | Workshop,
  { baseUrl, locale, via }: { baseUrl: string; locale: Locale; via?: string | undefined },
): { html: string; markdown: string; embed: string } {
  const badges = promotionContent(subject, locale).workshops.map(({ slug, city, title }) => ({
    embedUrl: absoluteUrl(baseUrl, withQuery(paths.embed(slug), { via })),
    page: absoluteUrl(baseUrl, withQuery(paths.workshop(slug), { via })),
    image: absoluteUrl(baseUrl, paths.badge(slug)),
    alt: promotionMessages(locale).badge.alt(
      stripControlChars(localize(city, locale)),
      stripControlChars(localize(title, locale)),
    ),
  }))
  return {
    html: badges
      .map(({ page, image, alt }) =>
        String(
          <a href={page}>
            <img src={image} alt={alt} height="22" />
          </a>,
        ),
      )
      .join('\n'),
    embed: badges
      .map(({ embedUrl, alt }) => String(<iframe src={embedUrl} title={alt} width="100%" height="100" />))
      .join('\n'),
    markdown: badges.map(({ page, image, alt }) => `[![${escapeMarkdown(alt)}](${image})](${page})`).join('\n'),
  }
}

/** Escapes the text of an image (CommonMark 0.31, 2.4 and 6.4). */
function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_[\]<>!&~|]/g, '\\$&')
}
