import type { PhoneRule } from '../../../db/schema.ts'
import type { FieldProblem } from '../../../domain/registrations/registrations.ts'
import { publicMessages } from '../../../i18n/public.ts'
import type { Locale } from '../../../lib/config.ts'
import { Field, type FieldError, stringField } from '../ui/fields.tsx'

export type PersonFormValues = { name: string; email: string; phone: string; company: string }

export function parsePersonFields(body: Record<string, unknown>): PersonFormValues {
  return {
    name: stringField(body, 'name'),
    email: stringField(body, 'email'),
    phone: stringField(body, 'phone'),
    company: stringField(body, 'company'),
  }
}

export function personFieldErrors(problems: readonly FieldProblem[], locale: Locale): FieldError[] {
  const { fieldProblems, fields } = publicMessages(locale)
  return problems.map(({ field, code }) => ({ field, text: fieldProblems[code](fields[field] ?? field) }))
}

/** Fields of a person. The phone number follows the workshop's rule. */
export function PersonFields({
  values,
  problems,
  phone,
  locale,
}: {
  values: PersonFormValues
  problems: FieldError[]
  phone: PhoneRule
  locale: Locale
}) {
  const { fields, form } = publicMessages(locale)
  // The organiser types another person's data: no autofill.
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
