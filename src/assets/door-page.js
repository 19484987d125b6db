// What is seen of the door: draws into the frame that the server has made (src/door/frame.tsx), whose words it brings along.

export const element = (id) => document.getElementById(id)
export const texts = JSON.parse(element('door-app')?.dataset.texts ?? '{}')
const lang = document.documentElement.lang

/** At most so many rows at once: a list of a thousand is searched, not scrolled. */
const mostRows = 80

export function openPage(app) {
  const [card, people, net] = ['door-card', 'door-people', 'door-net'].map(element)
  const handlers = {}
  /** Times are those of the workshop, wherever the phone thinks it is. */
  let zone
  const on = (id, type, what) => element(id).addEventListener(type, (event) => what(event))
  on('door-search', 'input', () => handlers.search())
  on('door-scan', 'click', () => handlers.scan())
  on('door-torch', 'click', () => handlers.torch())
  on('door-send-again', 'click', async ({ target }) => {
    target.disabled = true
    await handlers.sendAgain()
    target.disabled = false
  })
  on('door-leave', 'submit', (event) => {
    event.preventDefault()
    handlers.leave()
  })
  on('door-walk-in', 'submit', async (event) => {
    event.preventDefault()
    const { name, phone } = event.target.elements
    if (await handlers.walkIn({ name: name.value.trim(), phone: phone.value.trim() })) event.target.reset()
  })

  const page = {
    on: (what, handler) => {
      handlers[what] = handler
    },
    fill,
    time,
    day: (at, timeZone) =>
      new Intl.DateTimeFormat(lang === 'en' ? 'en-GB' : lang, {
        ...{ weekday: 'short', month: 'short', day: 'numeric', timeZone },
      }).format(new Date(at)),
    asked: () => element('door-search').value,

    /** Something that concerns the whole page, above it. */
    say(what, values = {}) {
      const place = element('door-note')
      place.textContent = fill(texts[what], values)
      place.hidden = false
    },

    /** The app takes the place of the server's page. */
    open() {
      const plain = element('door-plain')
      if (plain) plain.hidden = true
      app.hidden = false
      element('door-note').hidden = true
    },

    head({ title, city, timeZone }, counts) {
      zone = timeZone
      element('door-title').textContent = [title, city].filter(Boolean).join(' · ')
      put(
        element('door-counts'),
        h('b', {}, `${counts.in}`),
        ` / ${counts.seats} ${texts.inOf}`,
        counts.standing > 0 ? ` · ${fill(texts.standingCount, { n: counts.standing })}` : '',
      )
    },

    /** Why the server did not carry something out, in a few words. @param failure see door-server.js */
    why: (failure) => fill(texts.why[failure.kind], failure),

    /** Whether the server is connected, and how many scans it does not have yet. @param failure why not, or undefined */
    net(failure, queue) {
      const unsent = queue.unsent().length
      const foreign = queue.foreign().length
      const parts = [failure ? fill(texts.net[failure.kind], failure) : texts.online]
      if (unsent > foreign) parts.push(fill(texts.unsent, { n: unsent - foreign }))
      else if (!failure) parts.push(texts.allSent)
      if (foreign > 0) parts.push(fill(texts.foreign, { n: foreign }))
      const text = parts.join(' · ')
      net.dataset.net = failure ? 'off' : unsent > 0 ? 'behind' : 'on'
      if (net.textContent !== text) net.textContent = text
      const refused = element('door-refused')
      refused.hidden = failure?.kind !== 'refused' || unsent === foreign
      if (refused.hidden) return
      refused.querySelector('p').textContent = fill(texts.refused, { ...failure, n: unsent - foreign })
    },

    /** The answer to a scan or a tap: the whole screen has its colour, and says it in words and with a sign too. */
    card(what, once) {
      document.body.dataset.tone = what?.tone ?? ''
      card.className = `door-card ${what?.tone ?? ''}`
      if (!what) return card.replaceChildren()
      const { tone, title, lines = [], saved, actions = [], undo, broken } = what
      put(
        card,
        h('p', { class: 'door-sign', 'aria-hidden': 'true' }, signs[tone]),
        h('h2', {}, title),
        ...lines.filter(Boolean).map((line, i) => h('p', { class: i === 0 ? 'door-who' : '' }, line)),
        saved && h('p', { class: 'door-saved' }, saved.sentAt ? texts.sent : texts.saved),
        h(
          'div',
          { class: 'door-actions' },
          ...actions.map(({ text, second, do: act }) => button(text, once(act), second ? 'second' : '')),
          undo && button(texts.undo, once(undo), 'second'),
          broken && brokenForm(once(broken)),
          button(texts.next, () => handlers.close(), 'second'),
        ),
      )
    },

    conflicts(conflicts, { people: all, boards }, told) {
      const place = element('door-conflicts')
      place.hidden = conflicts.length === 0
      put(
        place.querySelector('ul'),
        ...conflicts.map(({ record, outcome, checkedIn, by, serial, place: inLine }) => {
          const { entry } = record
          const person = all.find(({ id }) => id === entry.registration)
          const board = boards.find(({ id }) => id === entry.board)
          const since = checkedIn && time(checkedIn.at)
          const named = record.about?.board ?? (board ? `${board.kind} ${board.serial}` : '')
          const who = (checkedIn?.by ?? by) || (checkedIn ? texts.byItself : texts.somebodyElsewhere)
          const values = { since, by: who, serial, place: inLine, at: time(entry.at), board: named }
          const about = person?.name ?? entry.name ?? record.about?.person ?? named
          const said = texts.conflicts[`${entry.kind} ${outcome}`] ?? texts.conflicts[outcome] ?? outcome
          return h(
            'li',
            {},
            h('b', {}, about),
            ` ${fill(said, values)} `,
            button(texts.seen, () => told(record, outcome), 'second'),
          )
        }),
      )
    },

    people(found, { choose }) {
      element('door-none').hidden = found.length > 0
      element('door-more').hidden = found.length <= mostRows
      people.replaceChildren(...found.slice(0, mostRows).map((person) => row(person, () => choose(person))))
    },

    camera(on) {
      element('door-camera').hidden = !on
      element('door-torch').hidden = true
      element('door-scan').textContent = on ? texts.stopScan : texts.scan
    },

    torch(on, has = true) {
      const torch = element('door-torch')
      torch.hidden = !has
      torch.setAttribute('aria-pressed', String(on))
    },

    /** Nothing of what was shown stays on the page. */
    over(reason, unsent, discard) {
      page.card(undefined)
      const plain = element('door-plain')
      plain?.remove()
      app.replaceChildren()
      app.hidden = true
      element('door-leave').remove()
      const place = element('door-over')
      // Nobody who never was here has to be told so; the page says how to become a door.
      place.hidden = reason === 'none' && unsent === 0
      if (!place.hidden) document.body.dataset.tone = 'amber'
      put(
        place,
        h('h2', {}, texts.overTitles[reason]),
        reason !== 'none' && h('p', {}, texts.howToGetOne),
        unsent > 0 && h('p', { class: 'problem' }, fill(texts.keptUnsent, { n: unsent })),
        unsent > 0 && button(texts.discard, () => confirm(texts.discardSure) && discard(), 'second'),
      )
    },

    /** All that was kept is gone. */
    gone() {
      element('door-over').dataset.gone = ''
    },
  }
  return page

  function row(person, choose) {
    const { name, seq, tail, checkedIn, board, standing } = person
    const facts = [seq && `#${seq}`, tail, board && `${board.kind} ${board.serial}`].filter(Boolean).join(' · ')
    const [state, sign, text] = stateOf(person)
    const label = state === 'free' ? texts.checkIn : text
    return h(
      'li',
      {},
      button(
        [
          h('span', { class: 'door-name' }, name, h('small', {}, facts, checkedIn?.by ? ` · ${checkedIn.by}` : '')),
          h('span', { class: `door-state ${state}` }, sign && h('span', { 'aria-hidden': 'true' }, `${sign} `), label),
        ],
        choose,
        standing ? 'standing' : '',
      ),
    )
  }

  function stateOf({ checkedIn, status, standing }) {
    if (checkedIn)
      return [
        checkedIn.saved ? 'saved' : 'in',
        '✓',
        fill(checkedIn.saved ? texts.inSaved : texts.inAt, { at: time(checkedIn.at) }),
      ]
    if (standing) return ['waits', '…', texts.standing]
    if (status === 'waitlisted') return ['waits', '…', texts.waitlisted]
    if (status === 'cancelled') return ['gone', '✕', texts.cancelled]
    return ['free', '', '']
  }

  function brokenForm(broken) {
    const note = h('input', {
      name: 'note',
      maxlength: '500',
      autocomplete: 'off',
      'aria-label': texts.note,
      placeholder: texts.note,
    })
    return h(
      'details',
      {},
      h('summary', {}, texts.broken),
      note,
      button(texts.returnBroken, () => broken(note.value.trim())),
    )
  }

  function time(at) {
    const shown = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: zone }
    return new Intl.DateTimeFormat(lang, shown).format(new Date(at))
  }
}

/** For those who do not tell the colours apart. */
const signs = { green: '✓', red: '✕', amber: '!', plain: 'i' }

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '')
}

function button(content, act, kind) {
  const made = h('button', { type: 'button', class: kind || '' }, ...[content].flat())
  made.addEventListener('click', act)
  return made
}

function h(tag, attributes, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) if (value) made.setAttribute(name, value)
  put(made, ...children)
  return made
}

/** Replaces what is in a place. What is not there, of several that may be, is left out. */
function put(place, ...children) {
  place.replaceChildren(...children.filter(Boolean))
}
