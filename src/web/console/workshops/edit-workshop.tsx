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

/** The form of a workshop: adding a city to a campaign and editing a workshop. */
export const editWorkshopPages = new Hono<App>()

/** A further city of a campaign; `?from=` names one to copy. */
editWorkshopPages.get('/console/campaigns/:slug/workshops', async (c) => {
  const { deps } = c.env
  const campaign = await findCampaign(deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  const like = await findWorkshop(deps, c.req.query('from') ?? campaign.workshops.at(-1)?.slug ?? '')
  return workshopFormPage(
    c,
    { campaign },
    workshopFormDefaults(like, campaign, deps.config.timeZone, Boolean(c.req.query('from'))),
  )
})

editWorkshopPages.post('/console/campaigns/:slug/workshops', async (c) => {
  const { deps } = c.env
  const campaign = await findCampaign(deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  const form = new FormParser(await parseFormBody(c))
  const facts = parseWorkshopForm(form, deps.config.timeZone)
  const shown = readWorkshopFormValues(form, facts.items)
  const action = stringField(form.body, 'do')
  if (action)
    return workshopFormPage(
      c,
      { campaign },
      { ...shown, items: reorderItems(facts.items, action), clickedButton: action },
    )
  if (form.errors.length > 0) return workshopFormPage(c, { campaign }, shown, form.errors)
  // A campaign that is published is what people read: its new city is too once an organiser says so.
  const created = await createWorkshop(deps, { ...facts, campaignId: campaign.id } as WorkshopDraft)
  if (created.kind === 'refused') return workshopFormPage(c, { campaign }, shown, [refusalToFormError(created)])
  const { id, slug } = created.workshop
  await audit(c, { action: 'workshop.created', workshopId: id, facts: { slug } })
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
  const facts = parseWorkshopForm(form, workshop.timeZone)
  const shown = readWorkshopFormValues(form, facts.items)
  const action = stringField(form.body, 'do')
  if (action)
    return workshopFormPage(
      c,
      { workshop },
      { ...shown, items: reorderItems(facts.items, action), clickedButton: action },
    )
  if (form.errors.length > 0) return workshopFormPage(c, { workshop }, shown, form.errors)
  const changes = facts as WorkshopChanges
  const registered = workshop.taken + workshop.waitlisted
  const tell = stringField(form.body, 'tell')
  const tells = registered > 0 && workshop.status !== 'over' && changesTimeOrPlace(workshop, changes)
  if (tells && !tell) return notifyPage(c, workshop, changes, form)
  const changed = await changeWorkshop(deps, workshop.slug, changes, { tell: tells && tell === 'yes' })
  if (changed.kind === 'refused') return workshopFormPage(c, { workshop }, shown, [refusalToFormError(changed)])
  const told = tells && tell === 'yes'
  await audit(c, {
    action: 'workshop.changed',
    workshopId: workshop.id,
    facts: { slug: changed.workshop.slug, told },
  })
  return c.redirect(withQuery(paths.consoleWorkshop(changed.workshop.slug), { done: told ? 'told' : 'saved' }), 303)
})

/** The form of a workshop that is there, or of a further city of a campaign. */
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

/** Asks whether those who are registered are to be told, and shows what they would be. */
async function notifyPage(c: Context<App>, workshop: Workshop, changes: WorkshopChanges, form: FormParser) {
  const { deps } = c.env
  const t = consoleMessages(c.get('locale')).workshops
  const sample = await findSampleRegistration(deps, workshop)
  const changed = { ...workshop, ...Object.fromEntries(Object.entries(changes).filter(([name]) => name !== 'items')) }
  const mail =
    sample &&
    previewMessage(
      deps,
      { kind: 'changed', facts: { before: timeAndPlace(workshop) } },
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
        {/* A link would lose what was typed. */}
        <button class="second" type="submit" name="do" value="again">
          {t.editAgain}
        </button>
      </form>
    </>,
  )
}
