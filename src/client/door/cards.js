// What the screen says of a scan, and what can be done then. A card is { tone, title, lines, saved?, actions?, undo?, broken? }:
// `saved` is the record that it is about, `broken` takes a board back with a note on what is wrong with it.
import { texts } from './page.js'

/**
 * The cards of a door.
 * @param doorNow gives the door as this phone knows it: see door-list.js
 * @param page says moments and fills in texts
 * @param acts what the buttons do
 */
export function createCards({ doorNow, page: { fill, time }, acts }) {
  function cardOfCheckIn(person, record) {
    const { result } = record
    if (result && result.outcome !== 'in') return cardOfState({ ...person, ...personState(result) })
    return {
      tone: 'green',
      title: texts.in,
      lines: [personLabel(person)],
      saved: record,
      ...undoActions(person, record),
    }
  }

  /** What can be done with who has just come in: a board for them, or the check-in taken back. */
  function undoActions(person, { entry }) {
    return { actions: lending(person), undo: () => acts.undo({ ...person, checkedIn: { id: entry.id } }) }
  }

  /** Of two doors that scanned somebody, one takes back its own scan alone. */
  function cardOfUndo(person, record) {
    const { outcome, checkedIn } = record.result ?? {}
    if (outcome === 'not_found') return { tone: 'amber', title: texts.notUndone, lines: [person.name], saved: record }
    const still = checkedIn && fill(texts.stillIn, { since: time(checkedIn.at), by: checkedIn.by })
    return { tone: 'plain', title: texts.undone, lines: [person.name, still], saved: record }
  }

  /** What an answer of the server says of somebody the list thought could come in. */
  function personState({ outcome, checkedIn }) {
    if (outcome === 'again') return { checkedIn }
    return { status: outcome }
  }

  /** Who they are and why they are not simply let in. */
  function cardOfState(person) {
    const lines = [personLabel(person)]
    const { checkedIn, status } = person
    if (checkedIn) {
      const since = time(checkedIn.at)
      lines.push(fill(checkedIn.by ? texts.sinceBy : texts.since, { since, by: checkedIn.by }))
      const actions = [...lending(person), { text: texts.undo, second: true, do: () => acts.undo(person) }]
      return { tone: 'red', title: texts.again, lines, actions }
    }
    if (status === 'waitlisted') {
      const stand = { text: texts.stand, do: () => acts.stands(person) }
      const leave = { text: texts.leaveLine, second: true, do: () => acts.leaves(person) }
      if (person.standing)
        return { tone: 'amber', title: texts.standing, lines: [...lines, texts.standingHint], actions: [leave] }
      return { tone: 'amber', title: texts.waitlisted, lines: [...lines, texts.waitlistedHint], actions: [stand] }
    }
    if (status === 'cancelled' && person.cancelledBy === 'absence')
      return { tone: 'amber', title: texts.absence, lines: [...lines, texts.absenceHint] }
    if (status === 'cancelled') return { tone: 'amber', title: texts.cancelled, lines: [...lines, texts.cancelledHint] }
    if (status === 'elsewhere') return { tone: 'amber', title: texts.elsewhere, lines: [...lines, texts.elsewhereHint] }
    return { tone: 'amber', title: texts.unknown, lines: [...lines, texts.unknownHint] }
  }

  /** The next free board for a tap, or the one that they have. */
  function lending(person) {
    const door = doorNow()
    const here = door.people.find(({ id }) => id === person.id)
    if (here?.board) {
      const board = door.boards.find(({ id }) => id === here.board.id) ?? here.board
      return [
        { text: fill(texts.takeBack, { board: boardLabel(board) }), do: () => acts.show(cardOfReturn(board, door)) },
      ]
    }
    const next = door.boards.find(({ registration }) => !registration)
    return next ? [{ text: fill(texts.lend, { board: boardLabel(next) }), do: () => acts.lend(next, person) }] : []
  }

  function cardOfLoan(board, person, { result, ...record }) {
    const saved = { result, ...record }
    const outcome = result?.outcome ?? 'lent'
    if (outcome === 'lent')
      return { tone: 'green', title: texts.lent, lines: [boardLabel(board), personLabel(person)], saved }
    const lines = {
      board_taken: fill(texts.boardTaken, { by: result.by ?? texts.somebodyElsewhere }),
      has_board: fill(texts.hasBoard, { serial: result.serial }),
    }
    return { tone: 'red', title: texts.notLentOut, lines: [boardLabel(board), lines[outcome] ?? texts.unusable] }
  }

  function cardOfReturn(board, door) {
    const holder = door.people.find(({ id }) => id === board.registration)
    return {
      tone: 'plain',
      title: texts.withSomebody,
      lines: [boardLabel(board), holder?.name ?? ''],
      actions: [{ text: texts.return, do: () => acts.giveBack(board) }],
      broken: (note) => acts.giveBack(board, { broken: true, ...(note && { note }) }),
    }
  }

  function cardOfWalkIn({ name, phone }, record) {
    const lines = [[name, phone.slice(-4)].filter(Boolean).join(' · ')]
    const outcome = record.result?.outcome
    if (outcome === 'in') {
      const { person } = record.result
      return { tone: 'green', title: texts.in, lines, saved: record, ...(person && undoActions(person, record)) }
    }
    if (outcome === 'standing')
      return {
        tone: 'amber',
        title: texts.standing,
        lines: [...lines, fill(texts.place, { place: record.result.place })],
      }
    if (outcome === 'full') return { tone: 'amber', title: texts.full, lines: [...lines, texts.fullHint] }
    if (outcome === 'cancelled') return { tone: 'amber', title: texts.workshopCancelled, lines }
    if (outcome === 'not_found') return { tone: 'red', title: texts.notSaved, lines: [...lines, texts.tryAgain] }
    if (outcome === 'invalid') return { tone: 'red', title: texts.invalid, lines }
    return { tone: 'plain', title: texts.walkInSaved, lines: [...lines, texts.walkInSavedHint], saved: record }
  }

  return { cardOfCheckIn, cardOfUndo, cardOfState, cardOfLoan, cardOfReturn, cardOfWalkIn, lending }
}

/** Somebody in one line: name, number and the end of the phone. */
export function personLabel({ name, seq, tail }) {
  return [name, seq && `#${seq}`, tail].filter(Boolean).join(' · ')
}

/** A board in one line. */
export function boardLabel({ kind, serial }) {
  return [kind, serial].filter(Boolean).join(' ')
}
