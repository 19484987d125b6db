import type { PhoneRule } from '../../../db/schema.ts'
import type { FieldProblem } from '../../../domain/registrations/registrations.ts'
import { publicMessages } from '../../../i18n/public.ts'
import type { Locale } from '../../../lib/config.ts'
import { Field, type FieldError, stringField } from '../ui/fields.tsx'

/** What is typed of a person. */
export type PersonFormValues = { name: string; email: string; phone: string; company: string }

/** What a form that was sent says of a person. */
export function parsePersonFields(body: Record<string, unknown>): PersonFormValues {
  return {
    name: stringField(body, 'name'),
    email: stringField(body, 'email'),
    phone: stringField(body, 'phone'),
    company: stringField(body, 'company'),
  }
}

/** Why fields are refused, as sentences. */
export function personFieldErrors(problems: readonly FieldProblem[], locale: Locale): FieldError[] {
  const { fieldProblems, fields } = publicMessages(locale)
  return problems.map(({ field, code }) => ({ field, text: fieldProblems[code](fields[field] ?? field) }))
}

/** The fields of a person's name and address. A phone that the workshop does not ask for is not asked for here either. */
export function PersonFields({
  typed: values,
  problems,
  phone,
  locale,
}: {
  typed: PersonFormValues
  problems: FieldError[]
  phone: PhoneRule
  locale: Locale
}) {
  const { fields, form } = publicMessages(locale)
  // Of somebody else than whoever types, so that no browser fills them in.
  const attributes = { problems, autocomplete: 'off' }
  return (
    <>
      <Field name="name" label={fields.name} value={values.name} required {...attributes} />
      <Field name="email" type="email" label={fields.email} value={values.email} required {...attributes} />
      {phone === 'required' && (
        <Field name="phone" type="tel" label={fields.phone} value={values.phone} required {...attributes} />
      )}
      {phone === 'optional' && (
        <Field name="phone" type="tel" label={fields.phone + form.optional} value={values.phone} {...attributes} />
      )}
      <Field name="company" label={fields.company + form.optional} value={values.company} {...attributes} />
    </>
  )
}
