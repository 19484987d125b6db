import { type Context, Hono } from 'hono'
import { findCampaign } from '../../../domain/campaigns/campaigns.ts'
import { changeLink, findLink, type RegistrationLink } from '../../../domain/promotion/registration-links.ts'
import { findWorkshop } from '../../../domain/workshops/workshops.ts'
import { audit } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { absoluteUrl, paths, withQuery } from '../../../http/links.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatPlace, localize } from '../../../i18n/format.ts'
import { formatMinute } from '../../../lib/time-zones.ts'
import { type QrUse, qrUses, renderQrPng, renderQrSvg } from '../../../promotion/qr-images.ts'
import { consolePage } from '../layout.tsx'
import { Checkbox, ErrorSummary, Field, type FieldError, Select, stringField } from '../ui/fields.tsx'
import { FormParser } from '../ui/form-parser.ts'
import { promotionPath } from './promotion-path.ts'

/** One registration link: target, expiry, and its QR as an image. */
export const registrationLinkPages = new Hono<App>()

registrationLinkPages.get('/console/links/:code', async (c) => {
  const link = await findLink(c.env.deps, c.req.param('code'))
  return link ? registrationLinkPage(c, link) : c.notFound()
})

registrationLinkPages.post('/console/links/:code', async (c) => {
  const { deps } = c.env
  const t = consoleMessages(c.get('locale'))
  const link = await findLink(deps, c.req.param('code'))
  if (!link) return c.notFound()
  const form = new FormParser(await parseFormBody(c))
  const [kind, slug = ''] = stringField(form.body, 'target').split(' ')
  const changes = {
    channel: form.string('channel', 80) ?? undefined,
    expiresAt: form.dateTime('expires', deps.config.timeZone),
    active: form.checked('active'),
    target: kind === 'workshop' ? { workshop: slug } : { campaign: slug },
  }
  const problems = [
    ...(changes.channel ? [] : [{ field: 'channel', text: t.spread.channelMissing }]),
    ...form.errors.map(({ field, code }) => ({ field, text: t.fieldProblems[code](t.spread.channel) })),
  ]
  const values = {
    channel: stringField(form.body, 'channel'),
    target: stringField(form.body, 'target'),
    expires: stringField(form.body, 'expires'),
    active: changes.active,
  }
  if (problems.length > 0) return registrationLinkPage(c, link, problems, values)
  const changed = await changeLink(deps, link.code, changes)
  if (changed === 'not_found') return c.notFound()
  if (changed === 'target_not_found')
    return registrationLinkPage(c, link, [{ field: 'target', text: t.spread.targetMissing }], values)
  await audit(c, { action: 'link.changed', payload: { code: link.code, channel: changed.channel } })
  return c.redirect(withQuery(promotionPath(changed.target), { done: 'changed' }), 303)
})

/** A link's QR as an image, under its download file name. */
registrationLinkPages.get('/console/links/:code/:file', async (c) => {
  const link = await findLink(c.env.deps, c.req.param('code'))
  const [, place, type] = /^qr-(\w+)-\d+\.(png|svg)$/.exec(c.req.param('file')) ?? []
  if (!link || !isQrUse(place)) return c.notFound()
  const url = absoluteUrl(c.env.deps.config.baseUrl, paths.registrationLink(link.code))
  c.header('Cache-Control', 'no-store')
  return type === 'svg'
    ? c.body(renderQrSvg(url, place), 200, { 'Content-Type': 'image/svg+xml; charset=utf-8' })
    : c.body(renderQrPng(url, place), 200, { 'Content-Type': 'image/png' })
})

const isQrUse = (use: string | undefined): use is QrUse => qrUses.some((known) => known === use)

type LinkFormValues = { channel: string; target: string; expires: string; active: boolean }

/** @param rejected the submitted values, to render the form again */
async function registrationLinkPage(
  c: Context<App>,
  link: RegistrationLink,
  problems: FieldError[] = [],
  rejected?: LinkFormValues,
) {
  const { deps } = c.env
  const values = rejected ?? {
    channel: link.channel,
    expires: link.expiresAt ? formatMinute(link.expiresAt, deps.config.timeZone).replace(' ', 'T') : '',
    active: link.active,
    target: 'campaign' in link.target ? `campaign ${link.target.campaign}` : `workshop ${link.target.workshop}`,
  }
  const locale = c.get('locale')
  const t = consoleMessages(locale)
  const words = t.spread
  const { target } = link
  const workshop = 'workshop' in target ? await findWorkshop(deps, target.workshop) : undefined
  const campaign = await findCampaign(deps, 'campaign' in target ? target.campaign : (workshop?.campaign?.slug ?? ''))
  const options = [
    ...(campaign ? [{ value: `campaign ${campaign.slug}`, text: localize(campaign.title, locale) }] : []),
    ...(campaign?.workshops ?? (workshop ? [workshop] : [])).map((each) => ({
      value: `workshop ${each.slug}`,
      text: formatPlace(each, locale),
    })),
  ]
  return consolePage(
    c,
    {
      title: words.linkTitle,
      section: 'campaigns',
      back: { href: promotionPath(target), text: words.title },
      status: problems.length > 0 ? 422 : 200,
    },
    <>
      <h1>{words.linkTitle}</h1>
      <p class="lead">{absoluteUrl(deps.config.baseUrl, paths.registrationLink(link.code))}</p>
      <ErrorSummary problems={problems} t={t} />
      <form class="narrow" method="post" action={paths.consoleLink(link.code)} novalidate>
        <Field name="channel" label={words.channel} value={values.channel} problems={problems} required />
        <Select name="target" label={words.target} options={options} value={values.target} />
        <Field name="expires" type="datetime-local" label={words.expires} value={values.expires} problems={problems} />
        <Checkbox name="active" label={words.active} checked={values.active} />
        <button type="submit">{t.save}</button>
      </form>
    </>,
  )
}
