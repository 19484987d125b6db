// The door on a helper's phone: what the server's page does, with the camera, and without a network. Without HTTPS neither
// camera nor store can be had; then the server's page stays as it is.
import { nameOf, openCards, who } from './door-cards.js'
import { conflictsOf, countsOf, doorNow, hashOf, readScan, registrationOf, search } from './door-list.js'
import { element, openPage, texts } from './door-page.js'
import { openQueue } from './door-queue.js'
import { allowSound, openScanner, signal } from './door-scanner.js'
import { offline, request } from './door-server.js'
import { openStore } from './door-store.js'

/** How long a scan waits for the server before the screen says what this phone knows, in milliseconds. */
const patience = 1_200
const refreshPause = 10_000
/** How long the server is waited for where nothing can be shown without it. */
const longPatience = 8_000
/** How long an undo is offered on the card; from the list it is always there. */
const undoFor = 30_000
/** Scans that no session came for, and the names of walk-ins in them, do not stay on a phone for ever. */
const unsentFor = 7 * 24 * 3600_000
const workers = ['/door', '/in/']

const app = element('door-app')
const page = app && openPage(app)
const { cardOfCheckIn, cardOfUndo, cardOfState, cardOfLoan, cardOfReturn, cardOfWalkIn, lending } = app
  ? openCards({
      doorNow: () => doorNow(list, queue.records()),
      page,
      acts: { show, undo, lend, giveBack, stands, leaves },
    })
  : {}
const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('door') : undefined

let store
let queue
let scanner
/** What GET /door/list.json said last, with `askedAt`, `offset` (the server's clock less this phone's) and its `etag`. */
let list
/** Why the list could not be had when it was last asked for, or undefined: see door-server.js. */
let listFailure
/** Who was checked in last: a label that is scanned now is for them. */
let current
let shown
let opened = false
let busy = false
let ended = false

if (app) begin().catch(cannot)

async function begin() {
  if (!window.isSecureContext || !window.crypto?.subtle || !window.indexedDB) return page.say('insecure')
  store = await openStore()
  queue = await openQueue({ store, changed, over: () => end('over'), another: refresh })
  await dropOld()
  list = await store.list()
  if (list && now() >= Date.parse(list.session.expiresAt)) {
    await store.dropList()
    list = undefined
    if ((await refresh()) === 'unreached') return end('late')
  } else if (!list) {
    if ((await refresh()) === 'unreached') sayNoList()
  } else refresh()
  if (ended) return
  bind()
  if (list && !opened) open()
  const code = /^\/in\/([\w-]+)$/.exec(location.pathname)?.[1]
  history.replaceState(null, '', '/door')
  if (code && list) await scanned(`${location.origin}/in/${code}`)
  await install()
}

function sayNoList() {
  page.say('noList', { why: page.why(listFailure) })
}

/** The browser keeps nothing: the server's page still works. */
function cannot(error) {
  console.error(error)
  page.say('cannot')
}

/** Takes what the list names into use, once there is one. */
function open() {
  opened = true
  queue.setWorkshop(list.workshop.slug)
  page.open()
  draw()
  queue.send()
}

function bind() {
  page.on('search', draw)
  page.on('scan', toggleScanner)
  page.on('torch', async () => page.torch(await scanner.torch()))
  page.on('leave', leave)
  page.on('walkIn', once(walkIn))
  page.on('close', () => show(undefined))
  page.on('sendAgain', () => queue.send())
  addEventListener('online', () => Promise.all([refresh(), queue.send()]))
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return
    refresh()
    queue.send()
  })
  tabs?.addEventListener('message', async ({ data }) => {
    if (data === 'over') return end('over')
    await queue.reload()
    redraw([])
  })
  setInterval(tick, 1_000)
  setTimeout(keepFresh, refreshPause)
}

/** Ends by this phone's own clock, and takes away an undo whose time is over. */
function tick() {
  if (ended) return
  if (list && now() >= Date.parse(list.session.expiresAt)) end('late')
  else if (shown?.undoUntil && Date.now() > shown.undoUntil) show({ ...shown, undoUntil: undefined, undo: undefined })
}

async function keepFresh() {
  if (ended) return
  try {
    if (!document.hidden && (await refresh()) === 'unreached' && !opened) sayNoList()
  } finally {
    setTimeout(keepFresh, refreshPause)
  }
}

/** The server's time, as near as this phone knows. */
function now() {
  return Date.now() + (list?.offset ?? 0)
}

