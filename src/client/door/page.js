// What is seen of the door: draws into the frame that the server has made (src/door/frame.tsx), whose words it brings along.

export const byId = (id) => document.getElementById(id)
export const texts = JSON.parse(byId('door-app')?.dataset.texts ?? '{}')
const lang = document.documentElement.lang

/** At most so many rows at once: a list of a thousand is searched, not scrolled. */
const maxRows = 80

export function createPage(app) {
  const [card, people, net] = ['door-card', 'door-people', 'door-net'].map(byId)
  const handlers = {}
  /** Times are those of the workshop, wherever the phone thinks it is. */
  let zone
  const on = (id, type, what) => byId(id).addEventListener(type, (event) => what(event))
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
    fill: formatText,
    time,
    day: (at, timeZone) =>
      new Intl.DateTimeFormat(lang === 'en' ? 'en-GB' : lang, {
        ...{ weekday: 'short', month: 'short', day: 'numeric', timeZone },
      }).format(new Date(at)),
    asked: () => byId('door-search').value,

    /** Something that concerns the whole page, above it. */
    say(what, values = {}) {
      const place = byId('door-note')
      place.textContent = formatText(texts[what], values)
      place.hidden = false
    },

    /** The app takes the place of the server's page. */
    open() {
      const plain = byId('door-plain')
      if (plain) plain.hidden = true
      app.hidden = false
      byId('door-note').hidden = true
    },

    head({ title, city, timeZone }, counts) {
      zone = timeZone
      byId('door-title').textContent = [title, city].filter(Boolean).join(' · ')
      setChildren(
        byId('door-counts'),
        h('b', {}, `${counts.in}`),
        ` / ${counts.seats} ${texts.inOf}`,
        counts.standing > 0 ? ` · ${formatText(texts.standingCount, { n: counts.standing })}` : '',
      )
    },

    /** Why the server did not carry something out, in a few words. @param failure see door-server.js */
    why: (failure) => formatText(texts.why[failure.kind], failure),

    /** Whether the server is connected, and how many scans it does not have yet. @param failure why not, or undefined */
    net(failure, queue) {
      const unsent = queue.unsent().length
      const foreign = queue.foreign().length
      const parts = [failure ? formatText(texts.net[failure.kind], failure) : texts.online]
      if (unsent > foreign) parts.push(formatText(texts.unsent, { n: unsent - foreign }))
      else if (!failure) parts.push(texts.allSent)
      if (foreign > 0) parts.push(formatText(texts.foreign, { n: foreign }))
      const text = parts.join(' · ')
      net.dataset.net = failure ? 'off' : unsent > 0 ? 'behind' : 'on'
      if (net.textContent !== text) net.textContent = text
      const refused = byId('door-refused')
      refused.hidden = failure?.kind !== 'refused' || unsent === foreign
      if (refused.hidden) return
      refused.querySelector('p').textContent = formatText(texts.refused, { ...failure, n: unsent - foreign })
    },

    /** The answer to a scan or a tap: the whole screen has its colour, and says it in words and with a sign too. */
    card(what, once) {
      document.body.dataset.tone = what?.tone ?? ''
      card.className = `door-card ${what?.tone ?? ''}`
      if (!what) return card.replaceChildren()
      const { tone, title, lines = [], saved, actions = [], undo, broken } = what
      setChildren(
        card,
        h('p', { class: 'door-sign', 'aria-hidden': 'true' }, toneSigns[tone]),
        h('h2', {}, title),
        ...lines.filter(Boolean).map((line, i) => h('p', { class: i === 0 ? 'door-who' : '' }, line)),
        saved && h('p', { class: 'door-saved' }, saved.sentAt ? texts.sent : texts.saved),
        h(
          'div',
          { class: 'door-actions' },
          ...actions.map(({ text, second, do: act }) => createButton(text, once(act), second ? 'second' : '')),
          undo && createButton(texts.undo, once(undo), 'second'),
          broken && brokenForm(once(broken)),
          createButton(texts.next, () => handlers.close(), 'second'),
        ),
      )
    },

    conflicts(conflicts, { people: all, boards }, told) {
      const place = byId('door-conflicts')
      place.hidden = conflicts.length === 0
      setChildren(
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
            ` ${formatText(said, values)} `,
            createButton(texts.seen, () => told(record, outcome), 'second'),
          )
        }),
      )
    },

    people(found, { choose }) {
      byId('door-none').hidden = found.length > 0
      byId('door-more').hidden = found.length <= maxRows
      people.replaceChildren(...found.slice(0, maxRows).map((person) => row(person, () => choose(person))))
    },

    camera(on) {
      byId('door-camera').hidden = !on
      byId('door-torch').hidden = true
      byId('door-scan').textContent = on ? texts.stopScan : texts.scan
    },

    torch(on, has = true) {
      const torch = byId('door-torch')
      torch.hidden = !has
      torch.setAttribute('aria-pressed', String(on))
    },

    /** Nothing of what was shown stays on the page. */
    over(reason, unsent, discard) {
      page.card(undefined)
      const plain = byId('door-plain')
      plain?.remove()
      app.replaceChildren()
      app.hidden = true
      byId('door-leave').remove()
      const place = byId('door-over')
      // Nobody who never was here has to be told so; the page says how to become a door.
      place.hidden = reason === 'none' && unsent === 0
      if (!place.hidden) document.body.dataset.tone = 'amber'
      setChildren(
        place,
        h('h2', {}, texts.overTitles[reason]),
        reason !== 'none' && h('p', {}, texts.howToGetOne),
        unsent > 0 && h('p', { class: 'problem' }, formatText(texts.keptUnsent, { n: unsent })),
        unsent > 0 && createButton(texts.discard, () => confirm(texts.discardSure) && discard(), 'second'),
      )
    },

    /** All that was kept is gone. */
    gone() {
      byId('door-over').dataset.gone = ''
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
      createButton(
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
        formatText(checkedIn.saved ? texts.inSaved : texts.inAt, { at: time(checkedIn.at) }),
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
      createButton(texts.returnBroken, () => broken(note.value.trim())),
    )
  }

  function time(at) {
    const shown = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: zone }
    return new Intl.DateTimeFormat(lang, shown).format(new Date(at))
  }
}

/** For those who do not tell the colours apart. */
const toneSigns = { green: '✓', red: '✕', amber: '!', plain: 'i' }

function formatText(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '')
}

function createButton(content, act, kind) {
  const made = h('button', { type: 'button', class: kind || '' }, ...[content].flat())
  made.addEventListener('click', act)
  return made
}

function h(tag, attributes, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) if (value) made.setAttribute(name, value)
  setChildren(made, ...children)
  return made
}

/** Replaces what is in a place. What is not there, of several that may be, is left out. */
function setChildren(place, ...children) {
  place.replaceChildren(...children.filter(Boolean))
}
