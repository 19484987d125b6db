import { type Context, Hono } from 'hono'
import { phoneRules, reminderKinds } from '../../../db/schema.ts'
import { listPastAttendances } from '../../../domain/attendance/attendance.ts'
import { type Campaign, findCampaign } from '../../../domain/campaigns/campaigns.ts'
import { reminderHours } from '../../../domain/mails/reminders.ts'
import {
  changesTimeOrPlace,
  changeWorkshop,
  createWorkshop,
  findWorkshop,
  timeAndPlace,
  type Workshop,
  type WorkshopChanges,
  type WorkshopDraft,
} from '../../../domain/workshops/workshops.ts'
import { previewMessage } from '../../../email/message.ts'
import { audit } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { doorMessages } from '../../../i18n/door.ts'
import { localize } from '../../../i18n/format.ts'
import { readinessMessages } from '../../../i18n/readiness.ts'
import { overbookingHint } from '../attendance/overbooking.tsx'
import { consolePage } from '../layout.tsx'
import { ChecklistEditor, reorderItems } from '../ui/checklist.tsx'
import { EmailPreview } from '../ui/email-preview.tsx'
import {
  BilingualField,
  Checkbox,
  campaignFieldLabels,
  ErrorSummary,
  Field,
  Select,
  stringField,
  translateFormErrors,
} from '../ui/fields.tsx'
import { type FormError, FormParser } from '../ui/form-parser.ts'
import { workshopBackLink } from '../ui/workshop-labels.ts'
import { findSampleRegistration } from './sample-registration.ts'
import {
  type bilingualFieldNames,
  hoursPerUnit,
  parseWorkshopForm,
  readWorkshopFormValues,
  refusalToFormError,
  type textFieldNames,
  type WorkshopFormValues,
  workshopFormDefaults,
} from './workshop-form.ts'

/** The workshop form: adds a workshop to a campaign, edits a workshop. */
export const editWorkshopPages = new Hono<App>()

/** Form to add a workshop to a campaign. `?from=` is the slug of one to copy. */
editWorkshopPages.get('/console/campaigns/:slug/workshops', async (c) => {
  const { deps } = c.env
  const campaign = await findCampaign(deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  const template = await findWorkshop(deps, c.req.query('from') ?? campaign.workshops.at(-1)?.slug ?? '')
  return workshopFormPage(
    c,
    { campaign },
    workshopFormDefaults(template, campaign, deps.config.timeZone, Boolean(c.req.query('from'))),
  )
})

editWorkshopPages.post('/console/campaigns/:slug/workshops', async (c) => {
  const { deps } = c.env
  const campaign = await findCampaign(deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  const form = new FormParser(await parseFormBody(c))
  const draft = parseWorkshopForm(form, deps.config.timeZone)
  const values = readWorkshopFormValues(form, draft.items)
  const action = stringField(form.body, 'do')
  if (action)
    return workshopFormPage(
      c,
      { campaign },
      { ...values, items: reorderItems(draft.items, action), clickedButton: action },
    )
  if (form.errors.length > 0) return workshopFormPage(c, { campaign }, values, form.errors)
  // A draft, even in a published campaign: organisers publish it themselves.
  const created = await createWorkshop(deps, { ...draft, campaignId: campaign.id } as WorkshopDraft)
  if (created.kind === 'refused') return workshopFormPage(c, { campaign }, values, [refusalToFormError(created)])
  const { id, slug } = created.workshop
  await audit(c, { action: 'workshop.created', workshopId: id, payload: { slug } })
  return c.redirect(withQuery(paths.consoleWorkshop(slug), { done: 'created' }), 303)
})

editWorkshopPages.get('/console/workshops/:slug/edit', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  return workshopFormPage(c, { workshop }, workshopFormDefaults(workshop, undefined, workshop.timeZone, true))
})

editWorkshopPages.post('/console/workshops/:slug/edit', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const form = new FormParser(await parseFormBody(c))
  const draft = parseWorkshopForm(form, workshop.timeZone)
  const values = readWorkshopFormValues(form, draft.items)
  const action = stringField(form.body, 'do')
  if (action)
    return workshopFormPage(
      c,
      { workshop },
      { ...values, items: reorderItems(draft.items, action), clickedButton: action },
    )
  if (form.errors.length > 0) return workshopFormPage(c, { workshop }, values, form.errors)
  const changes = draft as WorkshopChanges
  const registered = workshop.taken + workshop.waitlisted
  const notifyChoice = stringField(form.body, 'tell')
  const asksToNotify = registered > 0 && workshop.status !== 'over' && changesTimeOrPlace(workshop, changes)
  if (asksToNotify && !notifyChoice) return notifyPage(c, workshop, changes, form)
  const notify = asksToNotify && notifyChoice === 'yes'
  const changed = await changeWorkshop(deps, workshop.slug, changes, { notify })
  if (changed.kind === 'refused') return workshopFormPage(c, { workshop }, values, [refusalToFormError(changed)])
  await audit(c, {
    action: 'workshop.changed',
    workshopId: workshop.id,
    payload: { slug: changed.workshop.slug, told: notify },
  })
  return c.redirect(withQuery(paths.consoleWorkshop(changed.workshop.slug), { done: notify ? 'told' : 'saved' }), 303)
})

