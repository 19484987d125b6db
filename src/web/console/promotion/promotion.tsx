import { type Context, Hono } from 'hono'
import { type Campaign, findCampaign } from '../../../domain/campaigns/campaigns.ts'
import {
  createLink,
  isLinkActive,
  type LinkTarget,
  linkStats,
  listLinks,
  type RegistrationLink,
} from '../../../domain/promotion/registration-links.ts'
import { findWorkshop, type Workshop } from '../../../domain/workshops/workshops.ts'
import { audit } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { absoluteUrl, paths, withQuery } from '../../../http/links.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatDateTime, formatPlace, localize } from '../../../i18n/format.ts'
import { promotionMessages } from '../../../i18n/promotion.ts'
import type { ConsoleMessages } from '../../../i18n/zh-CN/console.ts'
import { normalizeLine } from '../../../lib/text.ts'
import { renderArticleHtml, renderArticleText } from '../../../promotion/article.tsx'
import { renderBadgeSnippets } from '../../../promotion/badge-snippets.tsx'
import { renderChatMessage } from '../../../promotion/chat-message.ts'
import { type PosterFormat, posterFormats, renderPoster } from '../../../promotion/poster.tsx'
import { qrFileName, qrUses } from '../../../promotion/qr-images.ts'
import { consolePage } from '../layout.tsx'
import { ErrorSummary, Field, stringField } from '../ui/fields.tsx'
import { promotionPath } from './promotion-path.ts'

/** Promotion of a campaign or workshop: registration links, posters, texts to copy. */
export const promotionPages = new Hono<App>()

type PromotionSubject = { entity: Campaign | Workshop; target: LinkTarget }

promotionPages.get('/console/campaigns/:slug/spread', async (c) => {
  const subject = await loadSubject(c, 'campaign')
  return subject ? promotionPage(c, subject) : c.notFound()
})

promotionPages.get('/console/workshops/:slug/spread', async (c) => {
  const subject = await loadSubject(c, 'workshop')
  return subject ? promotionPage(c, subject) : c.notFound()
})

promotionPages.post('/console/campaigns/:slug/links', (c) => createRegistrationLink(c, 'campaign'))
promotionPages.post('/console/workshops/:slug/links', (c) => createRegistrationLink(c, 'workshop'))

promotionPages.get('/console/campaigns/:slug/poster/:file', (c) => servePoster(c, 'campaign'))
promotionPages.get('/console/workshops/:slug/poster/:file', (c) => servePoster(c, 'workshop'))

async function loadSubject(c: Context<App>, kind: 'campaign' | 'workshop'): Promise<PromotionSubject | undefined> {
  const slug = c.req.param('slug') ?? ''
  const entity = await (kind === 'campaign' ? findCampaign : findWorkshop)(c.env.deps, slug)
  return entity && { entity, target: kind === 'campaign' ? { campaign: entity.slug } : { workshop: entity.slug } }
}

async function createRegistrationLink(c: Context<App>, kind: 'campaign' | 'workshop') {
  const subject = await loadSubject(c, kind)
  if (!subject) return c.notFound()
  const t = consoleMessages(c.get('locale'))
  const channelInput = stringField(await parseFormBody(c), 'channel')
  const channel = normalizeLine(channelInput, 80)
  if (!channel) {
    const text = channel === undefined ? t.fieldProblems.too_long(t.spread.channel) : t.spread.channelMissing
    return promotionPage(c, subject, { text, channel: channelInput })
  }
  const link = await createLink(c.env.deps, subject.target, { channel })
  if (!link) return c.notFound()
  await audit(c, { action: 'link.created', payload: { code: link.code, channel } })
  return c.redirect(withQuery(promotionPath(subject.target), { done: 'made', link: link.code }), 303)
}

async function servePoster(c: Context<App>, kind: 'campaign' | 'workshop') {
  const subject = await loadSubject(c, kind)
  const format = posterFormats.find((format) => c.req.param('file') === `${format}.svg`)
  if (!subject || !format) return c.notFound()
  const { link } = await loadLinks(c, subject)
  const svg = renderPoster(subject.entity, { url: promotionUrl(c, subject, link), format, locale: c.get('locale') })
  return c.body(svg, 200, { 'Content-Type': 'image/svg+xml; charset=utf-8', 'Cache-Control': 'no-store' })
}