/** Asks for the list. Gives how it went: 'new', 'same', 'unreached' or 'over'. */
async function refresh() {
  const askedAt = Date.now()
  const headers = list?.etag ? { 'If-None-Match': list.etag } : {}
  const asked = await request('/door/list.json', { cache: 'no-store', headers, limit: longPatience })
  const { response: answer, body: said } = asked
  if (ended || answer?.status === 401) return end(list ? 'over' : 'none')
  const isSame = answer?.status === 304
  listFailure = asked.failure ?? (isSame || said ? undefined : offline)
  if (listFailure) {
    page.net(failureNow(), queue)
    return 'unreached'
  }
  if (isSame) {
    list.askedAt = askedAt
    redraw([])
    seatStanding()
    return 'same'
  }
  const otherSession = list && list.session.id !== said.session.id
  const offset = Date.parse(said.now) - (askedAt + Date.now()) / 2
  list = { ...said, askedAt, offset, etag: answer.headers.get('etag') }
  if (otherSession) await queue.drop(queue.records().filter(({ sentAt }) => sentAt))
  await store.putList(list)
  if (!opened) open()
  else {
    queue.setWorkshop(list.workshop.slug)
    redraw([])
    queue.send()
  }
  seatStanding()
  return 'new'
}

/** Once there is a seat for who stands at the door: what is sent gives it to them, be it nothing else. What is asked does not. */
function seatStanding() {
  const { counts, workshop } = list
  const start = Date.parse(workshop.startsAt)
  const grace = workshop.graceMinutes === null ? Number.POSITIVE_INFINITY : workshop.graceMinutes * 60_000
  const due = workshop.taken < workshop.capacity ? start : start + grace
  if (counts.standing > 0 && now() >= due) queue.ask()
}

/** Why the server is not connected at the moment, or undefined. */
function failureNow() {
  return navigator.onLine ? (queue.failure() ?? listFailure) : offline
}

/** Something was written down or answered here: other tabs of this phone look again. */
function changed(answered) {
  if (answered.length > 0) listFailure = undefined
  redraw(answered)
  if (!ended) tabs?.postMessage('changed')
}

/** Draws what is different now, and corrects the card whose scan was answered after it was shown. */
function redraw(answered) {
  if (!list || ended) return
  if (shown?.record && answered.includes(shown.record)) {
    const card = shown.cardOf(shown.record)
    if (card.tone !== shown.tone) signal(card.tone)
    const { record, cardOf, undoUntil } = shown
    show({ record, cardOf, undoUntil, ...card })
  }
  draw()
}

function draw() {
  const door = doorNow(list, queue.records())
  page.head(list.workshop, countsOf(door))
  page.net(failureNow(), queue)
  page.conflicts(conflictsOf(list, queue.records()), door, (record, outcome) => queue.tell(record, outcome))
  page.people(search(door.people, page.asked()), { choose })
}

function show(card) {
  shown = card
  page.card(card, once)
}

// What is scanned.

const scanned = once(async (text) => {
  if (!list) return
  try {
    const scan = readScan(text)
    if (scan.kind === 'ticket') await scanTicket(scan.code)
    else if (scan.kind === 'board') await scanBoard(scan.code)
    else answer({ tone: 'amber', title: texts.strange, lines: [texts.strangeHint] })
  } catch (error) {
    console.error(error)
    answer({ tone: 'red', title: texts.notSaved, lines: [texts.notSavedHint] })
  }
})

/** One thing after the other: a second tap while the first is on its way is no other board and no other guest. */
function once(act) {
  return async (...asked) => {
    if (busy || ended) return
    busy = true
    try {
      return await act(...asked)
    } finally {
      busy = false
    }
  }
}

