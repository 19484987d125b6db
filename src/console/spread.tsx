import { type Context, Hono } from 'hono'
import { audited } from '../audited.ts'
import type { App } from '../context.ts'
import { type Campaign, findCampaign } from '../domain/campaigns.ts'
import { oneLine } from '../domain/plain-text.ts'
import {
  createLink,
  type LinkTarget,
  leadsOn,
  linkStats,
  listLinks,
  type RegistrationLink,
} from '../domain/registration-links.ts'
import { findWorkshop, type Workshop } from '../domain/workshops.ts'
import { readFormBody } from '../form-body.ts'
import { paths, urlOf, withQuery } from '../links.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import type { ConsoleMessages } from '../messages/console.zh-CN.ts'
import { spreadMessagesFor } from '../messages/spread.ts'
import { moment, pick, placeOf } from '../messages/text.ts'
import { articleBlock, articleText } from '../spread/article.tsx'
import { badgeSnippets } from '../spread/badge-snippets.tsx'
import { chatMessage } from '../spread/chat-message.ts'
import { drawPoster, type PosterFormat, posterFormats } from '../spread/poster.tsx'
import { qrFileName, qrPlaces } from '../spread/qr-pictures.ts'
import { Field, Problems, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'

/** What is made of a campaign or workshop to spread the word, and the links behind the QR codes. */
export const spreadPages = new Hono<App>()

/** What is spread: a campaign or one of its cities. */
type Subject = { of: Campaign | Workshop; target: LinkTarget }

spreadPages.get('/console/campaigns/:slug/spread', async (c) => {
  const subject = await findSubject(c, 'campaign')
  return subject ? spreadPage(c, subject) : c.notFound()
})

spreadPages.get('/console/workshops/:slug/spread', async (c) => {
  const subject = await findSubject(c, 'workshop')
  return subject ? spreadPage(c, subject) : c.notFound()
})

spreadPages.post('/console/campaigns/:slug/links', (c) => addLink(c, 'campaign'))
spreadPages.post('/console/workshops/:slug/links', (c) => addLink(c, 'workshop'))

spreadPages.get('/console/campaigns/:slug/poster/:file', (c) => answerPoster(c, 'campaign'))
spreadPages.get('/console/workshops/:slug/poster/:file', (c) => answerPoster(c, 'workshop'))

async function findSubject(c: Context<App>, kind: 'campaign' | 'workshop'): Promise<Subject | undefined> {
  const slug = c.req.param('slug') ?? ''
  const of = await (kind === 'campaign' ? findCampaign : findWorkshop)(c.env.deps, slug)
  return of && { of, target: kind === 'campaign' ? { campaign: of.slug } : { workshop: of.slug } }
}

/** Where the links of a campaign or workshop are listed. */
export const pathOf = (target: LinkTarget) =>
  'campaign' in target ? paths.spreadCampaign(target.campaign) : paths.spreadWorkshop(target.workshop)

async function addLink(c: Context<App>, kind: 'campaign' | 'workshop') {
  const subject = await findSubject(c, kind)
  if (!subject) return c.notFound()
  const t = consoleMessagesFor(c.get('locale'))
  const typedChannel = typed(await readFormBody(c), 'channel')
  const channel = oneLine(typedChannel, 80)
  if (!channel) {
    const text = channel === undefined ? t.fieldProblems.too_long(t.spread.channel) : t.spread.channelMissing
    return spreadPage(c, subject, { text, channel: typedChannel })
  }
  const link = await createLink(c.env.deps, subject.target, { channel })
  if (!link) return c.notFound()
  await audited(c, { action: 'link.created', facts: { code: link.code, channel } })
  return c.redirect(withQuery(pathOf(subject.target), { done: 'made', link: link.code }), 303)
}

async function answerPoster(c: Context<App>, kind: 'campaign' | 'workshop') {
  const subject = await findSubject(c, kind)
  const format = posterFormats.find((format) => c.req.param('file') === `${format}.svg`)
  if (!subject || !format) return c.notFound()
  const { link } = await linksOf(c, subject)
  const svg = drawPoster(subject.of, { url: addressOf(c, subject, link), format, locale: c.get('locale') })
  return c.body(svg, 200, { 'Content-Type': 'image/svg+xml; charset=utf-8', 'Cache-Control': 'no-store' })
}

/** The links of what is spread, and the one that its materials carry: the one asked for, else the newest that leads on. */
async function linksOf(c: Context<App>, { target }: Subject) {
  const links = (await listLinks(c.env.deps, target)) ?? []
  const good = links.filter((link) => leadsOn(link, c.env.deps.now()))
  return { links, link: good.find(({ code }) => code === c.req.query('link')) ?? good.at(-1) }
}

/** What the QR of the materials says: the link, or without one the page itself. */
function addressOf(c: Context<App>, { of, target }: Subject, link: RegistrationLink | undefined): string {
  const page = 'campaign' in target ? paths.campaign(of.slug) : paths.workshop(of.slug)
  return urlOf(c.env.deps.config.baseUrl, link ? paths.link(link.code) : page)
}

/** @param mistake the channel as it was typed, and what is wrong with it */
async function spreadPage(c: Context<App>, subject: Subject, mistake?: { text: string; channel: string }) {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = consoleMessagesFor(locale)
  const words = t.spread
  const { of, target } = subject
  const { links, link } = await linksOf(c, subject)
  const stats = await Promise.all(links.map(({ code }) => linkStats(deps, code)))
  const url = addressOf(c, subject, link)
  const snippets = badgeSnippets(of, { baseUrl: deps.config.baseUrl, locale, via: link?.code })
  const problems = mistake ? [{ field: 'channel', text: mistake.text }] : []
  const poster = (format: PosterFormat) =>
    withQuery('campaign' in target ? paths.campaignPoster(of.slug, format) : paths.workshopPoster(of.slug, format), {
      link: link?.code,
      lang: locale,
    })
  const title = 'workshops' in of ? pick(of.title, locale) : placeOf(of, locale)
  const done = { made: words.made, changed: words.changed }
  return consolePage(
    c,
    {
      title: words.title,
      section: 'campaigns',
      back: {
        href: 'campaign' in target ? paths.consoleCampaign(of.slug) : paths.consoleWorkshop(of.slug),
        text: title,
      },
      scripts: ['copy', 'copy-html', 'picture'],
      done: done[c.req.query('done') as keyof typeof done],
      status: mistake ? 422 : 200,
    },
    <>
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <h2>{words.links}</h2>
      <p class="hint">{words.linksLead}</p>
      <Problems problems={problems} t={t} />
      {links.length === 0 && <p>{words.none}</p>}
      <ul class="rows">
        {links.map((each, n) => (
          <LinkRow c={c} link={each} chosen={each.code === link?.code} stats={stats[n]} to={pathOf(target)} t={t} />
        ))}
      </ul>
      <form
        class="inline"
        method="post"
        action={'campaign' in target ? paths.addCampaignLink(of.slug) : paths.addWorkshopLink(of.slug)}
        novalidate
      >
        <Field
          name="channel"
          label={words.channel}
          hint={words.channelHint}
          value={mistake?.channel ?? ''}
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
                  download={`poster-${of.slug}-${format}.svg`}
                  data-picture={format === 'phone' ? '1080x1440' : '2480x3508'}
                  data-hold={words.hold}
                >
                  {words.png}
                </a>
                <a href={poster(format)} download={`poster-${of.slug}-${format}.svg`}>
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
            {qrPlaces.map((place) => (
              <li>
                <span>
                  {spreadMessagesFor(locale).qrPlaces[place]}
                  <small>{qrFileName(place, 'png')}</small>
                </span>
                {(['png', 'svg'] as const).map((type) => (
                  <a
                    class="button small second"
                    href={paths.linkPicture(link.code, qrFileName(place, type))}
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
      <Copied id="article" html="article-html" text={articleText(of, { locale })} t={t} words={words.copyArticle} />
      <textarea hidden id="article-html" readonly>
        {articleBlock(of, { locale })}
      </textarea>
      <h3>{words.chat}</h3>
      <Copied id="chat" text={chatMessage(of, { url, locale })} t={t} />
      <h3>{words.snippet}</h3>
      <p class="hint">{words.badge} · HTML</p>
      <Copied id="html" text={snippets.html} t={t} rows={3} />
      <p class="hint">{words.frame} · HTML</p>
      <Copied id="embed" text={snippets.embed} t={t} rows={3} />
      <p class="hint">Markdown</p>
      <Copied id="markdown" text={snippets.markdown} t={t} rows={3} />
      <p class="links">
        <a href={paths.calendar()}>{words.calendar}</a>
      </p>
    </>,
  )
}

function LinkRow({
  c,
  link,
  chosen,
  stats,
  to,
  t,
}: {
  c: Context<App>
  link: RegistrationLink
  chosen: boolean
  stats: { scans: number; registrations: number } | undefined
  to: string
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
          {urlOf(deps.config.baseUrl, paths.link(link.code))}
          {link.expiresAt && !expired && (
            <> · {words.expiresOn(moment(link.expiresAt, deps.config.timeZone, c.get('locale')))}</>
          )}
        </small>
      </span>
      <span class="taken">
        {words.funnel(scans, registrations)}
        {scans > 0 && <small>{words.share(Math.round((100 * registrations) / scans))}</small>}
      </span>
      {leadsOn(link, deps.now()) && !chosen && (
        <a class="button small second" href={withQuery(to, { link: link.code })}>
          {words.for}
        </a>
      )}
      <a class="button small second" href={paths.consoleLink(link.code)}>
        {words.change}
      </a>
    </li>
  )
}

/** A text to copy, with the button that does it. With `html`, what is copied is the HTML in the field of that id. */
function Copied({
  id,
  text,
  html,
  rows = 6,
  words,
  t,
}: {
  id: string
  text: string
  html?: string
  rows?: number
  words?: string
  t: ConsoleMessages
}) {
  const label = words ?? t.spread.copy
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
