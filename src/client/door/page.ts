// Draws the state of the door into the elements that the server renders (web/door/app-shell.tsx) with their texts.
import type { boardLimits } from '../../domain/boards/serials.ts'
import type { DoorAppMessages } from '../../i18n/door-app.ts'
import type { Board, Conflict, Counts, DoorState, EntryRecord, Person, PersonRef } from './entries.ts'
import type { Failure } from './requests.ts'
import type { SyncQueue } from './sync-queue.ts'

type Texts = DoorAppMessages['script']

/** The colour of the screen. */
export type Tone = 'green' | 'red' | 'amber' | 'plain'

type Action = { text: string; secondary?: boolean; run(): unknown }

/** What the screen shows about a scan or a tap, with what can be done next. */
export type Card = {
  tone: Tone
  title: string
  lines: (string | false | undefined)[]
  /** The entry it is about: the card says whether it was sent. */
  saved?: EntryRecord
  actions?: Action[]
  undo?: (() => unknown) | undefined
  /** Takes a board back as broken, with a note. */
  returnBroken?: (note: string) => unknown
}

/** Why the session ended. */
export type EndReason = keyof Texts['overTitles']

type Handlers = {
  search(): void
  scan(): void
  torch(): void
  sendAgain(): Promise<void>
  leave(): void
  /** Resolves to true if the form is to be cleared. */
  walkIn(input: { name: string; phone: string }): Promise<boolean | undefined>
  closeCard(): void
}

export type Page = ReturnType<typeof createPage>

export const byId = <T extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as T

/** Empty on pages without the app. */
export const texts: Texts = JSON.parse(document.getElementById('door-app')?.dataset.texts ?? '{}')
const lang = document.documentElement.lang

/** Rows drawn at once: a list of a thousand is searched, not scrolled. */
const maxRows = 80

/** UTF-16 units of a note on a broken board. */
const maxNoteLength = 500 satisfies (typeof boardLimits)['note']

