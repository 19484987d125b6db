// The door on a helper's phone: what the server's page does, with the camera, and without a network. Without HTTPS neither
// camera nor store can be had; then the server's page stays as it is.
import { boardLabel, createCards, personLabel } from './door/cards.js'
import {
  applyPendingEntries,
  countPeople,
  findConflicts,
  parseScan,
  registrationIdFromCode,
  searchPeople,
  sha256Base64Url,
} from './door/list.js'
import { byId, createPage, texts } from './door/page.js'
import { offlineFailure, sendRequest } from './door/requests.js'
import { createScanner, playFeedback, unlockAudio } from './door/scanner.js'
import { createStore } from './door/store.js'
import { createSyncQueue } from './door/sync-queue.js'

/** How long a scan waits for the server before the screen says what this phone knows, in milliseconds. */
const answerTimeout = 1_200
const pollInterval = 10_000
/** How long the server is waited for where nothing can be shown without it. */
const requestTimeout = 8_000
/** How long an undo is offered on the card; from the list it is always there. */
const undoWindow = 30_000
/** Scans that no session came for, and the names of walk-ins in them, do not stay on a phone for ever. */
const pendingMaxAge = 7 * 24 * 3600_000
const workerScopes = ['/door', '/in/']

const app = byId('door-app')
const page = app && createPage(app)
const { cardOfCheckIn, cardOfUndo, cardOfState, cardOfLoan, cardOfReturn, cardOfWalkIn, lending } = app
  ? createCards({
      doorNow: () => applyPendingEntries(list, queue.records()),
      page,
      acts: {
        show: showCard,
        undo: undoCheckIn,
        lend: lendBoard,
        giveBack: returnBoard,
        stands: joinDoorQueue,
        leaves: leaveDoorQueue,
      },
    })
  : {}
const tabChannel = 'BroadcastChannel' in window ? new BroadcastChannel('door') : undefined

let store
let queue
let scanner
/** What GET /door/list.json said last, with `askedAt`, `offset` (the server's clock less this phone's) and its `etag`. */
let list
/** Why the list could not be had when it was last asked for, or undefined: see door-server.js. */
let listFailure
/** Who was checked in last: a label that is scanned now is for them. */
let currentPersonId
let currentCard
let isOpen = false
let busy = false
let sessionEnded = false

if (app) start().catch(onUnsupported)

async function start() {
  if (!window.isSecureContext || !window.crypto?.subtle || !window.indexedDB) return page.say('insecure')
  store = await createStore()
  queue = await createSyncQueue({
    store,
    changed: onQueueChanged,
    over: () => endSession('over'),
    another: refreshList,
  })
  await discardExpiredEntries()
  list = await store.list()
  if (list && serverNow() >= Date.parse(list.session.expiresAt)) {
    await store.dropList()
    list = undefined
    if ((await refreshList()) === 'unreached') return endSession('late')
  } else if (!list) {
    if ((await refreshList()) === 'unreached') showNoListNotice()
  } else refreshList()
  if (sessionEnded) return
  bindEvents()
  if (list && !isOpen) openApp()
  const code = /^\/in\/([\w-]+)$/.exec(location.pathname)?.[1]
  history.replaceState(null, '', '/door')
  if (code && list) await onScan(`${location.origin}/in/${code}`)
  await installWorkers()
}

function showNoListNotice() {
  page.say('noList', { why: page.why(listFailure) })
}

/** The browser keeps nothing: the server's page still works. */
function onUnsupported(error) {
  console.error(error)
  page.say('cannot')
}

/** Takes what the list names into use, once there is one. */
function openApp() {
  isOpen = true
  queue.setWorkshop(list.workshop.slug)
  page.open()
  render()
  queue.send()
}

