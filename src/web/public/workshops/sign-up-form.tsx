import type { Child } from 'hono/jsx'
import type { FieldProblem } from '../../../domain/registrations/registrations.ts'
import type { Refusal } from '../../../domain/registrations/seats.ts'
import type { Item, Workshop } from '../../../domain/workshops/workshops.ts'
import { paths } from '../../../http/links.ts'
import { localize } from '../../../i18n/format.ts'
import { type PublicMessages, publicMessages } from '../../../i18n/public.ts'
import type { Config, Locale } from '../../../lib/config.ts'
import { Alert } from '../layout.tsx'

/** What someone typed into the form, as it goes back into it after a mistake. */
export type SignUpFormValues = {
  /** Idempotency key: the same form sent twice is one sign-up. */
  key: string
  /** Tells when the form was first shown: see domain/guards.ts. */
  formTimestamp: string
  /** What stands in the field that people do not see. */
  honeypot: string
  /** Of the work that the browser has done, where the workshop wants some; empty where it could do none. */
  proof: string
  /** Code of the registration link that led here. */
  via: string | undefined
  name: string
  email: string
  phone: string
  company: string
  ready: Record<string, boolean>
  consent: boolean
}

/** Why the form comes back. `again`: it looks like a bot's, and is taken when it is sent once more. */
export type SignUpFormError =
  | { problems: FieldProblem[] }
  | { refusal: Refusal }
  | { again: keyof PublicMessages['form']['again'] }

/** A form that nothing was typed into yet. */
export function emptyFormValues(key: string, formTimestamp: string, via: string | undefined): SignUpFormValues {
  return {
    ...{ key, formTimestamp, via, honeypot: '', proof: '' },
    ...{ name: '', email: '', phone: '', company: '', ready: {}, consent: false },
  }
}

/** Reads a form that was sent. One without a usable key, such as from an old page, gets a new one. */
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

/** The code of a registration link, or undefined for what no link of ours can have. */
export function parseVia(via: string | undefined): string | undefined {
  return via && /^\w{1,64}$/.test(via) ? via : undefined
}

/** What was typed, as the domain reads it. */
export function toSignUpInput({ via, name, email, phone, company, ready, consent }: SignUpFormValues): unknown {
  return { via, name, email, phone, company, ready, consent: consent || undefined }
}

/** The form, empty or as it was sent, with what is wrong with it on top. */
export function SignUpForm({
  workshop,
  typed,
  mistake,
  elsewhere,
  config,
  locale,
}: {
  workshop: Workshop
  typed: SignUpFormValues
  mistake: SignUpFormError | undefined
  /** The other cities, for when this one has no seat. */
  elsewhere: Child
  config: Config
  locale: Locale
}) {
  const t = publicMessages(locale)
  const problems = mistake && 'problems' in mistake ? mistake.problems : []
  const problem = (field: string) => {
    const found = problems.find((problem) => problem.field === field)
    return found && fieldProblemText(found, t)
  }
  const joinsWaitlist = workshop.status === 'waitlist'
  const toConfirm = workshop.items.filter((item) => item.mustConfirm)
  return (
    <section id="form">
      {!mistake && (
        <h2 id="form-title" data-live="">
          {joinsWaitlist ? t.workshop.queueForm : t.workshop.form}
        </h2>
      )}
      {mistake && (
        <FormErrorSummary mistake={mistake} elsewhere={workshop.status === 'open' ? null : elsewhere} t={t} />
      )}
      <form method="post" action={paths.workshop(workshop.slug)} novalidate>
        <input type="hidden" name="key" value={typed.key} />
        <input type="hidden" name="guard" value={typed.formTimestamp} />
        {typed.via && <input type="hidden" name="via" value={typed.via} />}
        <Field
          name="name"
          label={t.fields.name}
          value={typed.name}
          problem={problem('name')}
          autocomplete="name"
          required
        />
        <Field
          name="email"
          type="email"
          label={t.fields.email}
          value={typed.email}
          problem={problem('email')}
          autocomplete="email"
          required
        />
        {workshop.phone !== 'no' && (
          <Field
            name="phone"
            type="tel"
            label={workshop.phone === 'required' ? t.fields.phone : t.fields.phone + t.form.optional}
            hint={t.form.phoneHint}
            value={typed.phone}
            problem={problem('phone')}
            autocomplete="tel"
            required={workshop.phone === 'required'}
          />
        )}
        <Field
          name="company"
          label={t.fields.company + t.form.optional}
          value={typed.company}
          problem={problem('company')}
          autocomplete="organization"
        />
        <Honeypot t={t} />
        {toConfirm.length > 0 && (
          <div class="readiness">
            <h3>{t.form.readiness}</h3>
            <p class="hint">{t.form.readinessHint}</p>
            {toConfirm.map((item) => (
              <ReadinessQuestion item={item} answer={typed.ready[item.id]} t={t} locale={locale} />
            ))}
          </div>
        )}
        <Consent given={typed.consent} problem={problem('consent')} config={config} t={t} />
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

/** Why a field is refused, as a sentence. */
export function fieldProblemText({ field, code }: FieldProblem, t: PublicMessages): string {
  const name = field.split('.')[0] ?? field
  return t.fieldProblems[code](t.fields[name] ?? name)
}

/** A line of the form with its label, hint and problem. The hint and problem are read out with the field. */
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

/** What is wrong with a form, above it, each problem as a link to its field. */
export function ErrorSummary({ problems, t }: { problems: { field: string; text: string }[]; t: PublicMessages }) {
  return (
    <Alert title={t.form.problems}>
      <ul>
        {problems.map(({ field, text }) => (
          <li>
            <a href={`#${field}`}>{text}</a>
          </li>
        ))}
      </ul>
    </Alert>
  )
}

function FormErrorSummary({
  mistake,
  elsewhere,
  t,
}: {
  mistake: SignUpFormError
  elsewhere: Child
  t: PublicMessages
}) {
  if ('refusal' in mistake) {
    return (
      <Alert title={t.form.refused}>
        <p>{t.refusals[mistake.refusal]}</p>
        {elsewhere}
      </Alert>
    )
  }
  if ('again' in mistake) {
    return (
      <Alert title={t.form.problems}>
        <p>{t.form.again[mistake.again]}</p>
      </Alert>
    )
  }
  return (
    <ErrorSummary
      problems={mistake.problems.map((problem) => ({ field: problem.field, text: fieldProblemText(problem, t) }))}
      t={t}
    />
  )
}

/** No browser fills in a field of this name by itself, and bots that fill in every field like it. */
const honeypotName = 'message'

/** A field that people neither see nor reach: whoever fills it in is a bot that does not look, or a browser's extension. */
function Honeypot({ t }: { t: PublicMessages }) {
  return (
    <div class="trap" aria-hidden="true">
      <label for={honeypotName}>{t.form.trap}</label>
      <input id={honeypotName} name={honeypotName} type="text" value="" tabindex={-1} autocomplete="off" />
    </div>
  )
}

/**
 * What a browser has to work for, and what happens where it cannot. The script assets/proof.js does the work and says so
 * here, and fills in the field.
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

/** Who asks, why, for how long, and whom to contact, before anything is sent. */
function Consent({
  given,
  problem,
  config,
  t,
}: {
  given: boolean
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
          checked={given}
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
