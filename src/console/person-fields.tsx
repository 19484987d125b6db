import type { Child } from 'hono/jsx'
import type { Locale } from '../config.ts'
import type { PhoneRule } from '../db/schema.ts'
import type { FieldProblem } from '../domain/registrations.ts'
import { messagesFor } from '../messages/messages.ts'
import { Field, type Problem, typed } from './fields.tsx'

/** What is typed of a person. */
export type PersonTyped = { name: string; email: string; phone: string; company: string }

/** What a form that was sent says of a person. */
export function readPersonFields(body: Record<string, unknown>): PersonTyped {
  return {
    name: typed(body, 'name'),
    email: typed(body, 'email'),
    phone: typed(body, 'phone'),
    company: typed(body, 'company'),
  }
}

/** Why fields are refused, as sentences. */
export function sayProblems(problems: readonly FieldProblem[], locale: Locale): Problem[] {
  const { fieldProblems, fields } = messagesFor(locale)
  return problems.map(({ field, code }) => ({ field, text: fieldProblems[code](fields[field] ?? field) }))
}

/** The fields of a person's name and address. A phone that the workshop does not ask for is not asked for here either. */
export function PersonFields({
  typed,
  problems,
  phone,
  locale,
}: {
  typed: PersonTyped
  problems: Problem[]
  phone: PhoneRule
  locale: Locale
}) {
  const { fields, form } = messagesFor(locale)
  // Of somebody else than whoever types, so that no browser fills them in.
  const more = { problems, autocomplete: 'off' }
  return (
    <>
      <Field name="name" label={fields.name} value={typed.name} required {...more} />
      <Field name="email" type="email" label={fields.email} value={typed.email} required {...more} />
      {phone === 'required' && (
        <Field name="phone" type="tel" label={fields.phone} value={typed.phone} required {...more} />
      )}
      {phone === 'optional' && (
        <Field name="phone" type="tel" label={fields.phone + form.optional} value={typed.phone} {...more} />
      )}
      <Field name="company" label={fields.company + form.optional} value={typed.company} {...more} />
    </>
  )
}

/** Why something was not done, above what it concerns: takes the focus. */
export function Refused({ title, children }: { title: string; children: Child }) {
  return (
    <div class="alert" role="alert" tabindex={-1} autofocus>
      <h2>{title}</h2>
      <p>{children}</p>
    </div>
  )
}
