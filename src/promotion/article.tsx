import type { Child } from 'hono/jsx'
import type { Campaign } from '../domain/campaigns/campaigns.ts'
import type { Workshop } from '../domain/workshops/workshops.ts'
import { formatDateRange, localize } from '../i18n/format.ts'
import { promotionMessages } from '../i18n/promotion.ts'
import { publicMessages } from '../i18n/public.ts'
import type { Locale } from '../lib/config.ts'
import { promotionContent, stripControlChars } from './content.ts'
import { qrFileName } from './qr-images.ts'

/**
 * Renders an HTML block to paste into WeChat's article editor. The editor keeps `section`, `p`, `span`, `strong` and
 * inline styles, and drops scripts, style sheets, classes, ids, event handlers, `position` and external links. So URLs
 * of checklist items are left out; the QR code leads to the page that has them.
 *
 * In place of the QR code there is a box with the file to upload. The editor drops images with `data:` URLs, and copies
 * other images only if WeChat's servers can reach ours; a failure would be visible to the readers only. Also, only an
 * uploaded image can be scanned by a long press.
 */
export function renderArticleHtml(subject: Campaign | Workshop, { locale }: { locale: Locale }): string {
  const { title, summary, workshops, checklist } = promotionContent(subject, locale)
  const t = promotionMessages(locale).article
  const tags = publicMessages(locale).itemTags
  return String(
    <section
      style={`margin:0;padding:24px 16px;color:${ink};font-size:16px;line-height:1.75;text-align:left;overflow-wrap:break-word`}
    >
      <p style="margin:0 0 8px;font-size:22px;line-height:1.4">
        <strong>{title}</strong>
      </p>
      {summary
        .split('\n')
        .filter(Boolean)
        .map((line) => (
          <p style={`margin:0 0 4px;color:${soft}`}>{line}</p>
        ))}
      <Heading>{t.cities}</Heading>
      {workshops.length === 0 && <p style="margin:0">{t.none}</p>}
      {workshops.map((workshop) => {
        const { city, date, hours, place } = workshopDetails(workshop, locale)
        return (
          <section style={`margin:0;padding:12px 0;border-top:1px solid ${line}`}>
            <p style="margin:0">
              <strong>{city}</strong>
              <span style={`margin-left:12px;color:${accent}`}>{date}</span>
              <span style="margin-left:8px">{hours}</span>
            </p>
            {place && <p style={`margin:0;font-size:14px;color:${soft}`}>{place}</p>}
          </section>
        )
      })}
      {checklist.length > 0 && <Heading>{t.prepare}</Heading>}
      {checklist.map(({ tag, texts }) => (
        <p style={`margin:0;padding:8px 0;border-top:1px solid ${line}`}>
          <span style={`margin-right:12px;font-size:14px;color:${tag === 'provided' ? accent : soft}`}>
            {tags[tag]}
          </span>
          <span>{promotionMessages(locale).listed(texts)}</span>
          {tag === 'install' && <span style={`font-size:14px;color:${soft}`}>{inParentheses(t.install, locale)}</span>}
        </p>
      ))}
      <section style="margin:32px 0 0;text-align:center">
        <p style="margin:0 0 12px;font-size:18px">
          <strong>{t.call}</strong>
        </p>
        <section
          style={`display:inline-block;width:240px;padding:84px 16px;box-sizing:border-box;border:2px dashed ${accent};background-color:#e8f3ee;color:${accent};text-align:center`}
        >
          {t.qrHere(qrFileName('article', 'png')).map((sentence) => (
            <p style="margin:0;font-size:14px;line-height:1.75">{sentence}</p>
          ))}
        </section>
        <p style={`margin:12px 0 0;font-size:14px;color:${soft}`}>{t.hint}</p>
      </section>
    </section>,
  )
}

/** Renders the same as plain text, for editors without HTML. */
export function renderArticleText(subject: Campaign | Workshop, { locale }: { locale: Locale }): string {
  const { title, summary, workshops, checklist } = promotionContent(subject, locale)
  const { article: t, listed, labelled } = promotionMessages(locale)
  const tags = publicMessages(locale).itemTags
  const cities = workshops.map((workshop) => {
    const { city, date, hours, place } = workshopDetails(workshop, locale)
    return [[city, date, hours].filter(Boolean).join(' '), place].filter(Boolean).join('\n')
  })
  const prepare = checklist.map(({ tag, texts }) => {
    const hint = tag === 'install' ? inParentheses(t.install, locale) : ''
    return labelled(tags[tag], listed(texts) + hint)
  })
  return [
    title,
    summary,
    [t.cities, ...(cities.length > 0 ? cities : [t.none])].join('\n'),
    prepare.length > 0 && [t.prepare, ...prepare].join('\n'),
    [t.call, t.qrInText, t.hint].join('\n'),
  ]
    .filter(Boolean)
    .join('\n\n')
}

const ink = '#1b1d1f'
const soft = '#5d646b'
const line = '#e6e3dc'
const accent = '#0b6e4f'

function Heading({ children }: { children?: Child }) {
  return <p style={`margin:24px 0 8px;font-size:14px;color:${soft}`}>{children}</p>
}

function workshopDetails(workshop: Workshop, locale: Locale) {
  const dates = formatDateRange(workshop, locale)
  const [city, venue, address] = [workshop.city, workshop.venue, workshop.address].map((text) =>
    stripControlChars(localize(text, locale)),
  )
  return {
    city,
    date: promotionMessages(locale).date(dates),
    hours: dates.time,
    place: [venue, address].filter(Boolean).join(locale === 'en' ? ', ' : '，'),
  }
}

function inParentheses(text: string, locale: Locale): string {
  return locale === 'en' ? ` (${text})` : `（${text}）`
}