function bindEvents() {
  page.on('search', render)
  page.on('scan', toggleScanner)
  page.on('torch', async () => page.torch(await scanner.torch()))
  page.on('leave', leaveSession)
  page.on('walkIn', dedupeTaps(registerWalkIn))
  page.on('close', () => showCard(undefined))
  page.on('sendAgain', () => queue.send())
  addEventListener('online', () => Promise.all([refreshList(), queue.send()]))
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return
    refreshList()
    queue.send()
  })
  tabChannel?.addEventListener('message', async ({ data }) => {
    if (data === 'over') return endSession('over')
    await queue.reload()
    updateCard([])
  })
  setInterval(tick, 1_000)
  setTimeout(pollList, pollInterval)
}

/** Ends by this phone's own clock, and takes away an undo whose time is over. */
function tick() {
  if (sessionEnded) return
  if (list && serverNow() >= Date.parse(list.session.expiresAt)) endSession('late')
  else if (currentCard?.undoUntil && Date.now() > currentCard.undoUntil)
    showCard({ ...currentCard, undoUntil: undefined, undo: undefined })
}

async function pollList() {
  if (sessionEnded) return
  try {
    if (!document.hidden && (await refreshList()) === 'unreached' && !isOpen) showNoListNotice()
  } finally {
    setTimeout(pollList, pollInterval)
  }
}

/** The server's time, as near as this phone knows. */
function serverNow() {
  return Date.now() + (list?.offset ?? 0)
}

/** Asks for the list. Gives how it went: 'new', 'same', 'unreached' or 'over'. */
async function refreshList() {
  const askedAt = Date.now()
  const headers = list?.etag ? { 'If-None-Match': list.etag } : {}
  const listRequest = await sendRequest('/door/list.json', { cache: 'no-store', headers, limit: requestTimeout })
  const { response: answer, body } = listRequest
  if (sessionEnded || answer?.status === 401) return endSession(list ? 'over' : 'none')
  const isSame = answer?.status === 304
  listFailure = listRequest.failure ?? (isSame || body ? undefined : offlineFailure)
  if (listFailure) {
    page.net(connectionFailure(), queue)
    return 'unreached'
  }
  if (isSame) {
    list.askedAt = askedAt
    updateCard([])
    requestDoorQueueSeats()
    return 'same'
  }
  const otherSession = list && list.session.id !== body.session.id
  const offset = Date.parse(body.now) - (askedAt + Date.now()) / 2
  list = { ...body, askedAt, offset, etag: answer.headers.get('etag') }
  if (otherSession) await queue.drop(queue.records().filter(({ sentAt }) => sentAt))
  await store.putList(list)
  if (!isOpen) openApp()
  else {
    queue.setWorkshop(list.workshop.slug)
    updateCard([])
    queue.send()
  }
  requestDoorQueueSeats()
  return 'new'
}

/** Once there is a seat for who stands at the door: what is sent gives it to them, be it nothing else. What is asked does not. */
function requestDoorQueueSeats() {
  const { counts, workshop } = list
  const start = Date.parse(workshop.startsAt)
  const grace = workshop.graceMinutes === null ? Number.POSITIVE_INFINITY : workshop.graceMinutes * 60_000
  const due = workshop.taken < workshop.capacity ? start : start + grace
  if (counts.standing > 0 && serverNow() >= due) queue.ask()
}

/** Why the server is not connected at the moment, or undefined. */
function connectionFailure() {
  return navigator.onLine ? (queue.failure() ?? listFailure) : offlineFailure
}

/** Something was written down or answered here: other tabs of this phone look again. */
function onQueueChanged(answered) {
  if (answered.length > 0) listFailure = undefined
  updateCard(answered)
  if (!sessionEnded) tabChannel?.postMessage('changed')
}

/** Draws what is different now, and corrects the card whose scan was answered after it was shown. */
function updateCard(answered) {
  if (!list || sessionEnded) return
  if (currentCard?.record && answered.includes(currentCard.record)) {
    const card = currentCard.cardOf(currentCard.record)
    if (card.tone !== currentCard.tone) playFeedback(card.tone)
    const { record, cardOf, undoUntil } = currentCard
    showCard({ record, cardOf, undoUntil, ...card })
  }
  render()
}