export function createPage() {
  const app = byId('door-app')
  const card = byId('door-card')
  const connection = byId('door-net')
  /** The workshop's time zone, whatever the phone's is. */
  let timeZone: string | undefined
  let onCloseCard = () => {}

  const formatTime = (at: string) =>
    new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone }).format(
      new Date(at),
    )

  return {
    formatText,
    formatTime,

    formatDay: (at: string, timeZone: string) =>
      new Intl.DateTimeFormat(lang === 'en' ? 'en-GB' : lang, {
        weekday: 'short',
        month: 'short',
        day: 'numeric',
        timeZone,
      }).format(new Date(at)),

    /** Why a request failed, in a few words. */
    explain: (failure: Failure) => formatText(texts.why[failure.kind], failure),

    searchText: () => byId<HTMLInputElement>('door-search').value,

    bind(handlers: Handlers) {
      byId('door-search').addEventListener('input', () => handlers.search())
      byId('door-scan').addEventListener('click', () => handlers.scan())
      byId('door-torch').addEventListener('click', () => handlers.torch())
      const sendAgain = byId<HTMLButtonElement>('door-send-again')
      sendAgain.addEventListener('click', async () => {
        sendAgain.disabled = true
        await handlers.sendAgain()
        sendAgain.disabled = false
      })
      byId('door-leave').addEventListener('submit', (event) => {
        event.preventDefault()
        handlers.leave()
      })
      const walkIn = byId<HTMLFormElement>('door-walk-in')
      const field = (name: string) => walkIn.elements.namedItem(name) as HTMLInputElement
      walkIn.addEventListener('submit', async (event) => {
        event.preventDefault()
        const input = { name: field('name').value.trim(), phone: field('phone').value.trim() }
        if (await handlers.walkIn(input)) walkIn.reset()
      })
      onCloseCard = handlers.closeCard
    },

    /** Shows a notice about the whole page above it. */
    showNotice(name: 'insecure' | 'cannot' | 'noList' | 'tooOld', values: object = {}) {
      const notice = byId('door-note')
      notice.textContent = formatText(texts[name], values)
      notice.hidden = false
    },

    /** Shows the app instead of the server's page. */
    open() {
      const serverPage = document.getElementById('door-plain')
      if (serverPage) serverPage.hidden = true
      app.hidden = false
      byId('door-note').hidden = true
    },

    showHeader({ title, city, timeZone: zone }: DoorState['workshop'], counts: Counts) {
      timeZone = zone
      byId('door-title').textContent = [title, city].filter(Boolean).join(' · ')
      setChildren(
        byId('door-counts'),
        h('b', {}, `${counts.in}`),
        ` / ${counts.seats} ${texts.inOf}`,
        counts.standing > 0 && ` · ${formatText(texts.standingCount, { n: counts.standing })}`,
      )
    },

    /** Shows whether the server is reachable, and how many entries are pending. @param failure why it is not */
    showConnection(failure: Failure | undefined, queue: SyncQueue) {
      const pending = queue.pendingEntries().length
      const otherWorkshop = queue.otherWorkshopEntries().length
      const parts = [failure ? formatText(texts.net[failure.kind], failure) : texts.online]
      if (pending > otherWorkshop) parts.push(formatText(texts.unsent, { n: pending - otherWorkshop }))
      else if (!failure) parts.push(texts.allSent)
      if (otherWorkshop > 0) parts.push(formatText(texts.foreign, { n: otherWorkshop }))
      const text = parts.join(' · ')
      connection.dataset.net = failure ? 'off' : pending > 0 ? 'behind' : 'on'
      // A live region: screen readers would repeat an unchanged text.
      if (connection.textContent !== text) connection.textContent = text
      const refused = byId('door-refused')
      refused.hidden = failure?.kind !== 'refused' || pending === otherWorkshop
      if (refused.hidden) return
      const paragraph = refused.querySelector('p') as HTMLElement
      paragraph.textContent = formatText(texts.refused, { ...failure, n: pending - otherWorkshop })
    },

    /** Shows a card, or none. The whole screen takes its colour; a sign and words say the same. @param guard for each action */
    showCard(shown: Card | undefined, guard: (run: () => unknown) => () => unknown) {
      document.body.dataset.tone = shown?.tone ?? ''
      card.className = `door-card ${shown?.tone ?? ''}`
      if (!shown) return card.replaceChildren()
      const { tone, title, lines, saved, actions = [], undo, returnBroken } = shown
      setChildren(
        card,
        h('p', { class: 'door-sign', 'aria-hidden': 'true' }, toneSigns[tone]),
        h('h2', {}, title),
        ...lines.filter(Boolean).map((line, n) => h('p', { class: n === 0 ? 'door-who' : '' }, line)),
        saved && h('p', { class: 'door-saved' }, saved.sentAt ? texts.sent : texts.saved),
        h(
          'div',
          { class: 'door-actions' },
          ...actions.map(({ text, secondary, run }) => createButton(text, guard(run), secondary ? 'second' : '')),
          undo && createButton(texts.undo, guard(undo), 'second'),
          returnBroken && brokenForm((note) => guard(() => returnBroken(note))()),
          createButton(texts.next, () => onCloseCard(), 'second'),
        ),
      )
    },

    /** @param onSeen called when a helper has read a conflict */
    showConflicts(
      conflicts: readonly Conflict[],
      { people, boards }: DoorState,
      onSeen: (record: EntryRecord, outcome: string) => void,
    ) {
      const section = byId('door-conflicts')
      section.hidden = conflicts.length === 0
      const items = conflicts.map(({ record, outcome, checkedIn, by, serial, place }) => {
        const { entry, about } = record
        const person = 'registration' in entry ? people.find(({ id }) => id === entry.registration) : undefined
        const board = 'board' in entry ? boards.find(({ id }) => id === entry.board) : undefined
        const boardName = about?.board ?? (board ? `${board.kind} ${board.serial}` : '')
        const subject =
          person?.name ?? (entry.kind === 'walk_in' ? entry.name : undefined) ?? about?.person ?? boardName
        const text = texts.conflicts[`${entry.kind} ${outcome}`] ?? texts.conflicts[outcome] ?? outcome
        const values = {
          since: checkedIn && formatTime(checkedIn.at),
          by: (checkedIn?.by ?? by) || (checkedIn ? texts.byItself : texts.somebodyElsewhere),
          serial,
          place,
          at: formatTime(entry.at),
          board: boardName,
        }
        return h(
          'li',
          {},
          h('b', {}, subject),
          ` ${formatText(text, values)} `,
          createButton(texts.seen, () => onSeen(record, outcome), 'second'),
        )
      })
      setChildren(section.querySelector('ul') as HTMLElement, ...items)
    },

    showPeople(people: readonly Person[], onTap: (person: Person) => void) {
      byId('door-none').hidden = people.length > 0
      byId('door-more').hidden = people.length <= maxRows
      byId('door-people').replaceChildren(
        ...people.slice(0, maxRows).map((person) => personRow(person, () => onTap(person))),
      )
    },

    showCamera(isOn: boolean) {
      byId('door-camera').hidden = !isOn
      byId('door-torch').hidden = true
      byId('door-scan').textContent = isOn ? texts.stopScan : texts.scan
    },

    showTorch(isOn: boolean, hasTorch = true) {
      const torch = byId('door-torch')
      torch.hidden = !hasTorch
      torch.setAttribute('aria-pressed', String(isOn))
    },

    /** Removes the app with all names, and shows why the session ended. @param discard deletes the pending entries */
    showEnded(reason: EndReason, pending: number, discard?: () => void) {
      this.showCard(undefined, (run) => run)
      document.getElementById('door-plain')?.remove()
      app.replaceChildren()
      app.hidden = true
      document.getElementById('door-leave')?.remove()
      const section = byId('door-over')
      // A phone that never had a session has nothing to be told.
      section.hidden = reason === 'none' && pending === 0
      if (!section.hidden) document.body.dataset.tone = 'amber'
      setChildren(
        section,
        h('h2', {}, texts.overTitles[reason]),
        reason !== 'none' && h('p', {}, texts.howToGetOne),
        pending > 0 && h('p', { class: 'problem' }, formatText(texts.keptUnsent, { n: pending })),
        pending > 0 && createButton(texts.discard, () => confirm(texts.discardSure) && discard?.(), 'second'),
      )
    },
  }

  function personRow(person: Person, onTap: () => void): HTMLElement {
    const { name, seq, tail, checkedIn, board, standing } = person
    const details = [seq && `#${seq}`, tail, board && boardLabel(board)].filter(Boolean).join(' · ')
    const { state, sign, text } = rowState(person)
    return h(
      'li',
      {},
      createButton(
        [
          h('span', { class: 'door-name' }, name, h('small', {}, details, checkedIn?.by && ` · ${checkedIn.by}`)),
          h('span', { class: `door-state ${state}` }, sign && h('span', { 'aria-hidden': 'true' }, `${sign} `), text),
        ],
        onTap,
        standing ? 'standing' : '',
      ),
    )
  }

  function rowState({ checkedIn, status, standing }: Person): { state: string; sign?: string; text: string } {
    if (checkedIn) {
      const { saved, at } = checkedIn
      const text = formatText(saved ? texts.inSaved : texts.inAt, { at: formatTime(at) })
      return { state: saved ? 'saved' : 'in', sign: '✓', text }
    }
    if (standing) return { state: 'waits', sign: '…', text: texts.standing }
    if (status === 'waitlisted') return { state: 'waits', sign: '…', text: texts.waitlisted }
    if (status === 'cancelled') return { state: 'gone', sign: '✕', text: texts.cancelled }
    return { state: 'free', text: texts.checkIn }
  }

  function brokenForm(onSubmit: (note: string) => unknown): HTMLElement {
    const note = h('input', {
      name: 'note',
      maxlength: `${maxNoteLength}`,
      autocomplete: 'off',
      'aria-label': texts.note,
      placeholder: texts.note,
    })
    return h(
      'details',
      {},
      h('summary', {}, texts.broken),
      note,
      createButton(texts.returnBroken, () => onSubmit(note.value.trim())),
    )
  }
}