/** The form of an existing workshop, or of a new one in a campaign. */
async function workshopFormPage(
  c: Context<App>,
  { workshop, campaign }: { workshop?: Workshop; campaign?: Campaign },
  values: WorkshopFormValues,
  errors: FormError[] = [],
) {
  const locale = c.get('locale')
  const t = consoleMessages(locale)
  const words = t.workshops
  const grace = doorMessages(locale).console.grace
  const formMessages = readinessMessages(locale).form
  const labels = {
    ...campaignFieldLabels(t),
    ...formMessages,
    lead: words.lead,
    slug: words.slug,
    confirmHours: words.confirmHours,
    graceMinutes: grace,
  }
  const problems = translateFormErrors(errors, t, labels)
  const title = workshop ? words.edit : words.new
  const back = workshop
    ? workshopBackLink(workshop, c, true)
    : { href: paths.consoleCampaign(campaign?.slug ?? ''), text: localize(campaign?.title ?? {}, locale) }
  const field = (name: (typeof textFieldNames)[number], label: string, attributes: object = {}) => (
    <Field name={name} label={label} value={values[name]} problems={problems} {...attributes} />
  )
  const hint = overbookingHint(await listPastAttendances(c.env.deps), values, values.capacity, locale)
  const bilingualField = (name: (typeof bilingualFieldNames)[number], label: string, required = false) => (
    <BilingualField name={name} label={label} value={values[name]} problems={problems} t={t} required={required} />
  )
  return consolePage(
    c,
    { title, section: 'campaigns', back, status: problems.length > 0 ? errorStatus(errors) : 200 },
    <>
      <h1>{title}</h1>
      <ErrorSummary problems={problems} t={t} />
      <form
        method="post"
        action={workshop ? paths.editWorkshop(workshop.slug) : paths.addWorkshop(campaign?.slug ?? '')}
        novalidate
      >
        <button class="skip" type="submit" tabindex={-1}>
          {t.save}
        </button>
        {bilingualField('city', t.announce.city, true)}
        <div class="pairs narrow-pairs">
          {field('date', t.announce.date, { type: 'date', required: true })}
          {field('from', t.announce.from, { type: 'time', required: true })}
          {field('to', t.announce.to, { type: 'time', required: true })}
          {field('capacity', t.announce.capacity, { type: 'number', min: 1, required: true })}
          {field('boards', t.announce.boards, { type: 'number', min: 0 })}
        </div>
        {hint && <p class="hint">{hint}</p>}
        {bilingualField('venue', t.announce.venue)}
        {bilingualField('address', t.announce.address)}
        <BilingualField
          name="entry"
          label={formMessages.entry}
          hint={formMessages.entryHint}
          value={values.entry}
          problems={problems}
          rows={2}
          t={t}
        />
        {bilingualField('title', t.announce.campaignTitle, true)}
        <Checkbox name="waitlist" label={words.waitlist} checked={values.waitlist} />
        <Select
          name="phone"
          label={words.phone}
          options={phoneRules.map((rule) => ({ value: rule, text: words.phones[rule] }))}
          value={values.phone}
        />
        {field('lead', words.lead)}
        <fieldset id="reminders">
          <legend>{formMessages.reminders}</legend>
          <div class="pairs narrow-pairs">
            {reminderKinds.map((kind) =>
              field(kind, formMessages[kind], {
                type: 'number',
                min: reminderHours[kind].least / hoursPerUnit[kind],
                max: reminderHours[kind].most / hoursPerUnit[kind],
              }),
            )}
          </div>
        </fieldset>
        <details open={errors.some(({ field }) => advancedFieldNames.includes(field))}>
          <summary>{words.more}</summary>
          {field('lastDate', t.announce.lastDate, { type: 'date' })}
          {field('timeZone', words.timeZone)}
          {field('opensAt', words.opensAt, { type: 'datetime-local' })}
          {field('closesAt', words.closesAt, { type: 'datetime-local' })}
          {field('confirmHours', words.confirmHours, { type: 'number', min: 1, max: 336 })}
          {field('graceMinutes', grace, { type: 'number', min: 0, max: 600 })}
          <Checkbox name="proofOfWork" label={words.proofOfWork} checked={values.proofOfWork} />
          {!workshop?.publishedAt && field('slug', words.slug)}
        </details>
        <ChecklistEditor
          items={values.items}
          clickedButton={values.clickedButton}
          problems={problems}
          hint={t.items.ownHint}
          t={t}
        />
        <p class="actions">
          <button type="submit">{t.save}</button>
          <a class="button second" href={back.href}>
            {t.cancel}
          </a>
        </p>
      </form>
    </>,
  )
}

