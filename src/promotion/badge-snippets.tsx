import type { Campaign } from '../domain/campaigns/campaigns.ts'
import type { Workshop } from '../domain/workshops/workshops.ts'
import { absoluteUrl, paths, withQuery } from '../http/links.ts'
import { localize } from '../i18n/format.ts'
import { promotionMessages } from '../i18n/promotion.ts'
import type { Locale } from '../lib/config.ts'
import { promotionContent, stripControlChars } from './content.ts'

/**
 * What others put on their pages to show the seats left: the badge of each workshop, which leads to its page, or a frame
 * with when and where. The badge
 * speaks the language of whoever looks at it.
 * @param baseUrl of the installation
 * @param via the code of a registration link, so that sign-ups from there can be told apart
 */
export function renderBadgeSnippets(
  subject: Campaign | Workshop,
  { baseUrl, locale, via }: { baseUrl: string; locale: Locale; via?: string | undefined },
): { html: string; markdown: string; embed: string } {
  const badges = promotionContent(subject, locale).workshops.map(({ slug, city, title }) => ({
    frame: absoluteUrl(baseUrl, withQuery(paths.embed(slug), { via })),
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
      .map(({ frame, alt }) => String(<iframe src={frame} title={alt} width="100%" height="100" />))
      .join('\n'),
    markdown: badges.map(({ page, image, alt }) => `[![${escapeMarkdown(alt)}](${image})](${page})`).join('\n'),
  }
}

/** What would mean something else inside the text of a picture (CommonMark 0.31, 2.4 and 6.4). */
function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_[\]<>!&~|]/g, '\\$&')
}
