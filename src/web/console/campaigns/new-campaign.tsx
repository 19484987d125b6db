import { type Context, Hono } from 'hono'
import { listPastAttendances } from '../../../domain/attendance/attendance.ts'
import { type AnnouncementDraft, parseAnnouncement } from '../../../domain/campaigns/announcement-parser/index.ts'
import { findCampaign } from '../../../domain/campaigns/campaigns.ts'
import {
  createCampaignWithWorkshops,
  type NewCampaignWorkshop,
} from '../../../domain/campaigns/create-with-workshops.ts'
import type { Deps } from '../../../domain/deps.ts'
import { findWorkshop, type Workshop } from '../../../domain/workshops/workshops.ts'
import { audit } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { localize } from '../../../i18n/format.ts'
import { localDate } from '../../../lib/time-zones.ts'
import { overbookingHint } from '../attendance/overbooking.tsx'
import { consolePage } from '../layout.tsx'
import { ChecklistEditor } from '../ui/checklist.tsx'
import {
  BilingualField,
  Checkbox,
  campaignFieldLabels,
  ErrorSummary,
  Field,
  type FieldError,
  stringField,
  translateFormErrors,
} from '../ui/fields.tsx'
import { FormParser } from '../ui/form-parser.ts'
import {
  applyFormAction,
  type CityFormValues,
  emptyFormValues,
  type NewCampaignFormValues,
  prefillFromDraft,
  prefillFromPreviousMonth,
  readCampaignFormValues,
} from './new-campaign-form.ts'

/** Creates a campaign with its workshops in one form: empty, from a pasted announcement, or copied from a previous campaign. */
export const newCampaignPages = new Hono<App>()

newCampaignPages.get('/console/campaigns/new', (c) => {
  const t = consoleMessages(c.get('locale')).announce
  return newCampaignPage(c, { title: t.title }, emptyFormValues())
})

newCampaignPages.post('/console/campaigns/new', async (c) => {
  const { deps } = c.env
  const t = consoleMessages(c.get('locale'))
  const form = new FormParser(await parseFormBody(c))
  const action = stringField(form.body, 'do')
  const values = readCampaignFormValues(form)
  if (values.source && values.source.length > maxAnnouncementLength) {
    const problems = [{ field: 'source', text: t.announce.textTooLong }]
    return newCampaignPage(c, { title: t.announce.title }, { ...values, source: undefined }, problems)
  }
  if (action) return newCampaignPage(c, { title: t.announce.title }, applyFormAction(action, values))
  const campaign = {
    title: form.bilingual('title', 200, { required: true }),
    summary: form.bilingual('summary', 1000, { multiline: true }),
    oneSeatPerPerson: form.checked('oneSeat'),
    items: form.checklistItems(),
  }
  const rows = form.rowNumbers('city')
  const templates = await findTemplateWorkshops(deps, form, rows)
  const workshops = rows.map((n, row): NewCampaignWorkshop => {
    const at = `city.${n}`
    const template = templates[row]
    const timeZone = template?.timeZone ?? deps.config.timeZone
    const draft = {
      copyFrom: template,
      title: campaign.title,
      city: form.bilingual(at, 80, { required: true }),
      venue: form.bilingual(`${at}.venue`, 200),
      address: form.bilingual(`${at}.address`, 300),
      startsAt: form.required(`${at}.date`, form.dateAndTime(`${at}.date`, `${at}.from`, timeZone)) as Date,
      endsAt: form.required(`${at}.to`, form.dateAndTime(`${at}.date`, `${at}.to`, timeZone)) as Date,
      capacity: form.required(`${at}.capacity`, form.number(`${at}.capacity`, 1, 100_000)) as number,
      boards: form.number(`${at}.boards`, 0, 100_000) ?? 0,
    }
    if (draft.startsAt && draft.endsAt && draft.endsAt <= draft.startsAt) form.addError(`${at}.to`, 'ends_before_start')
    return draft
  })
  if (workshops.length === 0) form.addError('city', 'no_workshop')
  if (workshops.length > maxWorkshops) form.addError('city', 'too_many_workshops')
  if (form.errors.length > 0) {
    return newCampaignPage(
      c,
      { title: t.announce.title },
      values,
      translateFormErrors(form.errors, t, campaignFieldLabels(t)),
    )
  }
  const created = await createCampaignWithWorkshops(deps, values.id ?? deps.newId(), campaign, workshops)
  if (created.kind === 'refused') {
    const refused = [{ field: 'city.0.zh', code: created.refusal }]
    return newCampaignPage(c, { title: t.announce.title }, values, translateFormErrors(refused, t, {}))
  }
  const { id, slug } = created.campaign
  await audit(c, { action: 'campaign.created', campaignId: id, payload: { slug } })
  return c.redirect(withQuery(paths.consoleCampaign(slug), { done: 'created' }), 303)
})

