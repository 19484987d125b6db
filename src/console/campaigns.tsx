import { type Context, Hono } from 'hono'
import { audited } from '../audited.ts'
import type { App } from '../context.ts'
import type { Text } from '../db/schema.ts'
import { type Campaign, changeCampaign, findCampaign, listCampaigns, publishCampaign } from '../domain/campaigns.ts'
import { mayActAs } from '../domain/organisers.ts'
import { warningsOf } from '../domain/warnings.ts'
import type { ItemDraft, Workshop } from '../domain/workshops.ts'
import { readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import type { ConsoleMessages } from '../messages/console.zh-CN.ts'
import { mailingMessagesFor } from '../messages/mailing.ts'
import { pick, placeOf, when } from '../messages/text.ts'
import { ChecklistEditor, rearranged } from './checklist.tsx'
import { ConfirmField, isConfirmed } from './confirmation.tsx'
import { Check, InBoth, type Problem, Problems, problemsOf, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { Form } from './read-form.ts'

/** The campaigns: all of them, one with its cities, changing and publishing it. */
export const campaignPages = new Hono<App>()

campaignPages.get('/console/campaigns', async (c) => {
  const locale = c.get('locale')
  const t = consoleMessagesFor(locale)
  const campaigns = await listCampaigns(c.env.deps, { drafts: true })
  return consolePage(
    c,
    { title: t.campaigns.title, section: 'campaigns' },
    <>
      <h1>{t.campaigns.title}</h1>
      <p class="lead">{t.campaigns.lead}</p>
      {mayChange(c) && (
        <p class="actions">
          <a class="button" href={paths.draft()}>
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
              <a href={paths.consoleCampaign(campaign.slug)}>{pick(campaign.title, locale)}</a>
              <State state={campaign.state} t={t} />
              <small>{campaign.workshops.map((workshop) => inShort(workshop, c)).join('；')}</small>
            </span>
            <Taken workshops={campaign.workshops} t={t} />
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
  const t = consoleMessagesFor(locale)
  const { slug, state } = campaign
  const done = {
    created: t.campaigns.created,
    published: t.campaigns.published,
    unpublished: t.campaigns.unpublished,
    saved: t.done,
    added: t.workshops.created,
  }
  return consolePage(
    c,
    {
      title: pick(campaign.title, locale),
      section: 'campaigns',
      back: { href: paths.consoleCampaigns(), text: t.campaigns.title },
      done: done[c.req.query('done') as keyof typeof done],
    },
    <>
      <h1>
        {pick(campaign.title, locale)} <State state={state} t={t} />
      </h1>
      <p class="lead">{pick(campaign.summary, locale)}</p>
      {mayChange(c) && (
        <>
          {state === 'draft' && <Warnings workshops={campaign.workshops} c={c} />}
          <form class="actions" method="post">
            <ConfirmField />
            {state === 'draft' ? (
              <button type="submit" formaction={paths.publishCampaign(slug)}>
                {t.campaigns.publish}
              </button>
            ) : (
              <a class="button" href={paths.spreadCampaign(slug)}>
                {t.campaigns.spread}
              </a>
            )}
            <a class="button second" href={paths.editCampaign(slug)}>
              {t.campaigns.edit}
            </a>
            <a class="button second" href={paths.nextCampaign(slug)}>
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
              <a href={paths.consoleWorkshop(workshop.slug)}>{placeOf(workshop, locale)}</a>
              <State state={workshop.state} t={t} />
              <small>{whenOf(workshop, c)}</small>
            </span>
            <Taken workshops={[workshop]} t={t} />
            {mayChange(c) && workshop.state !== 'cancelled' && (
              <a class="button small second" href={paths.editWorkshop(workshop.slug)}>
                {t.workshops.edit}
              </a>
            )}
          </li>
        ))}
      </ul>
      <p class="links">
        {mayChange(c) && <a href={paths.addWorkshop(slug)}>{t.campaigns.addWorkshop}</a>}
        {mayChange(c) && <a href={paths.campaignPeople(slug)}>{t.campaigns.people}</a>}
        {mayChange(c) && <a href={paths.campaignMessages(slug)}>{mailingMessagesFor(locale).list.link}</a>}
        <a href={paths.campaignFigures(slug)}>{t.campaigns.figures}</a>
        {state === 'published' && <a href={paths.campaign(slug)}>{t.campaigns.page}</a>}
      </p>
      {campaign.items.length > 0 && <h2>{t.items.title}</h2>}
      <Items items={campaign.items} t={t} c={c} />
    </>,
  )
}

campaignPages.get('/console/campaigns/:slug/edit', async (c) => {
  const campaign = await findCampaign(c.env.deps, c.req.param('slug'))
  return campaign ? editPage(c, campaign, shownOf(campaign)) : c.notFound()
})

campaignPages.post('/console/campaigns/:slug/edit', async (c) => {
  const { deps } = c.env
  const t = consoleMessagesFor(c.get('locale'))
  const campaign = await findCampaign(deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  const form = new Form(await readFormBody(c))
  const changes = {
    title: form.text('title', 200, { needed: true }),
    summary: form.text('summary', 1000, { lines: true }),
    oneSeatPerPerson: form.checked('oneSeat'),
    items: form.items(),
  }
  const action = typed(form.body, 'do')
  const shown = { ...changes, items: rearranged(changes.items, action), pressed: action }
  if (action) return editPage(c, campaign, shown)
  if (form.refused.length > 0) {
    const names = { title: t.announce.campaignTitle, summary: t.announce.summary, item: t.items.text }
    return editPage(c, campaign, shown, problemsOf(form.refused, t, names))
  }
  await changeCampaign(deps, campaign.slug, changes)
  await audited(c, { action: 'campaign.changed', campaignId: campaign.id, facts: { slug: campaign.slug } })
  return c.redirect(withQuery(paths.consoleCampaign(campaign.slug), { done: 'saved' }), 303)
})

/** Publishes a campaign with those of its cities that are drafts. */
campaignPages.post('/console/campaigns/:slug/publish', async (c) => {
  const { deps } = c.env
  const campaign = await findCampaign(deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  if (!(await isConfirmed(c))) return campaignPage(c, campaign)
  await publishCampaign(deps, campaign)
  await audited(c, { action: 'campaign.published', campaignId: campaign.id, facts: { slug: campaign.slug } })
  return c.redirect(withQuery(paths.consoleCampaign(campaign.slug), { done: 'published' }), 303)
})

/** Takes the page of a campaign away. Its cities stay as they are: people may be registered there. */
campaignPages.post('/console/campaigns/:slug/unpublish', async (c) => {
  const { deps } = c.env
  const campaign = await findCampaign(deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  if (!(await isConfirmed(c))) return campaignPage(c, campaign)
  const changed = await changeCampaign(deps, campaign.slug, { state: 'draft' })
  if (changed.kind === 'refused') return c.notFound()
  const { id, slug } = changed.campaign
  await audited(c, { action: 'campaign.unpublished', campaignId: id, facts: { slug } })
  return c.redirect(withQuery(paths.consoleCampaign(slug), { done: 'unpublished' }), 303)
})

/** Whether whoever is signed in may change anything. */
export function mayChange(c: Context<App>): boolean {
  const role = c.get('role')
  return role !== undefined && mayActAs(role, 'organiser')
}

/** What to know before a workshop is published. */
export async function Warnings({ workshops, c }: { workshops: Workshop[]; c: Context<App> }) {
  const locale = c.get('locale')
  const t = consoleMessagesFor(locale).warnings
  const lines = await Promise.all(
    workshops.map(async (workshop) => {
      const warnings = await warningsOf(c.env.deps, workshop)
      return warnings.map((warning) => ({
        workshop,
        code: warning.warning,
        // Each sentence takes the warning of its own code.
        text: (t[warning.warning] as (of: typeof warning) => string)(warning),
      }))
    }),
  )
  const all = lines
    .flat()
    .filter(({ code }, n, all) => code !== 'no_mail' || n === all.findIndex((w) => w.code === code))
  if (all.length === 0) return null
  return (
    <div class="alert">
      <h2>{t.title}</h2>
      <ul>
        {all.map(({ workshop, code, text }) => (
          <li>
            {code !== 'no_mail' && workshops.length > 1 && `${pick(workshop.city, locale)} · `}
            {text}
          </li>
        ))}
      </ul>
    </div>
  )
}

/** 草稿 / 已发布 */
export function State({ state, t }: { state: Workshop['state'] | Campaign['state']; t: ConsoleMessages }) {
  const tone = { draft: 'off', published: '', closed: 'off', cancelled: 'warn' }[state]
  return <span class={`mark ${tone}`}>{t.workshops.states[state]}</span>
}

/** How many seats are taken, and how many people wait. */
export function Taken({ workshops, t }: { workshops: Workshop[]; t: ConsoleMessages }) {
  const sum = (of: (workshop: Workshop) => number) => workshops.reduce((sum, workshop) => sum + of(workshop), 0)
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

/** The checklist as it stands. */
export function Items({ items, t, c }: { items: ItemDraft[]; t: ConsoleMessages; c: Context<App> }) {
  return (
    <ul class="rows items">
      {items.map((item) => (
        <li>
          <span>
            <span class="mark">{t.items.kinds[item.kind]}</span>{' '}
            {item.url ? <a href={item.url}>{pick(item.text, c.get('locale'))}</a> : pick(item.text, c.get('locale'))}
            {item.mustConfirm && <small>{t.items.mustConfirm}</small>}
          </span>
        </li>
      ))}
    </ul>
  )
}

/** 2026年12月19日 周六 09:30 – 17:00 */
export function whenOf(workshop: Workshop, c: Context<App>): string {
  const { fullDate, time } = when(workshop, c.get('locale'))
  return `${fullDate} ${time}`
}

function inShort(workshop: Workshop, c: Context<App>): string {
  const { month, day } = when(workshop, c.get('locale'))
  return c.get('locale') === 'en'
    ? `${pick(workshop.city, 'en')} ${day} ${month}`
    : `${pick(workshop.city, 'zh-CN')} ${month}${day}日`
}

type Shown = { title: Text; summary: Text; oneSeatPerPerson: boolean; items: ItemDraft[]; pressed?: string }

const shownOf = ({ title, summary, oneSeatPerPerson, items }: Campaign): Shown => ({
  title,
  summary,
  oneSeatPerPerson,
  items,
})

function editPage(c: Context<App>, campaign: Campaign, shown: Shown, problems: Problem[] = []) {
  const t = consoleMessagesFor(c.get('locale'))
  const title = t.campaigns.edit
  return consolePage(
    c,
    {
      title,
      section: 'campaigns',
      back: { href: paths.consoleCampaign(campaign.slug), text: pick(campaign.title, c.get('locale')) },
      status: problems.length > 0 ? 422 : 200,
    },
    <>
      <h1>{title}</h1>
      <Problems problems={problems} t={t} />
      <form method="post" action={paths.editCampaign(campaign.slug)} novalidate>
        <button class="skip" type="submit" tabindex={-1}>
          {t.save}
        </button>
        <InBoth name="title" label={t.announce.campaignTitle} value={shown.title} problems={problems} t={t} required />
        <InBoth name="summary" label={t.announce.summary} value={shown.summary} problems={problems} rows={2} t={t} />
        <ChecklistEditor items={shown.items} pressed={shown.pressed} problems={problems} t={t} />
        <Check
          name="oneSeat"
          label={t.announce.oneSeat}
          hint={t.announce.oneSeatHint}
          checked={shown.oneSeatPerPerson}
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
