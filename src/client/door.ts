// The check-in app on a helper's phone: what the server's page does, with the camera, and without a network. Pages without
// HTTPS have neither camera nor storage; there the server's page stays.
// Over 400 lines, because everything here shares the state of the page: list, queue, card and session.
import { doorQueueDueAt } from '../domain/door/queue.ts'
import { searchDoorPeople } from '../domain/door/search.ts'
import { holdsSeat } from '../domain/registrations/status.ts'
import type { DoorEntryResults, DoorList } from '../web/door/sync.ts'
import { createCards } from './door/cards.ts'
import type { Board, Entry, EntryKind, EntryRecord, Person, PersonRef, StoredList } from './door/entries.ts'
import { playFeedback, unlockAudio } from './door/feedback.ts'
import {
  applyPendingEntries,
  countPeople,
  findConflicts,
  parseScan,
  registrationIdFromCode,
  sha256Base64Url,
} from './door/list.ts'
import { boardLabel, byId, type Card, createPage, type EndReason, personLabel, texts } from './door/page.ts'
import { type Failure, offlineFailure, sendRequest } from './door/requests.ts'
import { createScanner, type Scanner } from './door/scanner.ts'
import { installServiceWorker, uninstallServiceWorker } from './door/service-worker.ts'
import { createStore, type Store } from './door/store.ts'
import { createSyncQueue, type SyncQueue } from './door/sync-queue.ts'

// In milliseconds.
/** How long a scan waits for the server's result before the card shows what this phone knows. */
const resultTimeout = 1_200
const pollInterval = 10_000
/** For requests without whose response nothing can be shown. */
const requestTimeout = 8_000
/** For requests about a ticket that is not on the list. */
const lookupTimeout = 3 * resultTimeout
/** How long a card offers undo; the list always does. */
const undoWindow = 30_000
/** Entries for which no session came, and the names of walk-ins in them, are deleted after this. */
const pendingMaxAge = 7 * 24 * 3600_000

/** A card with the entry it shows, and how to render it again once that has a result. */
type CurrentCard = Card & { record?: EntryRecord; render?: () => Card; undoUntil?: number | undefined }

/** What a list request led to. `unreached`: no list; `over`: no session. */
type ListOutcome = 'new' | 'same' | 'unreached' | 'over'

const page = createPage()
const cards = createCards({
  currentState,
  page,
  actions: {
    show: showCard,
    undo: undoCheckIn,
    lend: lendBoard,
    returnBoard,
    joinQueue: joinDoorQueue,
    leaveQueue: leaveDoorQueue,
  },
})
const tabChannel = 'BroadcastChannel' in window ? new BroadcastChannel('door') : undefined

let store: Store
let queue: SyncQueue
let scanner: Scanner | undefined
let list: StoredList | undefined
/** Why the last list request failed, or undefined. */
let listFailure: Failure | undefined
/** The person checked in last: a board that is scanned next is for them. */
let currentPersonId: string | undefined
let currentCard: CurrentCard | undefined
let isOpen = false
let isBusy = false
let isScanning = false
let sessionEnded = false

// A page without a session has no form to end it, and needs no script.
if (byId('door-app') && byId('door-leave')) start().catch(onUnsupported)

async function start(): Promise<void> {
  if (!window.isSecureContext || !window.crypto?.subtle || !window.indexedDB) return page.showNotice('insecure')
  store = await createStore()
  queue = await createSyncQueue({
    store,
    onChange: onQueueChanged,
    onSessionEnded: () => endSession('over'),
    onWorkshopChanged: refreshList,
  })
  await discardExpiredEntries()
  list = await store.list()
  if (list && isExpired(list)) {
    await store.deleteList()
    list = undefined
    if ((await refreshList()) === 'unreached') return void endSession('late')
  } else if (!list) {
    if ((await refreshList()) === 'unreached') showNoListNotice()
  } else refreshList()
  if (sessionEnded) return
  bindEvents()
  if (list && !isOpen) openApp(list)
  const code = /^\/in\/([\w-]+)$/.exec(location.pathname)?.[1]
  history.replaceState(null, '', '/door')
  if (code && list) await onScan(`${location.origin}/in/${code}`)
  if (!sessionEnded) await installServiceWorker()
}