const advancedFieldNames = ['lastDate', 'timeZone', 'opensAt', 'closesAt', 'confirmHours', 'graceMinutes', 'slug']

const errorStatus = (errors: FormError[]) =>
  errors.some(({ code }) => ['slug_taken', 'slug_fixed', 'capacity_below_taken', 'cancelled', 'over'].includes(code))
    ? 409
    : 422

/** Asks whether to notify the attendees, with a preview of the mail. */
async function notifyPage(c: Context<App>, workshop: Workshop, changes: WorkshopChanges, form: FormParser) {
  const { deps } = c.env
  const t = consoleMessages(c.get('locale')).workshops
  const sample = await findSampleRegistration(deps, workshop)
  const changed = { ...workshop, ...Object.fromEntries(Object.entries(changes).filter(([name]) => name !== 'items')) }
  const mail =
    sample &&
    previewMessage(
      deps,
      { kind: 'changed', payload: { before: timeAndPlace(workshop) } },
      { ...sample, workshop: changed },
    )
  return consolePage(
    c,
    { title: t.tellTitle, section: 'campaigns', back: workshopBackLink(workshop, c, true) },
    <>
      <h1>{t.tellTitle}</h1>
      <p class="lead">{t.tellLead(workshop.taken + workshop.waitlisted)}</p>
      {mail && <EmailPreview mail={mail} />}
      <form class="actions" method="post" action={paths.editWorkshop(workshop.slug)}>
        {Object.entries(form.body).map(([name, value]) =>
          name === 'tell' || typeof value !== 'string' ? null : <input type="hidden" name={name} value={value} />,
        )}
        <button type="submit" name="tell" value="yes">
          {t.tell}
        </button>
        <button class="second" type="submit" name="tell" value="no">
          {t.tellNot}
        </button>
        {/* Not a link, which would lose the entered values. */}
        <button class="second" type="submit" name="do" value="again">
          {t.editAgain}
        </button>
      </form>
    </>,
  )
}
