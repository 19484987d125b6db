import { type Context, Hono } from 'hono'
import { audited } from '../audited.ts'
import type { App } from '../context.ts'
import { findCampaign } from '../domain/campaigns.ts'
import { changeLink, findLink, type RegistrationLink } from '../domain/registration-links.ts'
import { minuteIn } from '../domain/time-zones.ts'
import { findWorkshop } from '../domain/workshops.ts'
import { readFormBody } from '../form-body.ts'
import { paths, urlOf, withQuery } from '../links.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { pick, placeOf } from '../messages/text.ts'
import { type QrPlace, qrDrawing, qrPicture, qrPlaces } from '../spread/qr-pictures.ts'
import { Check, Choice, Field, type Problem, Problems, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { Form } from './read-form.ts'
import { pathOf } from './spread.tsx'

/** One registration link: what it leads to, until when, and its QR as a picture. */
export const linkPages = new Hono<App>()

linkPages.get('/console/links/:code', async (c) => {
  const link = await findLink(c.env.deps, c.req.param('code'))
  return link ? linkPage(c, link) : c.notFound()
})

linkPages.post('/console/links/:code', async (c) => {
  const { deps } = c.env
  const t = consoleMessagesFor(c.get('locale'))
  const link = await findLink(deps, c.req.param('code'))
  if (!link) return c.notFound()
  const form = new Form(await readFormBody(c))
  const [kind, slug = ''] = typed(form.body, 'target').split(' ')
  const changes = {
    channel: form.line('channel', 80) ?? undefined,
    expiresAt: form.dateTime('expires', deps.config.timeZone),
    active: form.checked('active'),
    target: kind === 'workshop' ? { workshop: slug } : { campaign: slug },
  }
  const problems = [
    ...(changes.channel ? [] : [{ field: 'channel', text: t.spread.channelMissing }]),
    ...form.refused.map(({ field, code }) => ({ field, text: t.fieldProblems[code](t.spread.channel) })),
  ]
  const shown = {
    channel: typed(form.body, 'channel'),
    target: typed(form.body, 'target'),
    expires: typed(form.body, 'expires'),
    active: changes.active,
  }
  if (problems.length > 0) return linkPage(c, link, problems, shown)
  const changed = await changeLink(deps, link.code, changes)
  if (changed === 'not_found') return c.notFound()
  if (changed === 'target_not_found')
    return linkPage(c, link, [{ field: 'target', text: t.spread.targetMissing }], shown)
  await audited(c, { action: 'link.changed', facts: { code: link.code, channel: changed.channel } })
  return c.redirect(withQuery(pathOf(changed.target), { done: 'changed' }), 303)
})

/** A picture of a link's QR, as it is called when it is downloaded. */
linkPages.get('/console/links/:code/:file', async (c) => {
  const link = await findLink(c.env.deps, c.req.param('code'))
  const [, place, type] = /^qr-(\w+)-\d+\.(png|svg)$/.exec(c.req.param('file')) ?? []
  if (!link || !isPlace(place)) return c.notFound()
  const url = urlOf(c.env.deps.config.baseUrl, paths.link(link.code))
  c.header('Cache-Control', 'no-store')
  return type === 'svg'
    ? c.body(qrDrawing(url, place), 200, { 'Content-Type': 'image/svg+xml; charset=utf-8' })
    : c.body(qrPicture(url, place), 200, { 'Content-Type': 'image/png' })
})

const isPlace = (place: string | undefined): place is QrPlace => qrPlaces.some((known) => known === place)

type ShownLink = { channel: string; target: string; expires: string; active: boolean }

/** @param again the form as it was sent, for it to come back */
async function linkPage(c: Context<App>, link: RegistrationLink, problems: Problem[] = [], again?: ShownLink) {
  const { deps } = c.env
  const shown = again ?? {
    channel: link.channel,
    expires: link.expiresAt ? minuteIn(link.expiresAt, deps.config.timeZone).replace(' ', 'T') : '',
    active: link.active,
    target: 'campaign' in link.target ? `campaign ${link.target.campaign}` : `workshop ${link.target.workshop}`,
  }
  const locale = c.get('locale')
  const t = consoleMessagesFor(locale)
  const words = t.spread
  const { target } = link
  const workshop = 'workshop' in target ? await findWorkshop(deps, target.workshop) : undefined
  const campaign = await findCampaign(deps, 'campaign' in target ? target.campaign : (workshop?.campaign?.slug ?? ''))
  const options = [
    ...(campaign ? [{ value: `campaign ${campaign.slug}`, text: pick(campaign.title, locale) }] : []),
    ...(campaign?.workshops ?? (workshop ? [workshop] : [])).map((each) => ({
      value: `workshop ${each.slug}`,
      text: placeOf(each, locale),
    })),
  ]
  return consolePage(
    c,
    {
      title: words.linkTitle,
      section: 'campaigns',
      back: { href: pathOf(target), text: words.title },
      status: problems.length > 0 ? 422 : 200,
    },
    <>
      <h1>{words.linkTitle}</h1>
      <p class="lead">{urlOf(deps.config.baseUrl, paths.link(link.code))}</p>
      <Problems problems={problems} t={t} />
      <form class="narrow" method="post" action={paths.consoleLink(link.code)} novalidate>
        <Field name="channel" label={words.channel} value={shown.channel} problems={problems} required />
        <Choice name="target" label={words.target} options={options} value={shown.target} />
        <Field name="expires" type="datetime-local" label={words.expires} value={shown.expires} problems={problems} />
        <Check name="active" label={words.active} checked={shown.active} />
        <button type="submit">{t.save}</button>
      </form>
    </>,
  )
}
