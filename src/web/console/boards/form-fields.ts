import type { BoardProblem } from '../../../domain/boards/serials.ts'
import type { BoardMessages } from '../../../i18n/boards.ts'
import type { FieldError } from '../ui/fields.tsx'

export function boardFieldErrors(problems: BoardProblem[], t: BoardMessages): FieldError[] {
  return problems.map((problem) => {
    const { field, code } = problem
    return { field, text: t.problems[code](t.fields[field], 'text' in problem ? problem.text : '') }
  })
}