const maxWorkshops = 50

/** The workshops whose settings are copied, one per row of the form. */
async function findTemplateWorkshops(deps: Deps, form: FormParser, rows: number[]): Promise<(Workshop | undefined)[]> {
  return Promise.all(
    rows.slice(0, maxWorkshops).map((n) => {
      const slug = stringField(form.body, `city.${n}.like`)
      return slug ? findWorkshop(deps, slug) : undefined
    }),
  )
}

/** In UTF-16 units. A newsletter has a few thousand. */
const maxAnnouncementLength = 50_000

/** Today, so that the parser resolves dates without a year to the next ones. */
function currentDate({ now, config }: Deps) {
  const [year = 0, month = 0, day = 0] = localDate(now(), config.timeZone).split('-').map(Number)
  return { year, month, day }
}

newCampaignPages.get('/console/draft', (c) => pasteAnnouncementPage(c))

newCampaignPages.post('/console/draft', async (c) => {
  const { deps } = c.env
  const t = consoleMessages(c.get('locale'))
  const source = stringField(await parseFormBody(c), 'text')
  if (!source.trim()) return pasteAnnouncementPage(c, source, t.announce.textMissing)
  if (source.length > maxAnnouncementLength) return pasteAnnouncementPage(c, source, t.announce.textTooLong)
  const draft = parseAnnouncement(source, currentDate(deps))
  const values = { ...prefillFromDraft(draft, t), source }
  const { unparsed } = draft
  return newCampaignPage(c, { title: t.announce.checkTitle, lead: t.announce.checkLead, unparsed }, values)
})

