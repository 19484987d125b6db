import { type Context, Hono } from 'hono'
import type { Text } from '../../../db/schema.ts'
import {
  type Campaign,
  changeCampaign,
  findCampaign,
  listCampaigns,
  publishCampaign,
} from '../../../domain/campaigns/campaigns.ts'
import type { ItemDraft, Workshop } from '../../../domain/workshops/workshops.ts'
import { audit } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { broadcastMessages } from '../../../i18n/broadcasts.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatDateRange, formatPlace, localize } from '../../../i18n/format.ts'
import type { ConsoleMessages } from '../../../i18n/zh-CN/console.ts'
import { consolePage } from '../layout.tsx'
import { canEdit } from '../permissions.ts'
import { ChecklistEditor, ChecklistItems, reorderItems } from '../ui/checklist.tsx'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import {
  BilingualField,
  Checkbox,
  ErrorSummary,
  type FieldError,
  stringField,
  translateFormErrors,
} from '../ui/fields.tsx'
import { FormParser } from '../ui/form-parser.ts'
import { Warnings } from '../ui/publish-warnings.tsx'
import { StatusBadge } from '../ui/status-badges.tsx'
import { dateLabel } from '../ui/workshop-labels.ts'

/** Campaigns: list, detail page, editing, publishing. */
export const campaignPages = new Hono<App>()

campaignPages.get('/console/campaigns', async (c) => {
  const locale = c.get('locale')
  const t = consoleMessages(locale)
  const campaigns = await listCampaigns(c.env.deps, { drafts: true })
  return consolePage(
    c,
    { title: t.campaigns.title, section: 'campaigns' },
    <>
      <h1>{t.campaigns.title}</h1>
      <p class="lead">{t.campaigns.lead}</p>
      {canEdit(c) && (
        <p class="actions">
          <a class="button" href={paths.importAnnouncement()}>
            {t.campaigns.draft}
          </a>
          <a class="button second" href={paths.newCampaign()}>
            {t.campaigns.new}
          </a>
        </p>
      )}
      {campaigns.length === 0 && <p>{t.campaigns.none}</p>}
      <ul class="rows">
        {campaigns.map((campaign) => (
          <li>
            <span>
              <a href={paths.consoleCampaign(campaign.slug)}>{localize(campaign.title, locale)}</a>
              <StatusBadge state={campaign.state} t={t} />
              <small>{campaign.workshops.map((workshop) => cityDateLabel(workshop, c)).join('；')}</small>
            </span>
            <SeatsTaken workshops={campaign.workshops} t={t} />
          </li>
        ))}
      </ul>
    </>,
  )
})

campaignPages.get('/console/campaigns/:slug', async (c) => {
  const campaign = await findCampaign(c.env.deps, c.req.param('slug'))
  return campaign ? campaignPage(c, campaign) : c.notFound()
})