function render() {
  const door = applyPendingEntries(list, queue.records())
  page.head(list.workshop, countPeople(door))
  page.net(connectionFailure(), queue)
  page.conflicts(findConflicts(list, queue.records()), door, (record, outcome) => queue.tell(record, outcome))
  page.people(searchPeople(door.people, page.asked()), { choose: onPersonTapped })
}

function showCard(card) {
  currentCard = card
  page.card(card, dedupeTaps)
}

// What is scanned.

const onScan = dedupeTaps(async (text) => {
  if (!list) return
  try {
    const scan = parseScan(text)
    if (scan.kind === 'ticket') await scanTicket(scan.code)
    else if (scan.kind === 'board') await scanBoard(scan.code)
    else showResult({ tone: 'amber', title: texts.strange, lines: [texts.strangeHint] })
  } catch (error) {
    console.error(error)
    showResult({ tone: 'red', title: texts.notSaved, lines: [texts.notSavedHint] })
  }
})

/** One thing after the other: a second tap while the first is on its way is no other board and no other guest. */
function dedupeTaps(act) {
  return async (...asked) => {
    if (busy || sessionEnded) return
    busy = true
    try {
      return await act(...asked)
    } finally {
      busy = false
    }
  }
}

async function scanTicket(code) {
  const hash = await sha256Base64Url(code)
  const find = () => applyPendingEntries(list, queue.records()).people.find((person) => person.code === hash)
  let person = find()
  // Whoever registered a minute ago is on a newer list.
  if (!person && navigator.onLine && (await Promise.race([refreshList(), sleep(answerTimeout * 3)])) === 'new')
    person = find()
  if (person) return checkIn(person)
  const id = registrationIdFromCode(code)
  const known = list.people.find((person) => person.id === id)
  if (known?.status === 'cancelled') return showResult(cardOfState(known))
  if (known) return showResult({ tone: 'amber', title: texts.oldTicket, lines: [texts.oldTicketHint] })
  // The server alone knows the other workshops. No door can check in somebody of another.
  const entry = { kind: 'in', id: crypto.randomUUID(), registration: id, at: serverTimestamp() }
  const { asked, failure } = id ? await queryServer(entry) : {}
  if (asked?.outcome === 'elsewhere') {
    const { title, city, startsAt, timeZone } = asked.workshop
    const where = [title, city, page.day(startsAt, timeZone)].join(' · ')
    return showResult({ tone: 'amber', title: texts.elsewhere, lines: [where, texts.elsewhereHint] })
  }
  if (asked?.outcome === 'cancelled')
    return showResult({ tone: 'amber', title: texts.cancelled, lines: [texts.cancelledHint] })
  const hint = failure ? page.fill(texts.unknownUnasked, { why: page.why(failure) }) : texts.unknownHint
  showResult({ tone: 'amber', title: texts.unknown, lines: [hint] })
}

async function scanBoard(code) {
  const door = applyPendingEntries(list, queue.records())
  const board = door.boards.find((board) => board.code === code)
  if (!board) return showResult({ tone: 'amber', title: texts.noBoard, lines: [texts.noBoardHint] })
  if (board.registration) return showResult(cardOfReturn(board, door))
  const person = door.people.find(({ id }) => id === currentPersonId)
  if (person?.checkedIn && !person.board) return lendBoard(board, person)
  showResult({ tone: 'plain', title: texts.freeBoard, lines: [boardLabel(board), texts.freeBoardHint] })
}

/** One entry that is only a question, and is not kept. Gives { asked } with its result, or { failure }. */
async function queryServer(entry) {
  const { response, body, failure } = await sendRequest('/door/entries', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ workshop: list.workshop.slug, entries: [entry] }),
    limit: answerTimeout * 3,
  })
  if (response?.status === 401) endSession('over')
  return body?.results ? { asked: body.results[0] } : { failure: failure ?? offlineFailure }
}