/** All links, and the one used in the materials: the requested one, else the newest active one. */
async function loadLinks(c: Context<App>, { target }: PromotionSubject) {
  const links = (await listLinks(c.env.deps, target)) ?? []
  const activeLinks = links.filter((link) => isLinkActive(link, c.env.deps.now()))
  return { links, link: activeLinks.find(({ code }) => code === c.req.query('link')) ?? activeLinks.at(-1) }
}

/** URL behind the QR of the materials: the registration link, or the public page if there is none. */
function promotionUrl(
  c: Context<App>,
  { entity, target }: PromotionSubject,
  link: RegistrationLink | undefined,
): string {
  const page = 'campaign' in target ? paths.campaign(entity.slug) : paths.workshop(entity.slug)
  return absoluteUrl(c.env.deps.config.baseUrl, link ? paths.registrationLink(link.code) : page)
}

/** @param rejected the submitted channel with its error */
async function promotionPage(c: Context<App>, subject: PromotionSubject, rejected?: { text: string; channel: string }) {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = consoleMessages(locale)
  const words = t.spread
  const { entity, target } = subject
  const { links, link } = await loadLinks(c, subject)
  const stats = await Promise.all(links.map(({ code }) => linkStats(deps, code)))
  const url = promotionUrl(c, subject, link)
  const snippets = renderBadgeSnippets(entity, { baseUrl: deps.config.baseUrl, locale, via: link?.code })
  const problems = rejected ? [{ field: 'channel', text: rejected.text }] : []
  const poster = (format: PosterFormat) =>
    withQuery(
      'campaign' in target ? paths.campaignPoster(entity.slug, format) : paths.workshopPoster(entity.slug, format),
      {
        link: link?.code,
        lang: locale,
      },
    )
  const title = 'workshops' in entity ? localize(entity.title, locale) : formatPlace(entity, locale)
  const flashMessages = { made: words.made, changed: words.changed }
  return consolePage(
    c,
    {
      title: words.title,
      section: 'campaigns',
      back: {
        href: 'campaign' in target ? paths.consoleCampaign(entity.slug) : paths.consoleWorkshop(entity.slug),
        text: title,
      },
      scripts: ['copy', 'copy-html', 'picture'],
      flash: flashMessages[c.req.query('done') as keyof typeof flashMessages],
      status: rejected ? 422 : 200,
    },
    <>
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <h2>{words.links}</h2>
      <p class="hint">{words.linksLead}</p>
      <ErrorSummary problems={problems} t={t} />
      {links.length === 0 && <p>{words.none}</p>}
      <ul class="rows">
        {links.map((listedLink, n) => (
          <LinkRow
            c={c}
            link={listedLink}
            selected={listedLink.code === link?.code}
            stats={stats[n]}
            promotionHref={promotionPath(target)}
            t={t}
          />
        ))}
      </ul>
      <form
        class="inline"
        method="post"
        action={'campaign' in target ? paths.addCampaignLink(entity.slug) : paths.addWorkshopLink(entity.slug)}
        novalidate
      >
        <Field
          name="channel"
          label={words.channel}
          hint={words.channelHint}
          value={rejected?.channel ?? ''}
          problems={problems}
          required
        />
        <button class="small" type="submit">
          {words.make}
        </button>
      </form>

      <h2>{words.materials}</h2>
      <p class="hint">
        {link ? `${words.for}: ${link.channel}` : words.plainLink} <a href={url}>{url}</a>
      </p>
      <div class="materials">
        {posterFormats.map((format) => (
          <figure>
            <img src={poster(format)} alt={`${words.poster} · ${words.posters[format]}`} loading="lazy" />
            <figcaption>
              {words.posters[format]}
              <span class="links">
                <a
                  href={poster(format)}
                  download={`poster-${entity.slug}-${format}.svg`}
                  data-picture={format === 'phone' ? '1080x1440' : '2480x3508'}
                  data-hold={words.hold}
                >
                  {words.png}
                </a>
                <a href={poster(format)} download={`poster-${entity.slug}-${format}.svg`}>
                  {words.svg}
                </a>
                <a href={poster(format)} target="_blank" rel="noopener">
                  {words.print}
                </a>
              </span>
            </figcaption>
          </figure>
        ))}
      </div>
      {link && (
        <>
          <h3>{words.qr}</h3>
          <ul class="rows">
            {qrUses.map((place) => (
              <li>
                <span>
                  {promotionMessages(locale).qrPlaces[place]}
                  <small>{qrFileName(place, 'png')}</small>
                </span>
                {(['png', 'svg'] as const).map((type) => (
                  <a
                    class="button small second"
                    href={paths.linkQrImage(link.code, qrFileName(place, type))}
                    download={qrFileName(place, type)}
                  >
                    {type.toUpperCase()}
                  </a>
                ))}
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>{words.article}</h3>
      <p class="hint">{words.articleLead}</p>
      <CopyField
        id="article"
        html="article-html"
        text={renderArticleText(entity, { locale })}
        t={t}
        buttonLabel={words.copyArticle}
      />
      <textarea hidden id="article-html" readonly>
        {renderArticleHtml(entity, { locale })}
      </textarea>
      <h3>{words.chat}</h3>
      <CopyField id="chat" text={renderChatMessage(entity, { url, locale })} t={t} />
      <h3>{words.snippet}</h3>
      <p class="hint">{words.badge} · HTML</p>
      <CopyField id="html" text={snippets.html} t={t} rows={3} />
      <p class="hint">{words.frame} · HTML</p>
      <CopyField id="embed" text={snippets.embed} t={t} rows={3} />
      <p class="hint">Markdown</p>
      <CopyField id="markdown" text={snippets.markdown} t={t} rows={3} />
      <p class="links">
        <a href={paths.calendar()}>{words.calendar}</a>
      </p>
    </>,
  )
}

function LinkRow({
  c,
  link,
  selected,
  stats,
  promotionHref,
  t,
}: {
  c: Context<App>
  link: RegistrationLink
  selected: boolean
  stats: { scans: number; registrations: number } | undefined
  promotionHref: string
  t: ConsoleMessages
}) {
  const { deps } = c.env
  const words = t.spread
  const { scans, registrations } = stats ?? { scans: 0, registrations: 0 }
  const expired = link.expiresAt && link.expiresAt <= deps.now()
  return (
    <li>
      <span>
        {link.channel}
        {!link.active && <span class="mark off">{words.off}</span>}
        {expired && <span class="mark warn">{words.expired}</span>}
        <small>
          {absoluteUrl(deps.config.baseUrl, paths.registrationLink(link.code))}
          {link.expiresAt && !expired && (
            <> · {words.expiresOn(formatDateTime(link.expiresAt, deps.config.timeZone, c.get('locale')))}</>
          )}
        </small>
      </span>
      <span class="taken">
        {words.funnel(scans, registrations)}
        {scans > 0 && <small>{words.share(Math.round((100 * registrations) / scans))}</small>}
      </span>
      {isLinkActive(link, deps.now()) && !selected && (
        <a class="button small second" href={withQuery(promotionHref, { link: link.code })}>
          {words.for}
        </a>
      )}
      <a class="button small second" href={paths.consoleLink(link.code)}>
        {words.change}
      </a>
    </li>
  )
}

/** A text with a copy button. With `html`, the button copies the HTML in the field of that id. */
function CopyField({
  id,
  text,
  html,
  rows = 6,
  buttonLabel,
  t,
}: {
  id: string
  text: string
  html?: string
  rows?: number
  buttonLabel?: string
  t: ConsoleMessages
}) {
  const label = buttonLabel ?? t.spread.copy
  return (
    <div class="copied">
      <textarea id={id} rows={rows} readonly aria-label={label}>
        {text}
      </textarea>
      {html ? (
        <button
          class="small second"
          type="button"
          hidden
          data-copy-html={html}
          data-plain={id}
          data-copied={t.spread.copied}
        >
          {label}
        </button>
      ) : (
        <button class="small second" type="button" hidden data-copy={id} data-copied={t.spread.copied}>
          {label}
        </button>
      )}
    </div>
  )
}
