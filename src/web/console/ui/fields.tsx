import type { Child } from 'hono/jsx'
import type { Text } from '../../../db/schema.ts'
import { isUuid } from '../../../http/form-body.ts'
import type { ConsoleMessages } from '../../../i18n/zh-CN/console.ts'
import { ErrorAlert } from '../../ui/notices.tsx'
import type { FormError } from './form-parser.ts'

/** A translated error of a form field. */
export type FieldError = { field: string; text: string }

/** Lists the errors above a form, each linked to its field. Takes the focus. */
export function ErrorSummary({ problems, t }: { problems: FieldError[]; t: ConsoleMessages }) {
  if (problems.length === 0) return null
  return (
    <ErrorAlert title={t.problems}>
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

/** An input with label, hint and error, associated for screen readers. */
export function Field({
  name,
  label,
  type = 'text',
  hint,
  value,
  problems = [],
  required,
  rows,
  ...attributes
}: {
  name: string
  label: Child
  type?: 'text' | 'email' | 'tel' | 'url' | 'number' | 'date' | 'time' | 'datetime-local' | 'search'
  hint?: Child
  value: string
  problems?: FieldError[] | undefined
  required?: boolean | undefined
  /** Renders a textarea. */
  rows?: number | undefined
  min?: number | undefined
  max?: number | undefined
  autocomplete?: string | undefined
  placeholder?: string | undefined
  list?: string | undefined
  lang?: string | undefined
  autofocus?: boolean | undefined
}) {
  const problem = problems.find(({ field }) => field === name)?.text
  const describedBy = [hint && `${name}-hint`, problem && `${name}-problem`].filter(Boolean).join(' ') || undefined
  const field = {
    ...attributes,
    id: name,
    name,
    required,
    'aria-describedby': describedBy,
    'aria-invalid': problem ? ('true' as const) : undefined,
  }
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {rows ? (
        <textarea {...field} rows={rows}>
          {value}
        </textarea>
      ) : (
        <input {...field} type={type} value={value} autocapitalize={type === 'email' ? 'none' : undefined} />
      )}
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
    </div>
  )
}

export function Select({
  name,
  label,
  options,
  value,
}: {
  name: string
  label: Child
  options: { value: string; text: string }[]
  value: string
}) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <select id={name} name={name}>
        {options.map((option) => (
          <option value={option.value} selected={option.value === value}>
            {option.text}
          </option>
        ))}
      </select>
    </div>
  )
}

export function Checkbox({
  name,
  label,
  hint,
  checked,
}: {
  name: string
  label: Child
  hint?: Child
  checked: boolean
}) {
  return (
    <div class="field">
      <label class="check">
        <input type="checkbox" id={name} name={name} value="yes" checked={checked} />
        <span>
          {label}
          {hint && <small>{hint}</small>}
        </span>
      </label>
    </div>
  )
}

/** The text of a submitted field; empty if it is missing or a file. */
export function stringField(body: Record<string, unknown>, name: string): string {
  const value = body[name]
  return typeof value === 'string' ? value : ''
}

/** The UUID in a submitted field; undefined if it is missing or malformed. */
export function optionalUuid(body: Record<string, unknown>, name: string): string | undefined {
  const value = body[name]
  return isUuid(value) ? value : undefined
}

/** Two fields for a text in Chinese and in English. The English one is optional. */
export function BilingualField({
  name,
  label,
  hint,
  value,
  problems,
  required,
  rows,
  autofocus,
  t,
}: {
  name: string
  label: string
  hint?: string | undefined
  value: Text
  problems: FieldError[]
  required?: boolean
  /** Renders textareas. */
  rows?: number
  /** Focuses the Chinese field. */
  autofocus?: boolean
  t: ConsoleMessages
}) {
  return (
    <div class="pairs">
      <Field
        name={`${name}.zh`}
        label={label}
        hint={hint}
        value={value.zh ?? ''}
        problems={problems}
        required={required}
        rows={rows}
        autofocus={autofocus}
      />
      <Field
        name={`${name}.en`}
        label={t.announce.inEnglish(label)}
        value={value.en ?? ''}
        problems={problems}
        rows={rows}
        lang="en"
      />
    </div>
  )
}

/**
 * Translates the errors of a form.
 * @param labels by the last part of a field's name that is neither a number nor a language
 */
export function translateFormErrors(
  errors: FormError[],
  t: ConsoleMessages,
  labels: Record<string, string>,
): FieldError[] {
  return errors.map(({ field, code, taken }) => {
    const part = field.split('.').findLast((part) => !/^(?:\d+|zh|en)$/.test(part)) ?? field
    return { field, text: t.fieldProblems[code](labels[part] ?? part, taken) }
  })
}

/** Labels of the fields of a campaign and its workshops, for `translateFormErrors`. */
export function campaignFieldLabels(t: ConsoleMessages): Record<string, string> {
  const { campaignTitle: title, summary, city, venue, address, date, from, to, capacity, boards } = t.announce
  return { title, summary, city, venue, address, date, from, to, capacity, boards, item: t.items.text }
}
