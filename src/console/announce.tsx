import { type Context, Hono } from 'hono'
import { audited } from '../audited.ts'
import type { App } from '../context.ts'
import type { Text } from '../db/schema.ts'
import type { Deps } from '../deps.ts'
import { type AnnouncedWorkshop, announce } from '../domain/announce.ts'
import { type AnnouncementDraft, readAnnouncement } from '../domain/announcements.ts'
import { pastAttendances } from '../domain/attendance.ts'
import { findCampaign } from '../domain/campaigns.ts'
import { aMonthLater } from '../domain/next-month.ts'
import { dateIn, timeIn } from '../domain/time-zones.ts'
import { findWorkshop, type ItemDraft } from '../domain/workshops.ts'
import { readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { pick } from '../messages/text.ts'
import { ChecklistEditor, rearranged } from './checklist.tsx'
import { Check, Field, fieldNames, InBoth, type Problem, Problems, problemsOf, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { overbookingHint } from './overbooking.tsx'
import { Form } from './read-form.ts'

/** A month announced on one page: empty, from the text of an announcement, or from the month before. */
export const announcePages = new Hono<App>()

/** A whole announcement as its form shows it, before all of it is there. */
type Announcement = {
  title: Text
  summary: Text
  oneSeat: boolean
  items: ItemDraft[]
  workshops: City[]
  /** The text that it was read from, so that what was not understood stays beside it. */
  source?: string | undefined
  /** Of the campaign that it becomes: a form that is sent twice makes one. */
  id?: string | undefined
  /** Which button rearranged it just now. */
  pressed?: string | undefined
}

/** A city as the form shows it: times as they are typed. */
type City = {
  city: Text
  venue: Text
  address: Text
  date: string
  from: string
  to: string
  capacity: string
  boards: string
  /** Slug of the workshop whose ways it takes over. */
  like?: string | undefined
  hint?: string | undefined
}

const emptyCity: City = {
  ...{ city: {}, venue: {}, address: {} },
  ...{ date: '', from: '09:30', to: '17:00', capacity: '40', boards: '40' },
}

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
  if (action) return announcePage(c, { title: t.announce.title }, rearrangedBy(action, shown))
  const campaign = {
    title: form.text('title', 200, { needed: true }),
    summary: form.text('summary', 1000, { lines: true }),
    oneSeatPerPerson: form.checked('oneSeat'),
    items: form.items(),
  }
  const rows = form.rows('city')
  const models = await Promise.all(
    rows.map((n) => {
      const slug = typed(form.body, `city.${n}.like`)
      return slug ? findWorkshop(deps, slug) : undefined
    }),
  )
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
  if (workshops.length > 50) form.refuse('city', 'too_many_workshops')
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
  return announcePage(c, { title: t.announce.checkTitle, lead: t.announce.checkLead }, shown)
})

announcePages.get('/console/campaigns/:slug/next', async (c) => {
  const campaign = await findCampaign(c.env.deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  const t = consoleMessagesFor(c.get('locale')).announce
  return announcePage(
    c,
    { title: t.nextTitle, lead: t.nextLead },
    {
      title: campaign.title,
      summary: campaign.summary,
      oneSeat: campaign.oneSeatPerPerson,
      items: campaign.items.map(({ id: _, ...item }) => item),
      workshops: campaign.workshops
        .filter(({ state }) => state !== 'cancelled')
        .map((workshop) => {
          const { timeZone } = workshop
          const { startsAt, endsAt } = aMonthLater(workshop)
          return {
            city: workshop.city,
            venue: workshop.venue,
            address: workshop.address,
            date: dateIn(startsAt, timeZone),
            from: timeIn(startsAt, timeZone),
            to: timeIn(endsAt, timeZone),
            capacity: String(workshop.capacity),
            boards: String(workshop.boards),
            like: workshop.slug,
          }
        }),
    },
  )
})

function emptyAnnouncement(): Announcement {
  return { title: {}, summary: {}, oneSeat: true, items: [], workshops: [emptyCity] }
}

/** What the text of an announcement says, where the form has a place for it. */
function fromDraft(draft: AnnouncementDraft, t: ReturnType<typeof consoleMessagesFor>): Announcement {
  const workshops = draft.workshops.map(({ dates, ...place }): City => {
    const [date] = dates
    const known = date && 'date' in date && dates.length === 1 ? date : undefined
    const hint =
      dates.length > 1
        ? t.announce.severalDates(dates.map((date) => ('date' in date ? date.date : date.month)).join(', '))
        : date && 'month' in date
          ? t.announce.monthOnly(date.month)
          : undefined
    return {
      ...emptyCity,
      ...place,
      date: known?.date ?? '',
      from: known?.from ?? emptyCity.from,
      to: known?.to ?? emptyCity.to,
      hint,
    }
  })
  return {
    title: draft.title,
    summary: draft.summary,
    oneSeat: true,
    items: draft.items,
    workshops: workshops.length > 0 ? workshops : [emptyCity],
  }
}

/** The form as it was sent, for it to come back. */
function shownAgain(form: Form): Announcement {
  const again = new Form(form.body)
  const text = (name: string) => typed(form.body, name)
  const both = (name: string): Text => ({ zh: text(`${name}.zh`), en: text(`${name}.en`) })
  return {
    title: both('title'),
    summary: both('summary'),
    oneSeat: again.checked('oneSeat'),
    items: again.items(),
    source: text('source') || undefined,
    id: /^[0-9a-f-]{36}$/.test(text('id')) ? text('id') : undefined,
    workshops: again.rows('city').map((n) => ({
      city: both(`city.${n}`),
      venue: both(`city.${n}.venue`),
      address: both(`city.${n}.address`),
      date: text(`city.${n}.date`),
      from: text(`city.${n}.from`),
      to: text(`city.${n}.to`),
      capacity: text(`city.${n}.capacity`),
      boards: text(`city.${n}.boards`),
      like: text(`city.${n}.like`) || undefined,
    })),
  }
}

function rearrangedBy(action: string, shown: Announcement): Announcement {
  const [, dropped] = /^drop-city\.(\d+)$/.exec(action) ?? []
  const last = shown.workshops.at(-1) ?? emptyCity
  return {
    ...shown,
    pressed: action,
    items: rearranged(shown.items, action),
    workshops:
      action === 'add-city'
        ? // The next city has most often the same hours and as many seats.
          [...shown.workshops, { ...last, city: {}, venue: {}, address: {}, hint: undefined }]
        : shown.workshops.filter((_, n) => String(n) !== dropped),
  }
}

type Shown = { title: string; lead?: string }

async function announcePage(c: Context<App>, { title, lead }: Shown, shown: Announcement, problems: Problem[] = []) {
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
      {source && <Unread text={source} leftover={readAnnouncement(source, today(c.env.deps)).leftover} t={t} />}
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
function Unread({
  text,
  leftover,
  t,
}: {
  text: string
  leftover: AnnouncementDraft['leftover']
  t: ReturnType<typeof consoleMessagesFor>
}) {
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
