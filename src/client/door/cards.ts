// The cards: what the screen shows after a scan or a tap, and what can be done then.
import type { Board, DoorState, EntryRecord, Person, PersonRef } from './entries.ts'
import { boardLabel, type Card, type Page, personLabel, texts } from './page.ts'

/** A person with a result of the server that says more than the list. */
type ShownPerson = Omit<Person, 'status'> & { status: Person['status'] | 'elsewhere' | 'not_found' }

type BoardRef = Pick<Board, 'id' | 'kind' | 'serial'> & Partial<Board>

type Actions = {
  show(card: Card): void
  undo(name: string, checkIn: string): unknown
  lend(board: Board, person: PersonRef): unknown
  /** @param note if the board is broken */
  returnBoard(board: BoardRef, broken?: { note: string }): unknown
  joinQueue(person: PersonRef): unknown
  leaveQueue(person: PersonRef): unknown
}

/**
 * @param currentState returns the list with the pending entries
 * @param actions what the buttons do
 */
export function createCards({
  currentState,
  page: { formatText, formatTime },
  actions,
}: {
  currentState(): DoorState
  page: Page
  actions: Actions
}) {
  return { checkInCard, undoCard, personCard, loanCard, returnCard, walkInCard, boardActions }

  function checkInCard(person: Person, record: EntryRecord<'in'>): Card {
    const { result } = record
    if (result?.outcome === 'again') return personCard({ ...person, checkedIn: result.checkedIn })
    if (result && result.outcome !== 'in') return personCard({ ...person, status: result.outcome })
    return {
      tone: 'green',
      title: texts.in,
      lines: [personLabel(person)],
      saved: record,
      ...checkedInActions(person, record),
    }
  }

  /** After a check-in: a board, or undo. */
  function checkedInActions(person: PersonRef, { entry }: EntryRecord) {
    return { actions: boardActions(person), undo: () => actions.undo(person.name, entry.id) }
  }

  /** Undoing removes the check-ins of this door only: a person whom another door scanned too is still checked in. */
  function undoCard(name: string, record: EntryRecord<'undo'>): Card {
    const { outcome, checkedIn } = record.result ?? {}
    if (outcome === 'not_found') return { tone: 'amber', title: texts.notUndone, lines: [name], saved: record }
    const stillIn = checkedIn
      ? formatText(texts.stillIn, { since: formatTime(checkedIn.at), by: checkedIn.by })
      : undefined
    return { tone: 'plain', title: texts.undone, lines: [name, stillIn], saved: record }
  }

  /** A person, and why a scan does not check them in. */
  function personCard(person: ShownPerson): Card {
    const lines = [personLabel(person)]
    const { checkedIn, status } = person
    if (checkedIn) {
      const values = { since: formatTime(checkedIn.at), by: checkedIn.by }
      const undo = { text: texts.undo, secondary: true, run: () => actions.undo(person.name, checkedIn.id) }
      return {
        tone: 'red',
        title: texts.again,
        lines: [...lines, formatText(checkedIn.by ? texts.sinceBy : texts.since, values)],
        actions: [...boardActions(person), undo],
      }
    }
    if (status === 'waitlisted' && person.standing) {
      const leave = { text: texts.leaveLine, secondary: true, run: () => actions.leaveQueue(person) }
      return { tone: 'amber', title: texts.standing, lines: [...lines, texts.standingHint], actions: [leave] }
    }
    if (status === 'waitlisted') {
      const join = { text: texts.stand, run: () => actions.joinQueue(person) }
      return { tone: 'amber', title: texts.waitlisted, lines: [...lines, texts.waitlistedHint], actions: [join] }
    }
    if (status === 'cancelled' && person.cancelledBy === 'absence')
      return { tone: 'amber', title: texts.absence, lines: [...lines, texts.absenceHint] }
    if (status === 'cancelled') return { tone: 'amber', title: texts.cancelled, lines: [...lines, texts.cancelledHint] }
    if (status === 'elsewhere') return { tone: 'amber', title: texts.elsewhere, lines: [...lines, texts.elsewhereHint] }
    return { tone: 'amber', title: texts.unknown, lines: [...lines, texts.unknownHint] }
  }

  /** One tap to lend the next free board, or to return the one that the person has. */
  function boardActions(person: PersonRef): NonNullable<Card['actions']> {
    const state = currentState()
    const lent = state.people.find(({ id }) => id === person.id)?.board
    if (lent) {
      const board = state.boards.find(({ id }) => id === lent.id) ?? lent
      const text = formatText(texts.takeBack, { board: boardLabel(board) })
      return [{ text, run: () => actions.show(returnCard(board, state)) }]
    }
    const next = state.boards.find(({ registration }) => !registration)
    if (!next) return []
    const text = formatText(texts.lend, { board: boardLabel(next) })
    return [{ text, run: () => actions.lend(next, person) }]
  }

  function loanCard(board: Board, person: PersonRef, record: EntryRecord<'lend'>): Card {
    const { result } = record
    if (!result || result.outcome === 'lent')
      return { tone: 'green', title: texts.lent, lines: [boardLabel(board), personLabel(person)], saved: record }
    const refusal = { tone: 'red', title: texts.notLentOut } as const
    if (result.outcome === 'board_taken') {
      const by = result.by ?? texts.somebodyElsewhere
      return { ...refusal, lines: [boardLabel(board), formatText(texts.boardTaken, { by })] }
    }
    if (result.outcome === 'has_board')
      return { ...refusal, lines: [boardLabel(board), formatText(texts.hasBoard, { serial: result.serial })] }
    return { ...refusal, lines: [boardLabel(board), texts.unusable] }
  }

  function returnCard(board: BoardRef, state: DoorState): Card {
    const holder = state.people.find(({ id }) => id === board.registration)
    return {
      tone: 'plain',
      title: texts.withSomebody,
      lines: [boardLabel(board), holder?.name],
      actions: [{ text: texts.return, run: () => actions.returnBoard(board) }],
      returnBroken: (note) => actions.returnBoard(board, { note }),
    }
  }

  function walkInCard({ name, phone }: { name: string; phone: string }, record: EntryRecord<'walk_in'>): Card {
    const lines = [[name, phone.slice(-4)].filter(Boolean).join(' · ')]
    const { result } = record
    switch (result?.outcome) {
      case 'in':
        return {
          tone: 'green',
          title: texts.in,
          lines,
          saved: record,
          ...(result.person && checkedInActions(result.person, record)),
        }
      case 'standing':
        return {
          tone: 'amber',
          title: texts.standing,
          lines: [...lines, formatText(texts.place, { place: result.place })],
        }
      case 'full':
        return { tone: 'amber', title: texts.full, lines: [...lines, texts.fullHint] }
      case 'cancelled':
        return { tone: 'amber', title: texts.workshopCancelled, lines }
      case 'not_found':
        return { tone: 'red', title: texts.notSaved, lines: [...lines, texts.tryAgain] }
      case 'invalid':
        return { tone: 'red', title: texts.invalid, lines }
      case undefined:
        return { tone: 'plain', title: texts.walkInSaved, lines: [...lines, texts.walkInSavedHint], saved: record }
    }
  }
}