function showNoListNotice(): void {
  page.showNotice('noList', { why: page.explain(listFailure ?? offlineFailure) })
}

/** The browser stores nothing: the server's page still works. */
function onUnsupported(error: unknown): void {
  console.error(error)
  page.showNotice('cannot')
}

/** Opens the app once there is a list. */
function openApp(opened: StoredList): void {
  isOpen = true
  queue.setWorkshop(opened.workshop.slug)
  page.open()
  render()
  queue.send()
}

function bindEvents(): void {
  page.bind({
    search: render,
    scan: toggleScanner,
    torch: async () => page.showTorch((await scanner?.toggleTorch()) ?? false),
    leave: leaveSession,
    walkIn: dedupeTaps(registerWalkIn),
    closeCard: () => showCard(undefined),
    sendAgain: () => queue.send(),
  })
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

/** Ends the session by this phone's clock, and removes an undo button whose time is over. */
function tick(): void {
  if (sessionEnded) return
  if (list && isExpired(list)) endSession('late')
  else if (currentCard?.undoUntil && Date.now() > currentCard.undoUntil)
    showCard({ ...currentCard, undoUntil: undefined, undo: undefined })
}

async function pollList(): Promise<void> {
  if (sessionEnded) return
  try {
    if (!document.hidden && (await refreshList()) === 'unreached' && !isOpen) showNoListNotice()
  } finally {
    setTimeout(pollList, pollInterval)
  }
}

/** The server's time in milliseconds, estimated from the last list. */
function serverNow(): number {
  return Date.now() + (list?.offset ?? 0)
}

function serverTimestamp(): string {
  return new Date(serverNow()).toISOString()
}

function isExpired({ session }: StoredList): boolean {
  return serverNow() >= Date.parse(session.expiresAt)
}

/** The list with the pending entries. Only called once there is a list. */
function currentState() {
  return applyPendingEntries(list as StoredList, queue.records())
}

async function refreshList(): Promise<ListOutcome> {
  const askedAt = Date.now()
  const headers: Record<string, string> = list?.etag ? { 'If-None-Match': list.etag } : {}
  const { response, body, failure } = await sendRequest<DoorList>('/door/list.json', {
    cache: 'no-store',
    headers,
    timeout: requestTimeout,
  })
  if (sessionEnded || response?.status === 401) return endSession(list ? 'over' : 'none')
  const isSame = response?.status === 304
  listFailure = failure ?? (isSame || body ? undefined : offlineFailure)
  if (listFailure) {
    page.showConnection(connectionFailure(), queue)
    return 'unreached'
  }
  if (list && isSame) {
    list.askedAt = askedAt
    updateCard([])
    seatDoorQueue(list)
    return 'same'
  }
  const received = body as DoorList
  const isOtherSession = list && list.session.id !== received.session.id
  const offset = Date.parse(received.now) - (askedAt + Date.now()) / 2
  list = { ...received, askedAt, offset, etag: response?.headers.get('etag') ?? null }
  if (isOtherSession) await queue.discard(sentEntries())
  await store.saveList(list)
  if (!isOpen) openApp(list)
  else {
    queue.setWorkshop(list.workshop.slug)
    updateCard([])
    queue.send()
  }
  seatDoorQueue(list)
  return 'new'
}

function sentEntries(): EntryRecord[] {
  return queue.records().filter(({ sentAt }) => sentAt)
}

/** Pings the server once the door queue may get a seat: it seats people when entries are posted, not for the list. */
function seatDoorQueue({ counts, workshop }: StoredList): void {
  if (counts.standing > 0 && serverNow() >= doorQueueDueAt(workshop, new Date(workshop.startsAt))) queue.ping()
}

/** Why the server is not reachable at the moment, or undefined. */
function connectionFailure(): Failure | undefined {
  return navigator.onLine ? (queue.failure() ?? listFailure) : offlineFailure
}

/** Entries were stored or sent here: other tabs reload them. */
function onQueueChanged(answered: readonly EntryRecord[]): void {
  if (answered.length > 0) listFailure = undefined
  updateCard(answered)
  if (!sessionEnded) tabChannel?.postMessage('changed')
}

/** Draws the current state, and the card again if its entry got a result after it was shown. */
function updateCard(answered: readonly EntryRecord[]): void {
  if (!list || sessionEnded) return
  if (currentCard?.record && currentCard.render && answered.includes(currentCard.record)) {
    const card = currentCard.render()
    if (card.tone !== currentCard.tone) playFeedback(card.tone)
    const { record, render, undoUntil } = currentCard
    showCard({ record, render, undoUntil, ...card })
  }
  render()
}

function render(): void {
  if (!list) return
  const state = currentState()
  page.showHeader(list.workshop, countPeople(state))
  page.showConnection(connectionFailure(), queue)
  page.showConflicts(findConflicts(list, queue.records()), state, queue.markSeen)
  page.showPeople(searchDoorPeople(state.people, page.searchText()), onPersonTapped)
}

function showCard(card: CurrentCard | undefined): void {
  currentCard = card
  page.showCard(card, dedupeTaps)
}

// Scans

const onScan = dedupeTaps(async (text: string) => {
  if (!list) return
  try {
    const scan = parseScan(text)
    if (scan.kind === 'ticket') await scanTicket(scan.code)
    else if (scan.kind === 'board') await scanBoard(scan.code)
    else showResult({ tone: 'amber', title: texts.strange, lines: [texts.strangeHint] })
  } catch (error) {
    onNotSaved(error)
  }
})

function onNotSaved(error: unknown): void {
  console.error(error)
  showResult({ tone: 'red', title: texts.notSaved, lines: [texts.notSavedHint] })
}

/** Ignores taps and scans while the one before is being processed: a second tap is not another board or person. */
function dedupeTaps<Args extends unknown[], Result>(act: (...args: Args) => Result | Promise<Result>) {
  return async (...args: Args): Promise<Result | undefined> => {
    if (isBusy || sessionEnded) return
    isBusy = true
    try {
      return await act(...args)
    } finally {
      isBusy = false
    }
  }
}

async function scanTicket(code: string): Promise<void> {
  const hash = await sha256Base64Url(code)
  const findByHash = () => currentState().people.find((person) => person.code === hash)
  let person = findByHash()
  // A registration of the last minute is on a newer list.
  if (!person && navigator.onLine && (await Promise.race([refreshList(), sleep(lookupTimeout)])) === 'new')
    person = findByHash()
  if (person) return checkIn(person)
  const id = registrationIdFromCode(code)
  const known = list?.people.find((person) => person.id === id)
  if (known?.status === 'cancelled') return showResult(cards.personCard(known))
  if (known) return showResult({ tone: 'amber', title: texts.oldTicket, lines: [texts.oldTicketHint] })
  // Only the server knows the other workshops. No door can check in a person of another workshop.
  const { result, failure } = id ? await lookUpTicket(id) : {}
  if (result?.outcome === 'elsewhere') {
    const { title, city, startsAt, timeZone } = result.workshop
    const workshop = [title, city, page.formatDay(startsAt, timeZone)].join(' · ')
    return showResult({ tone: 'amber', title: texts.elsewhere, lines: [workshop, texts.elsewhereHint] })
  }
  if (result?.outcome === 'cancelled')
    return showResult({ tone: 'amber', title: texts.cancelled, lines: [texts.cancelledHint] })
  const hint = failure ? page.formatText(texts.unknownUnasked, { why: page.explain(failure) }) : texts.unknownHint
  showResult({ tone: 'amber', title: texts.unknown, lines: [hint] })
}

async function scanBoard(code: string): Promise<void> {
  const state = currentState()
  const board = state.boards.find((board) => board.code === code)
  if (!board) return showResult({ tone: 'amber', title: texts.noBoard, lines: [texts.noBoardHint] })
  if (board.registration) return showResult(cards.returnCard(board, state))
  const person = state.people.find(({ id }) => id === currentPersonId)
  if (person?.checkedIn && !person.board) return lendBoard(board, person)
  showResult({ tone: 'plain', title: texts.freeBoard, lines: [boardLabel(board), texts.freeBoardHint] })
}

/** Asks the server about a registration that is not on the list, by an entry that is not stored. */
async function lookUpTicket(id: string): Promise<{ result?: DoorEntryResults['in']; failure?: Failure }> {
  const entry: Entry<'in'> = { kind: 'in', id: crypto.randomUUID(), registration: id, at: serverTimestamp() }
  const { response, body, failure } = await sendRequest<{ results?: [DoorEntryResults['in']] }>('/door/entries', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ workshop: list?.workshop.slug, entries: [entry] }),
    timeout: lookupTimeout,
  })
  if (response?.status === 401) endSession('over')
  return body?.results ? { result: body.results[0] } : { failure: failure ?? offlineFailure }
}

