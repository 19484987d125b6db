import { type Context, Hono } from 'hono'
import { addPerson } from '../../../domain/registrations/admin.ts'
import { parseSignUp } from '../../../domain/registrations/registrations.ts'
import { findWorkshop, type Workshop } from '../../../domain/workshops/workshops.ts'
import { currentActor } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { publicMessages } from '../../../i18n/public.ts'
import { registrationMessages } from '../../../i18n/registrations.ts'
import { ConflictNotice } from '../../ui/notices.tsx'
import { consolePage } from '../layout.tsx'
import { ErrorSummary, type FieldError, Select, stringField } from '../ui/fields.tsx'
import { workshopLabel } from '../ui/workshop-labels.ts'
import { PersonFields, type PersonFormValues, parsePersonFields, personFieldErrors } from './person-fields.tsx'

/** Lets an organiser register a person, such as one who called. */
export const addPersonPages = new Hono<App>()

addPersonPages.get('/console/workshops/:slug/people/add', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const { locale } = c.var
  const form = { name: '', email: '', phone: '', company: '', locale, consent: false, key: c.env.deps.newId() }
  return addPersonPage(c, workshop, form)
})

addPersonPages.post('/console/workshops/:slug/people/add', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const t = registrationMessages(c.var.locale)
  const form = parseAddPersonForm(await parseFormBody(c), deps.newId)
  const parsed = parseSignUp({ ...form, consent: form.consent || undefined }, workshop, c.var.locale)
  if ('problems' in parsed) {
    const problems = personFieldErrors(parsed.problems, c.var.locale).map((problem) =>
      problem.field === 'consent' ? { field: 'consent', text: t.add.consentMissing } : problem,
    )
    return addPersonPage(c, workshop, form, { status: 422, problems })
  }
  const outcome = await addPerson(deps, currentActor(c), workshop, parsed.signUp, form.key)
  if (outcome.kind === 'registered') return c.redirect(withQuery(paths.person(outcome.id), { done: 'added' }), 303)
  // The key was used for another sign-up, so this one needs a new key.
  const key = outcome.refusal === 'idempotency_mismatch' ? deps.newId() : form.key
  return addPersonPage(c, workshop, { ...form, key }, { status: 409, refusal: t.refusals[outcome.refusal] })
})

/** `locale`: language of the person's mails. `key`: idempotency key. */
type AddPersonFormValues = PersonFormValues & { locale: string; consent: boolean; key: string }

function parseAddPersonForm(body: Record<string, unknown>, newId: () => string): AddPersonFormValues {
  const key = stringField(body, 'key')
  return {
    ...parsePersonFields(body),
    locale: stringField(body, 'locale') === 'en' ? 'en' : 'zh-CN',
    consent: stringField(body, 'consent') === 'yes',
    key: /^[0-9a-f-]{36}$/.test(key) ? key : newId(),
  }
}

type RejectedAddPersonForm = { status: 409 | 422; problems?: FieldError[]; refusal?: string }

function addPersonPage(
  c: Context<App>,
  workshop: Workshop,
  values: AddPersonFormValues,
  rejected?: RejectedAddPersonForm,
) {
  const { locale } = c.var
  const t = registrationMessages(locale)
  const problems = rejected?.problems ?? []
  const { workshopStatuses } = publicMessages(locale)
  return consolePage(
    c,
    {
      title: `${t.add.title} · ${workshopLabel(workshop, c)}`,
      section: 'campaigns',
      back: { href: paths.workshopPeople(workshop.slug), text: workshopLabel(workshop, c) },
      status: rejected?.status,
    },
    <>
      {rejected?.refusal && <ConflictNotice title={t.person.refused}>{rejected.refusal}</ConflictNotice>}
      <ErrorSummary problems={problems} t={consoleMessages(locale)} />
      <h1>{t.add.title}</h1>
      <p class="lead">
        {t.add.lead} <b>{workshopStatuses[workshop.status]}</b>
      </p>
      <form class="narrow" method="post" action={paths.addPerson(workshop.slug)} novalidate>
        <input type="hidden" name="key" value={values.key} />
        <PersonFields values={values} problems={problems} phone={workshop.phone} locale={locale} />
        <Select
          name="locale"
          label={t.person.language}
          options={Object.entries(t.person.languages).map(([value, text]) => ({ value, text }))}
          value={values.locale}
        />
        <div class="field">
          <label class="check">
            <input type="checkbox" id="consent" name="consent" value="yes" checked={values.consent} required />
            <span>{t.add.consent}</span>
          </label>
        </div>
        <button type="submit">{t.add.submit}</button>
      </form>
    </>,
  )
}
