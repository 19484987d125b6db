import type { Child } from 'hono/jsx'
import type { Text } from '../../../db/schema.ts'
import { isUuid } from '../../../http/form-body.ts'
import type { ConsoleMessages } from '../../../i18n/zh-CN/console.ts'
import type { FormError } from './form-parser.ts'

/** What is wrong with a field of a form, as a sentence. */
export type FieldError = { field: string; text: string }

/** What is wrong with a form, above it, each problem as a link to its field. Takes the focus. */
export function ErrorSummary({ problems, t }: { problems: FieldError[]; t: ConsoleMessages }) {
  if (problems.length === 0) return null
  return (
    <div class="alert" role="alert" tabindex={-1} autofocus>
      <h2>{t.problems}</h2>
      <ul>
        {problems.map(({ field, text }) => (
          <li>
            <a href={`#${field}`}>{text}</a>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** A line of a form with its label, hint and problem, which are read out with the field. */
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
  /** Makes it a field of several lines. */
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

/** A choice of one of several. */
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

/** Something that is so or not. */
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

/** What was typed into a field of a form that was sent; nothing for what was not. */
export function stringField(body: Record<string, unknown>, name: string): string {
  const value = body[name]
  return typeof value === 'string' ? value : ''
}

/** The UUID in a submitted form's field; undefined if there is none. */
export function optionalUuid(body: Record<string, unknown>, name: string): string | undefined {
  const value = body[name]
  return isUuid(value) ? value : undefined
}

/** A text in both languages: the Chinese one, and beside it the English one, which may be left empty. */
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
  /** Makes them fields of several lines. */
  rows?: number
  /** The Chinese one has the focus. */
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
 * What is wrong with a form, in sentences.
 * @labels labels what the fields are called, by the last part of their names that is no number and no language
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

/** What the fields of a campaign and its workshops are called, for `problemsOf`. */
export function campaignFieldLabels(t: ConsoleMessages): Record<string, string> {
  const { campaignTitle: title, summary, city, venue, address, date, from, to, capacity, boards } = t.announce
  return { title, summary, city, venue, address, date, from, to, capacity, boards, item: t.items.text }
}