/** For people who cannot tell the colours apart. */
const toneSigns: Record<Tone, string> = { green: '✓', red: '✕', amber: '!', plain: 'i' }

/** A person in one line: name, number and the last digits of the phone. */
export function personLabel({ name, seq, tail }: Omit<PersonRef, 'id'>): string {
  return [name, seq && `#${seq}`, tail].filter(Boolean).join(' · ')
}

/** A board in one line. */
export function boardLabel({ kind, serial }: Pick<Board, 'kind' | 'serial'>): string {
  return [kind, serial].filter(Boolean).join(' ')
}

/** Fills values into the braces of a text. */
function formatText(text: string, values: object): string {
  return text.replace(/\{(\w+)\}/g, (_, name) => String((values as Record<string, unknown>)[name] ?? ''))
}

/** A child that is false or empty is left out. */
type Child = Node | string | false | null | undefined

function createButton(content: Child | Child[], onClick: () => unknown, className = ''): HTMLButtonElement {
  const button = h('button', { type: 'button', class: className }, ...[content].flat())
  button.addEventListener('click', () => onClick())
  return button
}

function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string>,
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) if (value) element.setAttribute(name, value)
  setChildren(element, ...children)
  return element
}

function setChildren(parent: Element, ...children: Child[]): void {
  parent.replaceChildren(...children.filter((child): child is Node | string => Boolean(child)))
}
