import type { Locale } from '../config.ts'
import type { Campaign } from '../domain/campaigns.ts'
import type { Workshop } from '../domain/workshops.ts'
import { paths, urlOf, withQuery } from '../links.ts'
import { spreadMessagesFor } from '../messages/spread.ts'
import { pick } from '../messages/text.ts'
import { announcementOf, printable } from './announcement.ts'

/**
 * What others put on their pages to show the seats left: the badge of each workshop, which leads to its page, or a frame
 * with when and where. The badge
 * speaks the language of whoever looks at it.
 * @param baseUrl of the installation
 * @param via the code of a registration link, so that sign-ups from there can be told apart
 */
export function badgeSnippets(
  subject: Campaign | Workshop,
  { baseUrl, locale, via }: { baseUrl: string; locale: Locale; via?: string | undefined },
): { html: string; markdown: string; embed: string } {
  const badges = announcementOf(subject, locale).workshops.map(({ slug, city, title }) => ({
    frame: urlOf(baseUrl, withQuery(paths.embed(slug), { via })),
    page: urlOf(baseUrl, withQuery(paths.workshop(slug), { via })),
    image: urlOf(baseUrl, paths.badge(slug)),
    alt: spreadMessagesFor(locale).badge.alt(printable(pick(city, locale)), printable(pick(title, locale))),
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