// What is done.

/** Checks in who may come in, and says of the others why not. */
async function checkIn(person) {
  currentPersonId = person.id
  if (person.checkedIn || !['confirmed', 'offered'].includes(person.status)) return showResult(cardOfState(person))
  await submitEntry({ kind: 'in', registration: person.id }, (record) => cardOfCheckIn(person, record), {
    person: person.name,
  })
}

async function lendBoard(board, person) {
  const entry = { kind: 'lend', board: board.id, registration: person.id }
  await submitEntry(entry, (record) => cardOfLoan(board, person, record), {
    person: person.name,
    board: boardLabel(board),
  })
}

async function returnBoard(board, broken) {
  const done = broken ? texts.returnedBroken : texts.returned
  await submitEntry({ kind: 'return', board: board.id, ...broken }, (record) => ({
    ...(!record.result || record.result.outcome === 'returned'
      ? { tone: 'green', title: done, lines: [boardLabel(board)] }
      : { tone: 'amber', title: texts.notLent, lines: [boardLabel(board)] }),
    saved: record,
  }))
}

async function undoCheckIn(person) {
  await submitEntry({ kind: 'undo', checkIn: person.checkedIn.id }, (record) => cardOfUndo(person, record), {
    person: person.name,
  })
}

async function registerWalkIn({ name, phone }) {
  const saved = await submitEntry({ kind: 'walk_in', name, phone }, (record) => cardOfWalkIn({ name, phone }, record))
  // What the server refuses is to be corrected, not typed again.
  return saved && saved.result?.outcome !== 'invalid'
}