newCampaignPages.get('/console/campaigns/:slug/next', async (c) => {
  const campaign = await findCampaign(c.env.deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  const t = consoleMessages(c.get('locale')).announce
  return newCampaignPage(c, { title: t.nextTitle, lead: t.nextLead }, prefillFromPreviousMonth(campaign))
})

type UnparsedSpans = AnnouncementDraft['unparsed']

/** `unparsed`: parts of the source that the parser did not recognise, if it was just parsed. */
type NewCampaignPageText = { title: string; lead?: string; unparsed?: UnparsedSpans }

async function newCampaignPage(
  c: Context<App>,
  { title, lead, unparsed }: NewCampaignPageText,
  values: NewCampaignFormValues,
  problems: FieldError[] = [],
) {
  const { source } = values
  const locale = c.get('locale')
  const t = consoleMessages(locale)
  const words = t.announce
  const pastAttendance = await listPastAttendances(c.env.deps)
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
      <ErrorSummary problems={problems} t={t} />
      {source && (
        <UnparsedText
          text={source}
          unparsed={unparsed ?? parseAnnouncement(source, currentDate(c.env.deps)).unparsed}
          t={t}
        />
      )}
      <form method="post" action={paths.newCampaign()} novalidate>
        <input type="hidden" name="id" value={values.id ?? c.env.deps.newId()} />
        {source && <input type="hidden" name="source" value={source} />}
        {/* The default button for Enter; otherwise it would be the first reorder button. */}
        <button class="skip" type="submit" tabindex={-1}>
          {words.save}
        </button>
        <fieldset>
          <legend>{words.campaign}</legend>
          <BilingualField
            name="title"
            label={words.campaignTitle}
            value={values.title}
            problems={problems}
            t={t}
            required
          />
          <BilingualField
            name="summary"
            label={words.summary}
            hint={words.summaryHint}
            value={values.summary}
            problems={problems}
            rows={2}
            t={t}
          />
        </fieldset>
        <fieldset id="city">
          <legend>{words.workshops}</legend>
          {values.workshops.map((city, n) => (
            <CityFields
              city={city}
              n={n}
              isOnly={values.workshops.length === 1}
              autofocus={values.clickedButton === 'add-city' && n === values.workshops.length - 1}
              problems={problems}
              t={t}
            />
          ))}
          <button
            class="small second"
            type="submit"
            name="do"
            value="add-city"
            autofocus={values.clickedButton?.startsWith('drop-city')}
          >
            {words.add}
          </button>
        </fieldset>
        <ChecklistEditor items={values.items} clickedButton={values.clickedButton} problems={problems} t={t} />
        <Checkbox name="oneSeat" label={words.oneSeat} hint={words.oneSeatHint} checked={values.oneSeat} />
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
    isOnly,
    autofocus,
    problems,
    t,
  }: {
    city: CityFormValues
    n: number
    isOnly: boolean
    /** Focuses the first field, for a workshop that was just added. */
    autofocus: boolean
    problems: FieldError[]
    t: ReturnType<typeof consoleMessages>
  }) {
    const at = `city.${n}`
    const field = (name: string, label: string, value: string, attributes: object = {}) => (
      <Field name={`${at}.${name}`} label={label} value={value} problems={problems} {...attributes} />
    )
    const hint = overbookingHint(pastAttendance, { title: values.title, city: city.city }, city.capacity, locale)
    return (
      <section class="city">
        {city.copyFrom && <input type="hidden" name={`${at}.like`} value={city.copyFrom} />}
        <BilingualField
          name={at}
          label={words.city}
          value={city.city}
          problems={problems}
          t={t}
          required
          autofocus={autofocus}
        />
        {city.hint && <p class="hint">{city.hint}</p>}
        <div class="pairs narrow-pairs">
          {field('date', words.date, city.date, { type: 'date', required: true })}
          {field('from', words.from, city.from, { type: 'time', required: true })}
          {field('to', words.to, city.to, { type: 'time', required: true })}
          {field('capacity', words.capacity, city.capacity, { type: 'number', min: 1, required: true })}
          {field('boards', words.boards, city.boards, { type: 'number', min: 0 })}
        </div>
        {hint && <p class="hint">{hint}</p>}
        <BilingualField name={`${at}.venue`} label={words.venue} value={city.venue} problems={problems} t={t} />
        <BilingualField name={`${at}.address`} label={words.address} value={city.address} problems={problems} t={t} />
        {!isOnly && (
          <button
            class="small second"
            type="submit"
            name="do"
            value={`drop-city.${n}`}
            aria-label={words.dropLabel(localize(city.city, locale) || String(n + 1))}
          >
            {words.drop}
          </button>
        )}
      </section>
    )
  }
}

/** The unparsed parts of an announcement, and the whole text with them marked. */
function UnparsedText({
  text,
  unparsed,
  t,
}: {
  text: string
  unparsed: UnparsedSpans
  t: ReturnType<typeof consoleMessages>
}) {
  const segments: { text: string; left: boolean }[] = []
  let offset = 0
  for (const { start, end } of unparsed) {
    segments.push({ text: text.slice(offset, start), left: false }, { text: text.slice(start, end), left: true })
    offset = end
  }
  segments.push({ text: text.slice(offset), left: false })
  return (
    <aside class="panel unread">
      <h2>{t.announce.leftover}</h2>
      {unparsed.length === 0 ? (
        <p>{t.announce.nothingLeft}</p>
      ) : (
        <ul>
          {unparsed.map(({ text }) => (
            <li>{text}</li>
          ))}
        </ul>
      )}
      <details open={unparsed.length > 0}>
        <summary>{t.announce.source}</summary>
        <p class="source">{segments.map(({ text, left }) => (left ? <mark>{text}</mark> : text))}</p>
      </details>
    </aside>
  )
}

function pasteAnnouncementPage(c: Context<App>, text = '', problem?: string) {
  const t = consoleMessages(c.get('locale'))
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
      <ErrorSummary problems={problems} t={t} />
      <form class="narrow" method="post" action={paths.importAnnouncement()} novalidate>
        <Field name="text" label={t.announce.text} value={text} problems={problems} rows={12} required />
        <button type="submit">{t.announce.read}</button>
      </form>
    </>,
  )
}