function campaignPage(c: Context<App>, campaign: Campaign) {
  const locale = c.get('locale')
  const t = consoleMessages(locale)
  const { slug, state } = campaign
  const flashMessages = {
    created: t.campaigns.created,
    published: t.campaigns.published,
    unpublished: t.campaigns.unpublished,
    saved: t.done,
    added: t.workshops.created,
  }
  return consolePage(
    c,
    {
      title: localize(campaign.title, locale),
      section: 'campaigns',
      back: { href: paths.consoleCampaigns(), text: t.campaigns.title },
      flash: flashMessages[c.req.query('done') as keyof typeof flashMessages],
    },
    <>
      <h1>
        {localize(campaign.title, locale)} <StatusBadge state={state} t={t} />
      </h1>
      <p class="lead">{localize(campaign.summary, locale)}</p>
      {canEdit(c) && (
        <>
          {state === 'draft' && <Warnings workshops={campaign.workshops} c={c} />}
          <form class="actions" method="post">
            <ConfirmField />
            {state === 'draft' ? (
              <button type="submit" formaction={paths.publishCampaign(slug)}>
                {t.campaigns.publish}
              </button>
            ) : (
              <a class="button" href={paths.campaignPromotion(slug)}>
                {t.campaigns.spread}
              </a>
            )}
            <a class="button second" href={paths.editCampaign(slug)}>
              {t.campaigns.edit}
            </a>
            <a class="button second" href={paths.copyCampaign(slug)}>
              {t.campaigns.next}
            </a>
            {state === 'published' && (
              <button class="second" type="submit" formaction={paths.unpublishCampaign(slug)}>
                {t.campaigns.unpublish}
              </button>
            )}
          </form>
          {state === 'draft' && <p class="hint">{t.campaigns.publishHint}</p>}
        </>
      )}
      <h2>{t.campaigns.cities}</h2>
      <ul class="rows">
        {campaign.workshops.map((workshop) => (
          <li>
            <span>
              <a href={paths.consoleWorkshop(workshop.slug)}>{formatPlace(workshop, locale)}</a>
              <StatusBadge state={workshop.state} t={t} />
              <small>{dateLabel(workshop, c)}</small>
            </span>
            <SeatsTaken workshops={[workshop]} t={t} />
            {canEdit(c) && workshop.state !== 'cancelled' && (
              <a class="button small second" href={paths.editWorkshop(workshop.slug)}>
                {t.workshops.edit}
              </a>
            )}
          </li>
        ))}
      </ul>
      <p class="links">
        {canEdit(c) && <a href={paths.addWorkshop(slug)}>{t.campaigns.addWorkshop}</a>}
        {canEdit(c) && <a href={paths.campaignPeople(slug)}>{t.campaigns.people}</a>}
        {canEdit(c) && <a href={paths.campaignBroadcasts(slug)}>{broadcastMessages(locale).list.link}</a>}
        <a href={paths.campaignStats(slug)}>{t.campaigns.figures}</a>
        {state === 'published' && <a href={paths.campaign(slug)}>{t.campaigns.page}</a>}
      </p>
      {campaign.items.length > 0 && <h2>{t.items.title}</h2>}
      <ChecklistItems items={campaign.items} t={t} c={c} />
    </>,
  )
}

campaignPages.get('/console/campaigns/:slug/edit', async (c) => {
  const campaign = await findCampaign(c.env.deps, c.req.param('slug'))
  return campaign ? editCampaignPage(c, campaign, campaignFormDefaults(campaign)) : c.notFound()
})