async function scanTicket(code) {
  const hash = await hashOf(code)
  const find = () => doorNow(list, queue.records()).people.find((person) => person.code === hash)
  let person = find()
  // Whoever registered a minute ago is on a newer list.
  if (!person && navigator.onLine && (await Promise.race([refresh(), pause(patience * 3)])) === 'new') person = find()
  if (person) return checkIn(person)
  const id = registrationOf(code)
  const known = list.people.find((person) => person.id === id)
  if (known?.status === 'cancelled') return answer(cardOfState(known))
  if (known) return answer({ tone: 'amber', title: texts.oldTicket, lines: [texts.oldTicketHint] })
  // The server alone knows the other workshops. No door can check in somebody of another.
  const entry = { kind: 'in', id: crypto.randomUUID(), registration: id, at: moment() }
  const { asked, failure } = id ? await askServer(entry) : {}
  if (asked?.outcome === 'elsewhere') {
    const { title, city, startsAt, timeZone } = asked.workshop
    const where = [title, city, page.day(startsAt, timeZone)].join(' · ')
    return answer({ tone: 'amber', title: texts.elsewhere, lines: [where, texts.elsewhereHint] })
  }
  if (asked?.outcome === 'cancelled')
    return answer({ tone: 'amber', title: texts.cancelled, lines: [texts.cancelledHint] })
  const hint = failure ? page.fill(texts.unknownUnasked, { why: page.why(failure) }) : texts.unknownHint
  answer({ tone: 'amber', title: texts.unknown, lines: [hint] })
}

async function scanBoard(code) {
  const door = doorNow(list, queue.records())
  const board = door.boards.find((board) => board.code === code)
  if (!board) return answer({ tone: 'amber', title: texts.noBoard, lines: [texts.noBoardHint] })
  if (board.registration) return answer(cardOfReturn(board, door))
  const person = door.people.find(({ id }) => id === current)
  if (person?.checkedIn && !person.board) return lend(board, person)
  answer({ tone: 'plain', title: texts.freeBoard, lines: [nameOf(board), texts.freeBoardHint] })
}

/** One entry that is only a question, and is not kept. Gives { asked } with its result, or { failure }. */
async function askServer(entry) {
  const { response, body, failure } = await request('/door/entries', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ workshop: list.workshop.slug, entries: [entry] }),
    limit: patience * 3,
  })
  if (response?.status === 401) end('over')
  return body?.results ? { asked: body.results[0] } : { failure: failure ?? offline }
}

// What is done.

/** Checks in who may come in, and says of the others why not. */
async function checkIn(person) {
  current = person.id
  if (person.checkedIn || !['confirmed', 'offered'].includes(person.status)) return answer(cardOfState(person))
  await enter({ kind: 'in', registration: person.id }, (record) => cardOfCheckIn(person, record), {
    person: person.name,
  })
}

async function lend(board, person) {
  const entry = { kind: 'lend', board: board.id, registration: person.id }
  await enter(entry, (record) => cardOfLoan(board, person, record), { person: person.name, board: nameOf(board) })
}

async function giveBack(board, broken) {
  const done = broken ? texts.returnedBroken : texts.returned
  await enter({ kind: 'return', board: board.id, ...broken }, (record) => ({
    ...(!record.result || record.result.outcome === 'returned'
      ? { tone: 'green', title: done, lines: [nameOf(board)] }
      : { tone: 'amber', title: texts.notLent, lines: [nameOf(board)] }),
    saved: record,
  }))
}

async function undo(person) {
  await enter({ kind: 'undo', checkIn: person.checkedIn.id }, (record) => cardOfUndo(person, record), {
    person: person.name,
  })
}

async function walkIn({ name, phone }) {
  const saved = await enter({ kind: 'walk_in', name, phone }, (record) => cardOfWalkIn({ name, phone }, record))
  // What the server refuses is to be corrected, not typed again.
  return saved && saved.result?.outcome !== 'invalid'
}

