import { normalizeUnicode } from '../../lib/text.ts'
import { matchesSearchKey, searchKeyQuery } from '../registrations/search-key.ts'
import type { DoorPerson } from './check-ins.ts'

/** What a search looks at. A walk-in whom a phone has not sent yet has no number. */
type Searchable = Pick<DoorPerson, 'name' | 'initials' | 'tail' | 'board'> & { seq: number | null }

/**
 * Finds people at a door by name, pinyin or initials, number, phone number or its end, or the serial number of their board;
 * exact matches come first. Used by the page and by the script on a helper's phone.
 */
export function searchDoorPeople<Person extends Searchable>(people: readonly Person[], search: string): Person[] {
  const needle = foldText(search)
  if (needle === '') return [...people]
  const [, number] = /^#(\d+)$/.exec(needle) ?? []
  if (number) return people.filter(({ seq }) => seq === Number(number))
  const query = searchKeyQuery(search)
  const digits = /^\d+$/.test(needle) ? needle : undefined
  const isExact = ({ name, seq }: Person) =>
    foldText(name) === needle || (digits !== undefined && seq === Number(digits))
  // A single digit is a number: as the end of a phone number it would match a tenth of the list.
  const matchesPhone = (tail: string) =>
    digits !== undefined && digits.length > 1 && tail !== '' && (tail.endsWith(digits) || digits.endsWith(tail))
  const matches = people.filter(
    (person) =>
      isExact(person) ||
      foldText(person.name).includes(needle) ||
      (query !== undefined && matchesSearchKey(person.initials, query)) ||
      matchesPhone(person.tail) ||
      (person.board !== null && foldText(person.board.serial) === needle),
  )
  return matches.toSorted((a, b) => Number(isExact(b)) - Number(isExact(a)))
}

/** A text in half width and lower case, without spaces and invisible characters. */
function foldText(text: string): string {
  return normalizeUnicode(text, 'NFKC')
    .toLowerCase()
    .replace(/[\s\p{Cc}\p{Cf}]/gu, '')
}
