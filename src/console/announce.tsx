import { type Context, Hono } from 'hono'
import { audited } from '../audited.ts'
import type { App } from '../context.ts'
import type { Deps } from '../deps.ts'
import { type AnnouncedWorkshop, announce } from '../domain/announce.ts'
import { type AnnouncementDraft, readAnnouncement } from '../domain/announcements.ts'
import { pastAttendances } from '../domain/attendance.ts'
import { findCampaign } from '../domain/campaigns.ts'
import { dateIn } from '../domain/time-zones.ts'
import { findWorkshop, type Workshop } from '../domain/workshops.ts'
import { readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { pick } from '../messages/text.ts'
import {
  type Announcement,
  type City,
  emptyAnnouncement,
  fromDraft,
  fromMonthBefore,
  rearrangedBy,
  shownAgain,
} from './announcement-form.ts'
import { ChecklistEditor } from './checklist.tsx'
import { Check, Field, fieldNames, InBoth, type Problem, Problems, problemsOf, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { overbookingHint } from './overbooking.tsx'
import { Form } from './read-form.ts'

/** A month announced on one page: empty, from the text of an announcement, or from the month before. */
export const announcePages = new Hono<App>()

announcePages.get('/console/campaigns/new', (c) => {
  const t = consoleMessagesFor(c.get('locale')).announce
  return announcePage(c, { title: t.title }, emptyAnnouncement())
})

announcePages.post('/console/campaigns/new', async (c) => {
  const { deps } = c.env
  const t = consoleMessagesFor(c.get('locale'))
  const form = new Form(await readFormBody(c))
  const action = typed(form.body, 'do')
  const shown = shownAgain(form)
  if (shown.source && shown.source.length > longestAnnouncement) {
    const problems = [{ field: 'source', text: t.announce.textTooLong }]
    return announcePage(c, { title: t.announce.title }, { ...shown, source: undefined }, problems)
  }
  if (action) return announcePage(c, { title: t.announce.title }, rearrangedBy(action, shown))
  const campaign = {
    title: form.text('title', 200, { needed: true }),
    summary: form.text('summary', 1000, { lines: true }),
    oneSeatPerPerson: form.checked('oneSeat'),
    items: form.items(),
  }
  const rows = form.rows('city')
  const models = await modelsOf(deps, form, rows)
  const workshops = rows.map((n, row): AnnouncedWorkshop => {
    const at = `city.${n}`
    const like = models[row]
    const timeZone = like?.timeZone ?? deps.config.timeZone
    const facts = {
      like,
      title: campaign.title,
      city: form.text(at, 80, { needed: true }),
      venue: form.text(`${at}.venue`, 200),
      address: form.text(`${at}.address`, 300),
      startsAt: form.needed(`${at}.date`, form.moment(`${at}.date`, `${at}.from`, timeZone)) as Date,
      endsAt: form.needed(`${at}.to`, form.moment(`${at}.date`, `${at}.to`, timeZone)) as Date,
      capacity: form.needed(`${at}.capacity`, form.number(`${at}.capacity`, 1, 100_000)) as number,
      boards: form.number(`${at}.boards`, 0, 100_000) ?? 0,
    }
    if (facts.startsAt && facts.endsAt && facts.endsAt <= facts.startsAt) form.refuse(`${at}.to`, 'ends_before_start')
    return facts
  })
  if (workshops.length === 0) form.refuse('city', 'no_workshop')
  if (workshops.length > mostWorkshops) form.refuse('city', 'too_many_workshops')
  if (form.refused.length > 0) {
    return announcePage(c, { title: t.announce.title }, shown, problemsOf(form.refused, t, fieldNames(t)))
  }
  const announced = await announce(deps, shown.id ?? deps.newId(), campaign, workshops)
  if (announced.kind === 'refused') {
    const refused = [{ field: 'city.0.zh', code: announced.refusal }]
    return announcePage(c, { title: t.announce.title }, shown, problemsOf(refused, t, {}))
  }
  const { id, slug } = announced.campaign
  await audited(c, { action: 'campaign.created', campaignId: id, facts: { slug } })
  return c.redirect(withQuery(paths.consoleCampaign(slug), { done: 'created' }), 303)
})

/** Workshops that one announcement may have. */
const mostWorkshops = 50

/** The workshops whose ways those of the form take over, by the lines of the form. */
async function modelsOf(deps: Deps, form: Form, rows: number[]): Promise<(Workshop | undefined)[]> {
  return Promise.all(
    rows.slice(0, mostWorkshops).map((n) => {
      const slug = typed(form.body, `city.${n}.like`)
      return slug ? findWorkshop(deps, slug) : undefined
    }),
  )
}

/** In UTF-16 units. A newsletter has some thousands. */
const longestAnnouncement = 50_000

/** For dates without a year, which are the next ones. */
function today({ now, config }: Deps) {
  const [year = 0, month = 0, day = 0] = dateIn(now(), config.timeZone).split('-').map(Number)
  return { year, month, day }
}

announcePages.get('/console/draft', (c) => draftPage(c))

announcePages.post('/console/draft', async (c) => {
  const { deps } = c.env
  const t = consoleMessagesFor(c.get('locale'))
  const source = typed(await readFormBody(c), 'text')
  if (!source.trim()) return draftPage(c, source, t.announce.textMissing)
  if (source.length > longestAnnouncement) return draftPage(c, source, t.announce.textTooLong)
  const draft = readAnnouncement(source, today(deps))
  const shown = { ...fromDraft(draft, t), source }
  const { leftover } = draft
  return announcePage(c, { title: t.announce.checkTitle, lead: t.announce.checkLead, leftover }, shown)
})

announcePages.get('/console/campaigns/:slug/next', async (c) => {
  const campaign = await findCampaign(c.env.deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  const t = consoleMessagesFor(c.get('locale')).announce
  return announcePage(c, { title: t.nextTitle, lead: t.nextLead }, fromMonthBefore(campaign))
})

type Leftover = AnnouncementDraft['leftover']

/** `leftover`: of the source, where it was just read. */
type Shown = { title: string; lead?: string; leftover?: Leftover }

async function announcePage(
  c: Context<App>,
  { title, lead, leftover }: Shown,
  shown: Announcement,
  problems: Problem[] = [],
) {
  const { source } = shown
  const locale = c.get('locale')
  const t = consoleMessagesFor(locale)
  const words = t.announce
  const past = await pastAttendances(c.env.deps)
  return consolePage(
    c,
    {
      title,
      section: 'campaigns',
      back: { href: paths.consoleCampaigns(), text: t.campaigns.title },
      status: problems.length > 0 ? 422 : 200,
    },
    <>
      <h1>{title}</h1>
      {lead && <p class="lead">{lead}</p>}
      <Problems problems={problems} t={t} />
      {source && (
        <Unread text={source} leftover={leftover ?? readAnnouncement(source, today(c.env.deps)).leftover} t={t} />
      )}
      <form method="post" action={paths.newCampaign()} novalidate>
        <input type="hidden" name="id" value={shown.id ?? c.env.deps.newId()} />
        {source && <input type="hidden" name="source" value={source} />}
        {/* What Enter presses: without it, it would be the first button that moves a line. */}
        <button class="skip" type="submit" tabindex={-1}>
          {words.save}
        </button>
        <fieldset>
          <legend>{words.campaign}</legend>
          <InBoth name="title" label={words.campaignTitle} value={shown.title} problems={problems} t={t} required />
          <InBoth
            name="summary"
            label={words.summary}
            hint={words.summaryHint}
            value={shown.summary}
            problems={problems}
            rows={2}
            t={t}
          />
        </fieldset>
        <fieldset id="city">
          <legend>{words.workshops}</legend>
          {shown.workshops.map((city, n) => (
            <CityFields
              city={city}
              n={n}
              alone={shown.workshops.length === 1}
              added={shown.pressed === 'add-city' && n === shown.workshops.length - 1}
              problems={problems}
              t={t}
            />
          ))}
          <button
            class="small second"
            type="submit"
            name="do"
            value="add-city"
            autofocus={shown.pressed?.startsWith('drop-city')}
          >
            {words.add}
          </button>
        </fieldset>
        <ChecklistEditor items={shown.items} pressed={shown.pressed} problems={problems} t={t} />
        <Check name="oneSeat" label={words.oneSeat} hint={words.oneSeatHint} checked={shown.oneSeat} />
        <p class="actions">
          <button type="submit">{words.save}</button>
          <a class="button second" href={paths.consoleCampaigns()}>
            {t.cancel}
          </a>
        </p>
      </form>
    </>,
  )

  function CityFields({
    city,
    n,
    alone,
    added,
    problems,
    t,
  }: {
    city: City
    n: number
    alone: boolean
    /** Just now: whoever works by keys goes on there. */
    added: boolean
    problems: Problem[]
    t: ReturnType<typeof consoleMessagesFor>
  }) {
    const at = `city.${n}`
    const field = (name: string, label: string, value: string, more: object = {}) => (
      <Field name={`${at}.${name}`} label={label} value={value} problems={problems} {...more} />
    )
    const hint = overbookingHint(past, { title: shown.title, city: city.city }, city.capacity, locale)
    return (
      <section class="city">
        {city.like && <input type="hidden" name={`${at}.like`} value={city.like} />}
        <InBoth name={at} label={words.city} value={city.city} problems={problems} t={t} required autofocus={added} />
        {city.hint && <p class="hint">{city.hint}</p>}
        <div class="pairs narrow-pairs">
          {field('date', words.date, city.date, { type: 'date', required: true })}
          {field('from', words.from, city.from, { type: 'time', required: true })}
          {field('to', words.to, city.to, { type: 'time', required: true })}
          {field('capacity', words.capacity, city.capacity, { type: 'number', min: 1, required: true })}
          {field('boards', words.boards, city.boards, { type: 'number', min: 0 })}
        </div>
        {hint && <p class="hint">{hint}</p>}
        <InBoth name={`${at}.venue`} label={words.venue} value={city.venue} problems={problems} t={t} />
        <InBoth name={`${at}.address`} label={words.address} value={city.address} problems={problems} t={t} />
        {!alone && (
          <button
            class="small second"
            type="submit"
            name="do"
            value={`drop-city.${n}`}
            aria-label={words.dropLabel(pick(city.city, locale) || String(n + 1))}
          >
            {words.drop}
          </button>
        )}
      </section>
    )
  }
}

/** What of an announcement is not in the draft, and all of it with that marked. */
function Unread({ text, leftover, t }: { text: string; leftover: Leftover; t: ReturnType<typeof consoleMessagesFor> }) {
  const pieces: { text: string; left: boolean }[] = []
  let at = 0
  for (const { start, end } of leftover) {
    pieces.push({ text: text.slice(at, start), left: false }, { text: text.slice(start, end), left: true })
    at = end
  }
  pieces.push({ text: text.slice(at), left: false })
  return (
    <aside class="panel unread">
      <h2>{t.announce.leftover}</h2>
      {leftover.length === 0 ? (
        <p>{t.announce.nothingLeft}</p>
      ) : (
        <ul>
          {leftover.map(({ text }) => (
            <li>{text}</li>
          ))}
        </ul>
      )}
      <details open={leftover.length > 0}>
        <summary>{t.announce.source}</summary>
        <p class="source">{pieces.map(({ text, left }) => (left ? <mark>{text}</mark> : text))}</p>
      </details>
    </aside>
  )
}

function draftPage(c: Context<App>, text = '', problem?: string) {
  const t = consoleMessagesFor(c.get('locale'))
  const problems = problem ? [{ field: 'text', text: problem }] : []
  return consolePage(
    c,
    {
      title: t.announce.draftTitle,
      section: 'campaigns',
      back: { href: paths.consoleCampaigns(), text: t.campaigns.title },
      status: problem ? 422 : 200,
    },
    <>
      <h1>{t.announce.draftTitle}</h1>
      <p class="lead">{t.announce.draftLead}</p>
      <Problems problems={problems} t={t} />
      <form class="narrow" method="post" action={paths.draft()} novalidate>
        <Field name="text" label={t.announce.text} value={text} problems={problems} rows={12} required />
        <button type="submit">{t.announce.read}</button>
      </form>
    </>,
  )
}