/** Writes an entry down about somebody, waits a moment for the server, and shows what came of it. Gives its record. */
async function enter(entry, cardOf, about) {
  try {
    const record = await queue.add({ id: crypto.randomUUID(), at: moment(), ...entry }, about)
    const result = await queue.answer(record, patience)
    answer({ record, cardOf, ...cardOf(record), undoUntil: Date.now() + undoFor })
    // What was seen on the screen is no conflict that waits for somebody.
    if (result) await queue.tell(record, result.outcome)
    return record
  } catch (error) {
    console.error(error)
    answer({ tone: 'red', title: texts.notSaved, lines: [texts.notSavedHint] })
    return undefined
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

function moment() {
  return new Date(now()).toISOString()
}

// What is said.

function answer(card) {
  if (ended) return
  signal(card.tone)
  show(card)
}

/** Somebody was tapped in the list: who may come in is in, of the others it is shown what can be done. */
const choose = once(async (person) => {
  allowSound()
  if (!person.checkedIn) return checkIn(person)
  current = person.id
  show({ ...cardOfState(person), tone: 'plain' })
})

/** Whoever waits for a seat stands here: the server gives them their place in line, or the seat that is free by now. */
async function stands(person) {
  const now = await askInLine('/door/stand', person)
  if (now?.checkedIn) answer({ tone: 'green', title: texts.in, lines: [who(now)], actions: lending(now) })
  else if (now) answer({ ...cardOfState(now), tone: now.standing ? 'plain' : 'amber' })
}

/** Whoever stood here has left: the next seat is not for them. */
async function leaves(person) {
  if (await askInLine('/door/leave', person)) answer({ tone: 'plain', title: texts.left, lines: [who(person)] })
}

/** What only the server can do about the line at the door. Gives the person as they are then, or says why it was not done. */
async function askInLine(path, person) {
  const body = new URLSearchParams({ registration: person.id })
  const { response, failure } = await request(path, { method: 'POST', body, redirect: 'manual', limit: longPatience })
  if (response?.status === 401) return void end('over')
  if (failure) {
    const gone = response?.status === 404
    const hint = gone ? texts.notDoneGone : page.fill(texts.notDoneHint, { why: page.why(failure) })
    return void answer({ tone: 'amber', title: texts.notDone, lines: [who(person), hint] })
  }
  await refresh()
  return list?.people.find(({ id }) => id === person.id)
}

// The camera.

let scanning = false

async function toggleScanner() {
  allowSound()
  if (scanning) return stopScanner()
  scanning = true
  page.camera(true)
  scanner ??= openScanner(element('door-video'), {
    scanned,
    busy: () => busy,
    failed: () => scanning && cannotScan('noDecoder'),
  })
  const outcome = await scanner.start()
  // Somebody closed it meanwhile.
  if (!scanning) return scanner.stop()
  if (outcome !== 'started') return cannotScan(outcome)
  page.torch(false, await scanner.hasTorch())
}

function stopScanner() {
  scanner.stop()
  scanning = false
  page.camera(false)
}

/** Closes the camera, says why and offers the search. @param reason 'noCamera' or 'noDecoder' */
function cannotScan(reason) {
  stopScanner()
  const searchByName = () => {
    show(undefined)
    element('door-search').focus()
  }
  const actions = [{ text: texts.searchByName, do: searchByName }]
  answer({ tone: 'amber', title: texts[reason], lines: [texts[`${reason}Hint`]], actions })
}

// The end.

async function leave() {
  const unsent = queue.unsent().length
  if (unsent > 0 && !confirm(page.fill(texts.leaveUnsent, { n: unsent }))) return
  const asked = { method: 'POST', body: new URLSearchParams(), redirect: 'manual', limit: longPatience }
  const { response, failure } = await request('/door/end', asked)
  await end(!failure || response?.status === 401 ? 'left' : 'leftOffline')
}

/**
 * The session is over: what the phone kept goes, and so do the workers with their caches. Scans that were not sent stay,
 * still encrypted, until a session of the same workshop sends them or somebody throws them away: to lose them silently
 * would be worse.
 */
async function end(reason) {
  if (ended) return 'over'
  ended = true
  scanner?.stop()
  queue.stop()
  list = undefined
  shown = undefined
  const unsent = queue.unsent()
  page.over(reason, unsent.length, async () => {
    await store.destroy()
    page.over(reason, 0)
  })
  tabs?.postMessage('over')
  if (unsent.length === 0) await store.destroy()
  else {
    await store.dropList()
    await queue.drop(queue.records().filter(({ sentAt }) => sentAt))
  }
  await uninstall()
  page.gone()
  return 'over'
}

/** Tells of scans that waited too long for a session, and throws them away. */
async function dropOld() {
  const old = queue.unsent().filter(({ savedAt }) => Date.now() - savedAt > unsentFor)
  if (old.length === 0) return
  await queue.drop(old)
  page.say('tooOld', { n: old.length })
}

// The service worker: one script, for the page of the door and for that of a scanned ticket.

async function install() {
  if (!navigator.serviceWorker || ended) return
  // Another language is another script, which keeps another page.
  const script = `/door/worker.js?lang=${document.documentElement.lang}`
  await Promise.all(
    workers.map((scope) => navigator.serviceWorker.register(script, { scope, updateViaCache: 'none' })),
  ).catch(console.error)
}

async function uninstall() {
  const registered = (await navigator.serviceWorker?.getRegistrations()) ?? []
  const ours = registered.filter(({ scope }) => workers.includes(new URL(scope).pathname))
  await Promise.all(ours.map((registration) => registration.unregister()))
  for (const name of (await window.caches?.keys()) ?? []) if (name.startsWith('door ')) await caches.delete(name)
}