// Entries

/** Checks in a person with a seat, and shows the reason for any other. */
async function checkIn(person: Person): Promise<void> {
  currentPersonId = person.id
  if (person.checkedIn || !holdsSeat(person)) return showResult(cards.personCard(person))
  await submitEntry({ kind: 'in', registration: person.id }, (record) => cards.checkInCard(person, record), {
    person: person.name,
  })
}

async function undoCheckIn(name: string, checkIn: string): Promise<void> {
  await submitEntry({ kind: 'undo', checkIn }, (record) => cards.undoCard(name, record), { person: name })
}

async function lendBoard(board: Board, person: PersonRef): Promise<void> {
  const entry = { kind: 'lend', board: board.id, registration: person.id } as const
  await submitEntry(entry, (record) => cards.loanCard(board, person, record), {
    person: person.name,
    board: boardLabel(board),
  })
}

async function returnBoard(board: Pick<Board, 'id' | 'kind' | 'serial'>, broken?: { note: string }): Promise<void> {
  const entry = {
    kind: 'return',
    board: board.id,
    ...(broken && { broken: true, ...(broken.note && broken) }),
  } as const
  await submitEntry(entry, (record) => ({
    ...(!record.result || record.result.outcome === 'returned'
      ? { tone: 'green', title: broken ? texts.returnedBroken : texts.returned }
      : { tone: 'amber', title: texts.notLent }),
    lines: [boardLabel(board)],
    saved: record,
  }))
}

