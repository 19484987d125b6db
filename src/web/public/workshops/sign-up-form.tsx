import type { Child } from 'hono/jsx'
import type { Refusal } from '../../../domain/registrations/batcher.ts'
import type { FieldProblem } from '../../../domain/registrations/registrations.ts'
import type { Item, Workshop } from '../../../domain/workshops/workshops.ts'
import { paths } from '../../../http/links.ts'
import { localize } from '../../../i18n/format.ts'
import { type PublicMessages, publicMessages } from '../../../i18n/public.ts'
import type { Config, Locale } from '../../../lib/config.ts'
import { ErrorAlert } from '../../ui/notices.tsx'

/** Submitted values, to fill in the form again after an error. */
export type SignUpFormValues = {
  /** Idempotency key, so that submitting twice is one sign-up. */
  key: string
  /** Signed time when the form was first shown; see registrations/form-timing.ts. */
  formTimestamp: string
  honeypot: string
  /** Proof of work, if the workshop requires one; empty if the browser could not compute it. */
  proof: string
  /** Code of the registration link that was followed. */
  via: string | undefined
  name: string
  email: string
  phone: string
  company: string
  ready: Record<string, boolean>
  consent: boolean
}

/** Why the form is shown again. `retry`: it looks like a bot's, and is accepted when submitted once more. */
export type SignUpFormError =
  | { problems: FieldProblem[] }
  | { refusal: Refusal }
  | { retry: keyof PublicMessages['form']['retry'] }

export function emptyFormValues(key: string, formTimestamp: string, via: string | undefined): SignUpFormValues {
  return {
    ...{ key, formTimestamp, via, honeypot: '', proof: '' },
    ...{ name: '', email: '', phone: '', company: '', ready: {}, consent: false },
  }
}

/** Parses a submitted form. An invalid key, e.g. from an old page, is replaced by a new one. */
export function parseSignUpForm(body: Record<string, unknown>, newId: () => string): SignUpFormValues {
  const text = (name: string) => (typeof body[name] === 'string' ? body[name] : '')
  const answers = Object.entries(body).flatMap(([name, value]) => {
    const item = /^ready\.([0-9a-f-]{36})$/.exec(name)?.[1]
    return item && (value === 'yes' || value === 'no') ? [[item, value === 'yes'] as const] : []
  })
  return {
    key: /^[0-9a-f-]{36}$/.test(text('key')) ? text('key') : newId(),
    formTimestamp: text('guard'),
    honeypot: text(honeypotName),
    proof: text('proof'),
    via: parseVia(text('via')),
    name: text('name'),
    email: text('email'),
    phone: text('phone'),
    company: text('company'),
    ready: Object.fromEntries(answers),
    consent: text('consent') === 'yes',
  }
}

/** The code of a registration link; undefined if it is malformed. */
export function parseVia(via: string | undefined): string | undefined {
  return via && /^\w{1,64}$/.test(via) ? via : undefined
}

/** Converts form values to the input of parseSignUp. */
export function toSignUpInput({ via, name, email, phone, company, ready, consent }: SignUpFormValues): unknown {
  return { via, name, email, phone, company, ready, consent: consent || undefined }
}

/** The form, empty or as it was submitted, with an error summary on top. */
export function SignUpForm({
  workshop,
  values,
  error,
  otherCities,
  config,
  locale,
}: {
  workshop: Workshop
  values: SignUpFormValues
  error: SignUpFormError | undefined
  /** Shown if this workshop has no seat. */
  otherCities: Child
  config: Config
  locale: Locale
}) {
  const t = publicMessages(locale)
  const problems = error && 'problems' in error ? error.problems : []
  const problemText = (field: string) => {
    const problem = problems.find((problem) => problem.field === field)
    return problem && fieldProblemText(problem, t)
  }
  const joinsWaitlist = workshop.status === 'waitlist'
  const requiredItems = workshop.items.filter((item) => item.mustConfirm)
  return (
    <section id="form">
      {!error && (
        <h2 id="form-title" data-live="">
          {joinsWaitlist ? t.workshop.queueForm : t.workshop.form}
        </h2>
      )}
      {error && <FormErrorSummary error={error} otherCities={workshop.status === 'open' ? null : otherCities} t={t} />}
      <form method="post" action={paths.workshop(workshop.slug)} novalidate>
        <input type="hidden" name="key" value={values.key} />
        <input type="hidden" name="guard" value={values.formTimestamp} />
        {values.via && <input type="hidden" name="via" value={values.via} />}
        <Field
          name="name"
          label={t.fields.name}
          value={values.name}
          problem={problemText('name')}
          autocomplete="name"
          required
        />
        <Field
          name="email"
          type="email"
          label={t.fields.email}
          value={values.email}
          problem={problemText('email')}
          autocomplete="email"
          required
        />
        {workshop.phone !== 'no' && (
          <Field
            name="phone"
            type="tel"
            label={workshop.phone === 'required' ? t.fields.phone : t.fields.phone + t.form.optional}
            hint={t.form.phoneHint}
            value={values.phone}
            problem={problemText('phone')}
            autocomplete="tel"
            required={workshop.phone === 'required'}
          />
        )}
        <Field
          name="company"
          label={t.fields.company + t.form.optional}
          value={values.company}
          problem={problemText('company')}
          autocomplete="organization"
        />
        <Honeypot t={t} />
        {requiredItems.length > 0 && (
          <div class="readiness">
            <h3>{t.form.readiness}</h3>
            <p class="hint">{t.form.readinessHint}</p>
            {requiredItems.map((item) => (
              <ReadinessQuestion item={item} answer={values.ready[item.id]} t={t} locale={locale} />
            ))}
          </div>
        )}
        <Consent checked={values.consent} problem={problemText('consent')} config={config} t={t} />
        <button type="submit" id="submit" data-live="">
          {workshop.status === 'open' ? t.form.submit : joinsWaitlist ? t.form.submitQueue : t.form.submitAgain}
        </button>
        <p class="note" id="after" data-live="">
          {joinsWaitlist ? t.form.afterQueue(workshop.confirmHours) : t.form.afterSubmit}
        </p>
        {workshop.proofOfWork && <ProofOfWork workshop={workshop} t={t} />}
      </form>
    </section>
  )
}