campaignPages.post('/console/campaigns/:slug/edit', async (c) => {
  const { deps } = c.env
  const t = consoleMessages(c.get('locale'))
  const campaign = await findCampaign(deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  const form = new FormParser(await parseFormBody(c))
  const changes = {
    title: form.bilingual('title', 200, { required: true }),
    summary: form.bilingual('summary', 1000, { multiline: true }),
    oneSeatPerPerson: form.checked('oneSeat'),
    items: form.checklistItems(),
  }
  const action = stringField(form.body, 'do')
  const values = { ...changes, items: reorderItems(changes.items, action), clickedButton: action }
  if (action) return editCampaignPage(c, campaign, values)
  if (form.errors.length > 0) {
    const labels = { title: t.announce.campaignTitle, summary: t.announce.summary, item: t.items.text }
    return editCampaignPage(c, campaign, values, translateFormErrors(form.errors, t, labels))
  }
  await changeCampaign(deps, campaign.slug, changes)
  await audit(c, { action: 'campaign.changed', campaignId: campaign.id, payload: { slug: campaign.slug } })
  return c.redirect(withQuery(paths.consoleCampaign(campaign.slug), { done: 'saved' }), 303)
})

/** Publishes a campaign and its draft workshops. */
campaignPages.post('/console/campaigns/:slug/publish', async (c) => {
  const { deps } = c.env
  const campaign = await findCampaign(deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  if (!(await isConfirmed(c))) return campaignPage(c, campaign)
  await publishCampaign(deps, campaign)
  await audit(c, { action: 'campaign.published', campaignId: campaign.id, payload: { slug: campaign.slug } })
  return c.redirect(withQuery(paths.consoleCampaign(campaign.slug), { done: 'published' }), 303)
})

/** Unpublishes a campaign's page. Its workshops stay published, because people may be registered. */
campaignPages.post('/console/campaigns/:slug/unpublish', async (c) => {
  const { deps } = c.env
  const campaign = await findCampaign(deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  if (!(await isConfirmed(c))) return campaignPage(c, campaign)
  const changed = await changeCampaign(deps, campaign.slug, { state: 'draft' })
  if (changed.kind === 'refused') return c.notFound()
  const { id, slug } = changed.campaign
  await audit(c, { action: 'campaign.unpublished', campaignId: id, payload: { slug } })
  return c.redirect(withQuery(paths.consoleCampaign(slug), { done: 'unpublished' }), 303)
})

function SeatsTaken({ workshops, t }: { workshops: Workshop[]; t: ConsoleMessages }) {
  const sum = (count: (workshop: Workshop) => number) => workshops.reduce((sum, workshop) => sum + count(workshop), 0)
  const waiting = sum(({ waitlisted }) => waitlisted)
  return (
    <span class="taken">
      {t.campaigns.seats(
        sum(({ taken }) => taken),
        sum(({ capacity }) => capacity),
      )}
      {waiting > 0 && <small>{t.campaigns.waiting(waiting)}</small>}
    </span>
  )
}

function cityDateLabel(workshop: Workshop, c: Context<App>): string {
  const { month, day } = formatDateRange(workshop, c.get('locale'))
  return c.get('locale') === 'en'
    ? `${localize(workshop.city, 'en')} ${day} ${month}`
    : `${localize(workshop.city, 'zh-CN')} ${month}${day}日`
}

type CampaignFormValues = {
  title: Text
  summary: Text
  oneSeatPerPerson: boolean
  items: ItemDraft[]
  clickedButton?: string
}

const campaignFormDefaults = ({ title, summary, oneSeatPerPerson, items }: Campaign): CampaignFormValues => ({
  title,
  summary,
  oneSeatPerPerson,
  items,
})

function editCampaignPage(
  c: Context<App>,
  campaign: Campaign,
  values: CampaignFormValues,
  problems: FieldError[] = [],
) {
  const t = consoleMessages(c.get('locale'))
  const title = t.campaigns.edit
  return consolePage(
    c,
    {
      title,
      section: 'campaigns',
      back: { href: paths.consoleCampaign(campaign.slug), text: localize(campaign.title, c.get('locale')) },
      status: problems.length > 0 ? 422 : 200,
    },
    <>
      <h1>{title}</h1>
      <ErrorSummary problems={problems} t={t} />
      <form method="post" action={paths.editCampaign(campaign.slug)} novalidate>
        <button class="skip" type="submit" tabindex={-1}>
          {t.save}
        </button>
        <BilingualField
          name="title"
          label={t.announce.campaignTitle}
          value={values.title}
          problems={problems}
          t={t}
          required
        />
        <BilingualField
          name="summary"
          label={t.announce.summary}
          value={values.summary}
          problems={problems}
          rows={2}
          t={t}
        />
        <ChecklistEditor items={values.items} clickedButton={values.clickedButton} problems={problems} t={t} />
        <Checkbox
          name="oneSeat"
          label={t.announce.oneSeat}
          hint={t.announce.oneSeatHint}
          checked={values.oneSeatPerPerson}
        />
        <p class="actions">
          <button type="submit">{t.save}</button>
          <a class="button second" href={paths.consoleCampaign(campaign.slug)}>
            {t.cancel}
          </a>
        </p>
      </form>
    </>,
  )
}