/** Returns true if the form is to be cleared: what the server finds invalid stays, to be corrected. */
async function registerWalkIn({ name, phone }: { name: string; phone: string }): Promise<boolean> {
  const entry = { kind: 'walk_in', name, phone } as const
  const record = await submitEntry(entry, (record) => cards.walkInCard({ name, phone }, record))
  return record !== undefined && record.result?.outcome !== 'invalid'
}

/**
 * Stores an entry, waits a moment for its result, and shows the card.
 * @param about names for the conflict that it may become
 * @returns its record; undefined if it could not be stored
 */
async function submitEntry<Kind extends EntryKind>(
  entry: { kind: Kind } & Omit<Entry<Kind>, 'kind' | 'id' | 'at'>,
  createCard: (record: EntryRecord<Kind>) => Card,
  about?: EntryRecord['about'],
): Promise<EntryRecord<Kind> | undefined> {
  try {
    const complete = { id: crypto.randomUUID(), at: serverTimestamp(), ...entry } as unknown as Entry<Kind>
    const record = await queue.add(complete, about)
    const result = await queue.waitForResult(record as EntryRecord, resultTimeout)
    const render = () => createCard(record)
    showResult({ record: record as EntryRecord, render, ...render(), undoUntil: Date.now() + undoWindow })
    // A result that was on the card is no unseen conflict.
    if (result) await queue.markSeen(record as EntryRecord, result.outcome)
    return record
  } catch (error) {
    onNotSaved(error)
    return undefined
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

function showResult(card: CurrentCard): void {
  if (sessionEnded) return
  playFeedback(card.tone)
  showCard(card)
}

/** Checks in a person who was tapped in the list, or shows what can be done for them. */
const onPersonTapped = dedupeTaps(async (person: Person) => {
  unlockAudio()
  if (!person.checkedIn) return checkIn(person)
  currentPersonId = person.id
  showCard({ ...cards.personCard(person), tone: 'plain' })
})

// The door queue

/** The server gives a waitlisted person a place in the door queue, or the seat that has become free. */
async function joinDoorQueue(person: PersonRef): Promise<void> {
  const now = await postDoorQueue('/door/stand', person)
  if (now?.checkedIn)
    showResult({ tone: 'green', title: texts.in, lines: [personLabel(now)], actions: cards.boardActions(now) })
  else if (now) showResult({ ...cards.personCard(now), tone: now.standing ? 'plain' : 'amber' })
}

async function leaveDoorQueue(person: PersonRef): Promise<void> {
  if (await postDoorQueue('/door/leave', person))
    showResult({ tone: 'plain', title: texts.left, lines: [personLabel(person)] })
}

/** Changes the door queue, which only the server can do. Returns the person afterwards, or shows why it failed. */
async function postDoorQueue(path: string, person: PersonRef): Promise<Person | undefined> {
  const { response, failure } = await sendRequest(path, {
    method: 'POST',
    body: new URLSearchParams({ registration: person.id }),
    redirect: 'manual',
    timeout: requestTimeout,
  })
  if (response?.status === 401) return void endSession('over')
  if (failure) {
    const isUnknown = response?.status === 404
    const hint = isUnknown ? texts.notDoneGone : page.formatText(texts.notDoneHint, { why: page.explain(failure) })
    return void showResult({ tone: 'amber', title: texts.notDone, lines: [personLabel(person), hint] })
  }
  await refreshList()
  return list?.people.find(({ id }) => id === person.id)
}

// The camera

async function toggleScanner(): Promise<void> {
  unlockAudio()
  if (isScanning) return stopScanner()
  isScanning = true
  page.showCamera(true)
  scanner ??= createScanner(byId<HTMLVideoElement>('door-video'), {
    onScan,
    isBusy: () => isBusy,
    onFailure: () => isScanning && showScannerError('noDecoder'),
  })
  const outcome = await scanner.start()
  // It was closed meanwhile.
  if (!isScanning) return scanner.stop()
  if (outcome !== 'started') return showScannerError(outcome)
  page.showTorch(false, await scanner.hasTorch())
}

function stopScanner(): void {
  scanner?.stop()
  isScanning = false
  page.showCamera(false)
}

/** Closes the camera, shows the reason and offers the search. */
function showScannerError(reason: 'noCamera' | 'noDecoder'): void {
  stopScanner()
  const run = () => {
    showCard(undefined)
    byId('door-search').focus()
  }
  const actions = [{ text: texts.searchByName, run }]
  showResult({ tone: 'amber', title: texts[reason], lines: [texts[`${reason}Hint`]], actions })
}

// The end of the session

async function leaveSession(): Promise<void> {
  const pending = queue.pendingEntries().length
  if (pending > 0 && !confirm(page.formatText(texts.leaveUnsent, { n: pending }))) return
  const { response, failure } = await sendRequest('/door/end', {
    method: 'POST',
    body: new URLSearchParams(),
    redirect: 'manual',
    timeout: requestTimeout,
  })
  await endSession(!failure || response?.status === 401 ? 'left' : 'leftOffline')
}

/**
 * Deletes what the phone stores, the service worker and its caches. Pending entries stay, encrypted, until a session of the
 * same workshop sends them or a helper deletes them: losing them silently would be worse.
 */
async function endSession(reason: EndReason): Promise<'over'> {
  if (sessionEnded) return 'over'
  sessionEnded = true
  scanner?.stop()
  queue.stop()
  list = undefined
  currentCard = undefined
  const pending = queue.pendingEntries().length
  page.showEnded(reason, pending, async () => {
    await store.destroy()
    page.showEnded(reason, 0)
  })
  tabChannel?.postMessage('over')
  if (pending === 0) await store.destroy()
  else {
    await store.deleteList()
    await queue.discard(sentEntries())
  }
  await uninstallServiceWorker()
  return 'over'
}

/** Deletes pending entries that are too old, with a notice. */
async function discardExpiredEntries(): Promise<void> {
  const expired = queue.pendingEntries().filter(({ savedAt }) => Date.now() - savedAt > pendingMaxAge)
  if (expired.length === 0) return
  await queue.discard(expired)
  page.showNotice('tooOld', { n: expired.length })
}