export function fieldProblemText({ field, code }: FieldProblem, t: PublicMessages): string {
  const name = field.split('.')[0] ?? field
  return t.fieldProblems[code](t.fields[name] ?? name)
}

/** Text field with label, hint and problem; screen readers read hint and problem with the field. */
export function Field({
  name,
  label,
  type = 'text',
  hint,
  value,
  problem,
  autocomplete,
  required,
}: {
  name: string
  label: Child
  type?: 'text' | 'email' | 'tel'
  hint?: string | undefined
  value: string
  problem: string | undefined
  autocomplete: 'name' | 'email' | 'tel' | 'organization'
  required?: boolean
}) {
  const describedBy = [hint && `${name}-hint`, problem && `${name}-problem`].filter(Boolean).join(' ')
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {hint && (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
      {problem && (
        <p class="problem" id={`${name}-problem`}>
          {problem}
        </p>
      )}
      <input
        id={name}
        name={name}
        type={type}
        value={value}
        inputmode={type}
        autocomplete={autocomplete}
        autocapitalize={type === 'email' ? 'none' : undefined}
        spellcheck={type === 'email' ? false : undefined}
        required={required}
        aria-describedby={describedBy || undefined}
        aria-invalid={problem ? 'true' : undefined}
      />
    </div>
  )
}

/** Problems above a form, each linked to its field. */
export function ErrorSummary({ problems, t }: { problems: { field: string; text: string }[]; t: PublicMessages }) {
  return (
    <ErrorAlert title={t.form.problems}>
      <ul>
        {problems.map(({ field, text }) => (
          <li>
            <a href={`#${field}`}>{text}</a>
          </li>
        ))}
      </ul>
    </ErrorAlert>
  )
}

function FormErrorSummary({
  error,
  otherCities,
  t,
}: {
  error: SignUpFormError
  otherCities: Child
  t: PublicMessages
}) {
  if ('refusal' in error) {
    return (
      <ErrorAlert title={t.form.refused}>
        <p>{t.refusals[error.refusal]}</p>
        {otherCities}
      </ErrorAlert>
    )
  }
  if ('retry' in error) {
    return (
      <ErrorAlert title={t.form.problems}>
        <p>{t.form.retry[error.retry]}</p>
      </ErrorAlert>
    )
  }
  return (
    <ErrorSummary
      problems={error.problems.map((problem) => ({ field: problem.field, text: fieldProblemText(problem, t) }))}
      t={t}
    />
  )
}

/** Browsers do not autofill a field of this name, and bots like it. */
const honeypotName = 'message'

/** Hidden field that only bots and some browser extensions fill in. */
function Honeypot({ t }: { t: PublicMessages }) {
  return (
    <div class="trap" aria-hidden="true">
      <label for={honeypotName}>{t.form.honeypot}</label>
      <input id={honeypotName} name={honeypotName} type="text" value="" tabindex={-1} autocomplete="off" />
    </div>
  )
}

/**
 * Field and progress of the proof of work, filled in by client/proof.js. Without it, the sign-up is confirmed by mail.
 */
function ProofOfWork({ workshop, t }: { workshop: Workshop; t: PublicMessages }) {
  const { mailed, working, waiting, done } = t.form.proof
  return (
    <div class="proof">
      <input type="hidden" name="proof" value="" autocomplete="off" data-challenge={paths.challenge(workshop.slug)} />
      <p
        class="note"
        id="proof"
        role="status"
        data-mailed={mailed}
        data-working={working}
        data-waiting={waiting}
        data-done={done}
      >
        {mailed}
      </p>
      <progress id="proof-progress" value="0" aria-hidden="true" hidden />
    </div>
  )
}

function ReadinessQuestion({
  item,
  answer,
  t,
  locale,
}: {
  item: Item
  answer: boolean | undefined
  t: PublicMessages
  locale: Locale
}) {
  const name = `ready.${item.id}`
  return (
    <fieldset id={name}>
      <legend>{localize(item.text, locale)}</legend>
      <div class="pair">
        <label>
          <input type="radio" name={name} value="yes" checked={answer === true} /> {t.form.ready}
        </label>
        <label>
          <input type="radio" name={name} value="no" checked={answer === false} /> {t.form.notYet}
        </label>
      </div>
    </fieldset>
  )
}

function Consent({
  checked,
  problem,
  config,
  t,
}: {
  checked: boolean
  problem: string | undefined
  config: Config
  t: PublicMessages
}) {
  const { privacyContact, retentionDays } = config
  return (
    <div class="field">
      {problem && (
        <p class="problem" id="consent-problem">
          {problem}
        </p>
      )}
      <label class="check">
        <input
          id="consent"
          name="consent"
          type="checkbox"
          value="yes"
          checked={checked}
          required
          aria-describedby={problem && 'consent-problem'}
          aria-invalid={problem ? 'true' : undefined}
        />
        <span>
          {t.form.consent(retentionDays)}
          {privacyContact ? t.form.consentContact(privacyContact) : t.form.consentReply}
          <a href={paths.privacy()} target="_blank" rel="noopener">
            {t.form.consentMore}
          </a>
        </span>
      </label>
    </div>
  )
}