/** Writes an entry down about somebody, waits a moment for the server, and shows what came of it. Gives its record. */
async function submitEntry(entry, cardOf, about) {
  try {
    const record = await queue.add({ id: crypto.randomUUID(), at: serverTimestamp(), ...entry }, about)
    const result = await queue.answer(record, answerTimeout)
    showResult({ record, cardOf, ...cardOf(record), undoUntil: Date.now() + undoWindow })
    // What was seen on the screen is no conflict that waits for somebody.
    if (result) await queue.tell(record, result.outcome)
    return record
  } catch (error) {
    console.error(error)
    showResult({ tone: 'red', title: texts.notSaved, lines: [texts.notSavedHint] })
    return undefined
  }
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

function serverTimestamp() {
  return new Date(serverNow()).toISOString()
}

// What is said.

function showResult(card) {
  if (sessionEnded) return
  playFeedback(card.tone)
  showCard(card)
}

/** Somebody was tapped in the list: who may come in is in, of the others it is shown what can be done. */
const onPersonTapped = dedupeTaps(async (person) => {
  unlockAudio()
  if (!person.checkedIn) return checkIn(person)
  currentPersonId = person.id
  showCard({ ...cardOfState(person), tone: 'plain' })
})

/** Whoever waits for a seat stands here: the server gives them their place in line, or the seat that is free by now. */
async function joinDoorQueue(person) {
  const now = await postDoorQueue('/door/stand', person)
  if (now?.checkedIn) showResult({ tone: 'green', title: texts.in, lines: [personLabel(now)], actions: lending(now) })
  else if (now) showResult({ ...cardOfState(now), tone: now.standing ? 'plain' : 'amber' })
}

/** Whoever stood here has left: the next seat is not for them. */
async function leaveDoorQueue(person) {
  if (await postDoorQueue('/door/leave', person))
    showResult({ tone: 'plain', title: texts.left, lines: [personLabel(person)] })
}

/** What only the server can do about the line at the door. Gives the person as they are then, or says why it was not done. */
async function postDoorQueue(path, person) {
  const body = new URLSearchParams({ registration: person.id })
  const { response, failure } = await sendRequest(path, {
    method: 'POST',
    body,
    redirect: 'manual',
    limit: requestTimeout,
  })
  if (response?.status === 401) return void endSession('over')
  if (failure) {
    const isUnknown = response?.status === 404
    const hint = isUnknown ? texts.notDoneGone : page.fill(texts.notDoneHint, { why: page.why(failure) })
    return void showResult({ tone: 'amber', title: texts.notDone, lines: [personLabel(person), hint] })
  }
  await refreshList()
  return list?.people.find(({ id }) => id === person.id)
}

// The camera.

let scanning = false

async function toggleScanner() {
  unlockAudio()
  if (scanning) return stopScanner()
  scanning = true
  page.camera(true)
  scanner ??= createScanner(byId('door-video'), {
    scanned: onScan,
    busy: () => busy,
    failed: () => scanning && showScannerError('noDecoder'),
  })
  const outcome = await scanner.start()
  // Somebody closed it meanwhile.
  if (!scanning) return scanner.stop()
  if (outcome !== 'started') return showScannerError(outcome)
  page.torch(false, await scanner.hasTorch())
}

function stopScanner() {
  scanner.stop()
  scanning = false
  page.camera(false)
}

/** Closes the camera, says why and offers the search. @param reason 'noCamera' or 'noDecoder' */
function showScannerError(reason) {
  stopScanner()
  const searchByName = () => {
    showCard(undefined)
    byId('door-search').focus()
  }
  const actions = [{ text: texts.searchByName, do: searchByName }]
  showResult({ tone: 'amber', title: texts[reason], lines: [texts[`${reason}Hint`]], actions })
}

// The end.

async function leaveSession() {
  const unsent = queue.unsent().length
  if (unsent > 0 && !confirm(page.fill(texts.leaveUnsent, { n: unsent }))) return
  const options = { method: 'POST', body: new URLSearchParams(), redirect: 'manual', limit: requestTimeout }
  const { response, failure } = await sendRequest('/door/end', options)
  await endSession(!failure || response?.status === 401 ? 'left' : 'leftOffline')
}

/**
 * The session is over: what the phone kept goes, and so do the workers with their caches. Scans that were not sent stay,
 * still encrypted, until a session of the same workshop sends them or somebody throws them away: to lose them silently
 * would be worse.
 */
async function endSession(reason) {
  if (sessionEnded) return 'over'
  sessionEnded = true
  scanner?.stop()
  queue.stop()
  list = undefined
  currentCard = undefined
  const unsent = queue.unsent()
  page.over(reason, unsent.length, async () => {
    await store.destroy()
    page.over(reason, 0)
  })
  tabChannel?.postMessage('over')
  if (unsent.length === 0) await store.destroy()
  else {
    await store.dropList()
    await queue.drop(queue.records().filter(({ sentAt }) => sentAt))
  }
  await uninstallWorkers()
  page.gone()
  return 'over'
}

/** Tells of scans that waited too long for a session, and throws them away. */
async function discardExpiredEntries() {
  const old = queue.unsent().filter(({ savedAt }) => Date.now() - savedAt > pendingMaxAge)
  if (old.length === 0) return
  await queue.drop(old)
  page.say('tooOld', { n: old.length })
}

// The service worker: one script, for the page of the door and for that of a scanned ticket.

async function installWorkers() {
  if (!navigator.serviceWorker || sessionEnded) return
  // Another language is another script, which keeps another page.
  const script = `/door/worker.js?lang=${document.documentElement.lang}`
  await Promise.all(
    workerScopes.map((scope) => navigator.serviceWorker.register(script, { scope, updateViaCache: 'none' })),
  ).catch(console.error)
}

async function uninstallWorkers() {
  const registered = (await navigator.serviceWorker?.getRegistrations()) ?? []
  const ours = registered.filter(({ scope }) => workerScopes.includes(new URL(scope).pathname))
  await Promise.all(ours.map((registration) => registration.unregister()))
  for (const name of (await window.caches?.keys()) ?? []) if (name.startsWith('door ')) await caches.delete(name)
}
