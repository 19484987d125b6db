import { type Context, Hono } from 'hono'
import { actorOf } from '../audited.ts'
import type { App } from '../context.ts'
import { addPerson } from '../domain/person.ts'
import { parseSignUp } from '../domain/registrations.ts'
import { findWorkshop, type Workshop } from '../domain/workshops.ts'
import { readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { messagesFor } from '../messages/messages.ts'
import { peopleMessagesFor } from '../messages/people.ts'
import { Choice, type Problem, Problems, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { workshopName } from './people.tsx'

import { PersonFields, type PersonTyped, Refused, readPersonFields, sayProblems } from './person-fields.tsx'

/** Somebody who did not sign up themselves, such as on the phone, is added by an organiser. */
export const addPersonPages = new Hono<App>()

addPersonPages.get('/console/workshops/:slug/people/add', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const { locale } = c.var
  const form = { name: '', email: '', phone: '', company: '', locale, consent: false, key: c.env.deps.newId() }
  return addPage(c, workshop, form)
})

addPersonPages.post('/console/workshops/:slug/people/add', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const t = peopleMessagesFor(c.var.locale)
  const form = readAddForm(await readFormBody(c), deps.newId)
  const parsed = parseSignUp({ ...form, consent: form.consent || undefined }, workshop, c.var.locale)
  if ('problems' in parsed) {
    const problems = sayProblems(parsed.problems, c.var.locale).map((problem) =>
      problem.field === 'consent' ? { field: 'consent', text: t.add.consentMissing } : problem,
    )
    return addPage(c, workshop, form, { status: 422, problems })
  }
  const answer = await addPerson(deps, actorOf(c), workshop, parsed.signUp, form.key)
  if (answer.kind === 'registered') return c.redirect(withQuery(paths.person(answer.id), { done: 'added' }), 303)
  // Whoever corrects it means another sign-up.
  const key = answer.refusal === 'idempotency_mismatch' ? deps.newId() : form.key
  return addPage(c, workshop, { ...form, key }, { status: 409, refusal: t.refusals[answer.refusal] })
})

/** `locale`: the language of the person's mails. `key`: the form sent twice adds one person. */
type AddForm = PersonTyped & { locale: string; consent: boolean; key: string }

function readAddForm(body: Record<string, unknown>, newId: () => string): AddForm {
  const key = typed(body, 'key')
  return {
    ...readPersonFields(body),
    locale: typed(body, 'locale') === 'en' ? 'en' : 'zh-CN',
    consent: typed(body, 'consent') === 'yes',
    key: /^[0-9a-f-]{36}$/.test(key) ? key : newId(),
  }
}

type AddMistake = { status: 409 | 422; problems?: Problem[]; refusal?: string }

function addPage(c: Context<App>, workshop: Workshop, form: AddForm, mistake?: AddMistake) {
  const { locale } = c.var
  const t = peopleMessagesFor(locale)
  const problems = mistake?.problems ?? []
  const { workshopStatuses } = messagesFor(locale)
  return consolePage(
    c,
    {
      title: `${t.add.title} · ${workshopName(c, workshop)}`,
      section: 'campaigns',
      back: { href: paths.workshopPeople(workshop.slug), text: workshopName(c, workshop) },
      status: mistake?.status,
    },
    <>
      {mistake?.refusal && <Refused title={t.person.refused}>{mistake.refusal}</Refused>}
      <Problems problems={problems} t={consoleMessagesFor(locale)} />
      <h1>{t.add.title}</h1>
      <p class="lead">
        {t.add.lead} <b>{workshopStatuses[workshop.status]}</b>
      </p>
      <form class="narrow" method="post" action={paths.addPerson(workshop.slug)} novalidate>
        <input type="hidden" name="key" value={form.key} />
        <PersonFields typed={form} problems={problems} phone={workshop.phone} locale={locale} />
        <Choice
          name="locale"
          label={t.person.language}
          options={Object.entries(t.person.languages).map(([value, text]) => ({ value, text }))}
          value={form.locale}
        />
        <div class="field">
          <label class="check">
            <input type="checkbox" id="consent" name="consent" value="yes" checked={form.consent} required />
            <span>{t.add.consent}</span>
          </label>
        </div>
        <button type="submit">{t.add.submit}</button>
      </form>
    </>,
  )
}
