import { and, desc, eq, lt, sql } from 'drizzle-orm'
import { databaseError, query, timestamptz } from '../../db/database.ts'
import {
  type DiscardReason,
  type MailKind,
  type MailPayload,
  type MailReason,
  type MailState,
  mailStates,
  mails,
} from '../../db/schema.ts'
import type { Deps } from '../deps.ts'
import { findOrganisers, type Organiser } from '../organisers/organisers.ts'
import { findPendingSignUps, type PendingSignUp } from '../registrations/pending-sign-ups.ts'
import { findRegistrations, findTickets, type Registration } from '../registrations/registrations.ts'
import { type Broadcast, findBroadcasts } from './broadcasts.ts'

/** An e-mail that is owed to an attendee or organiser, with what is needed to write it. */
export type Mail = {
  id: number
  kind: MailKind
  payload: MailPayload
  createdAt: Date
  messageId: string | null
  /** The Date of the message; null before its first attempt. */
  messageDate: Date | null
  /** Whose mail it is; undefined for one of the kind `held`, and once the person is erased. */
  registration: Registration | undefined
  /** The sign-up that is to be confirmed, for a mail of the kind `held`; undefined once its link is good no longer. */
  held: PendingSignUp | undefined
  /** For a mail to somebody with an account; undefined once that account is gone. */
  organiser: Organiser | undefined
  /** What an organiser wrote, for a mail of the kind `message`. */
  written: Broadcast | undefined
  /** What the code of a mail of the kind `sign_in` is made of. */
  uid: string
  /** All live tickets of the address, for a mail of the kind `found`. */
  tickets: Registration[]
}

/** A mail that can be written: its person is there. */
export type DeliverableMail = Mail &
  ({ registration: Registration } | { held: PendingSignUp } | { organiser: Organiser })

/** Whether there still is somebody whom a mail can be written to. */
export function isDeliverable<Some extends Mail>(mail: Some): mail is Some & DeliverableMail {
  return mail.registration !== undefined || mail.held !== undefined || mail.organiser !== undefined
}

/** A mail that this sender alone may send, until its lease runs out. */
export type ClaimedMail = DeliverableMail & {
  /** Fences off a sender whose lease ran out: what it has to say about this mail no longer counts. */
  attempt: number
  claimedAt: Date
  leasedUntil: Date
  /** Where the 24 hours in which it is tried begin. */
  firstTriedAt: Date
  messageId: string
  messageDate: Date
}

/**
 * Claims mails that are due, the longest due first, and gives up those that no longer make sense.
 * MAIL_RATE is kept here, by what all senders together tried in the last minute; see drizzle/functions/claim_mails.sql.
 * @param limit how many mails at the most
 * @param leaseSeconds after which another sender may claim them
 */
export async function claimDueMails(
  deps: Deps,
  limit: number,
  leaseSeconds: number,
): Promise<{ mails: ClaimedMail[]; givenUp: number }> {
  const claimedAt = deps.now()
  const leasedUntil = new Date(claimedAt.getTime() + leaseSeconds * 1000)
  const claimed = await query<StoredClaim>(
    deps.db,
    sql`
      select id, uid, registration_id, pending_sign_up_id, organiser_id, broadcast_id, kind, payload, state, attempt, created_at, first_tried_at, message_id, message_date
      from claim_mails(
        ${limit}::integer, ${deps.config.mailRate ?? null}::integer, ${timestamptz(claimedAt)}, ${timestamptz(leasedUntil)}, ${senderDomain(deps)}
      )
    `,
  )
  const sendable = claimed.filter((row) => row.state === 'sending').sort((a, b) => Number(a.id) - Number(b.id))
  const mails = await withRecipients(
    deps,
    sendable.map((row) => ({
      id: Number(row.id),
      uid: row.uid,
      kind: row.kind,
      payload: row.payload,
      registrationId: row.registration_id,
      pendingSignUpId: row.pending_sign_up_id,
      organiserId: row.organiser_id,
      broadcastId: row.broadcast_id,
      attempt: row.attempt,
      claimedAt,
      leasedUntil,
      createdAt: new Date(row.created_at),
      firstTriedAt: new Date(row.first_tried_at),
      messageId: row.message_id,
      messageDate: new Date(row.message_date),
    })),
  )
  return {
    // Who was erased between the two statements has no mail left to send: erasing has ended it.
    mails: mails.filter(isDeliverable),
    givenUp: claimed.length - sendable.length,
  }
}

/** What became of an attempt to send a mail. Reasons are short and name nobody. */
export type DeliveryOutcome =
  | { kind: 'sent' }
  /** This mail could not be delivered now. `contentRefused`: a server refused its content. */
  | { kind: 'again'; reason: string; code?: 'render_failed'; contentRefused?: true }
  /** A server refused this recipient for good, or the mail was tried for too long. */
  | { kind: 'dead'; reason: string; code?: 'render_failed' | 'retries_exhausted'; contentRefused?: true }
  /** It was not tried, or no mail can be delivered now: for this one it counts as if it had not been tried. */
  | { kind: 'postponed'; reason?: string; until: Date }

/** What of a claimed mail tells which attempt an outcome belongs to. */
export type DeliveryAttempt = Pick<ClaimedMail, 'id' | 'attempt' | 'claimedAt' | 'firstTriedAt'>

/**
 * What was recorded of an attempt. `pause`: of delivery, or of the message if `ofMessage`: whether this outcome began it,
 * changed nothing about it, or ended it.
 */
export type RecordedOutcome = {
  kind: DeliveryOutcome['kind']
  pause: 'paused' | 'kept' | 'resumed' | null
  ofMessage: boolean
}

/**
 * Records what became of claimed mails, in one statement; `again` becomes `dead` once a mail was tried for 24 hours.
 * Counts refusals of content, and pauses what is refused too often; see drizzle/functions/record_outcomes.sql.
 * @param attempts in the order in which they ended
 * @returns what was recorded of each, or undefined if another sender has claimed the mail since
 */
export async function recordOutcomes(
  deps: Deps,
  attempts: { mail: DeliveryAttempt; outcome: DeliveryOutcome }[],
): Promise<(RecordedOutcome | undefined)[]> {
  const now = deps.now()
  const finalOutcomes = attempts.map(({ mail, outcome }) => ({ mail, outcome: finalOutcome(mail, outcome, now) }))
  const outcomes = JSON.stringify(
    finalOutcomes.map(({ mail, outcome }) => ({
      id: mail.id,
      attempt: mail.attempt,
      ...outcomeUpdate(outcome, mail, now),
    })),
  )
  const recorded = await query<{ mail_id: number | string; pause: RecordedOutcome['pause']; of_broadcast: boolean }>(
    deps.db,
    sql`select mail_id, pause, of_broadcast from record_outcomes(${outcomes}::jsonb, ${timestamptz(now)})`,
  )
  const found = new Map(recorded.map((row) => [Number(row.mail_id), row]))
  return finalOutcomes.map(({ mail, outcome }) => {
    const row = found.get(mail.id)
    if (!row) return undefined
    const deferred = outcome.kind === 'again' && (row.pause === 'paused' || row.pause === 'kept')
    return { kind: deferred ? 'postponed' : outcome.kind, pause: row.pause, ofMessage: row.of_broadcast }
  })
}

/**
 * When a mail that failed is tried again: 1, 5, 15, 30 minutes after one another, then every hour, the last time 24
 * hours after the first. Undefined after that.
 */
function nextAttemptAt(firstTriedAt: Date, now: Date): Date | undefined {
  const end = firstTriedAt.getTime() + 24 * 60 * minuteMs
  if (now.getTime() >= end) return undefined
  const elapsed = now.getTime() - firstTriedAt.getTime()
  // After the first try, one minute later, five minutes after that, and so on.
  const delayMinutes =
    elapsed < minuteMs
      ? 1
      : elapsed < 6 * minuteMs
        ? 5
        : elapsed < 21 * minuteMs
          ? 15
          : elapsed < 51 * minuteMs
            ? 30
            : 60
  return new Date(Math.min(now.getTime() + delayMinutes * minuteMs, end))
}

/**
 * When the next mail may be tried, or undefined if none is owed. Mails being sent are due when their lease runs out; those
 * of paused messages are not counted.
 */
export async function nextMailDueAt(deps: Deps): Promise<Date | undefined> {
  const [row] = await query<{ due_at: string | Date | null }>(
    deps.db,
    sql`select case when next.due_at is not null then greatest(next.due_at, (
          select probe_at from content_refusals where broadcast_id is null and paused_at is not null
        )) end as due_at
        from (select min(due_at) as due_at from mails where state in ('pending', 'sending') and ${isNotPaused}) next`,
  )
  return row?.due_at ? new Date(row.due_at) : undefined
}

/** Of a mail: whether it does not belong to a message that is paused. */
export const isNotPaused = sql`(
  broadcast_id is null
  or broadcast_id <> all (array(select broadcast_id from content_refusals where broadcast_id is not null and paused_at is not null))
)`

/** Why and since when delivery is paused: the server refused the content of five mails in a row. */
export type DeliveryPause = { since: Date; reason: string }

/** The pause of delivery, or undefined if mails go out. */
export async function findDeliveryPause(deps: Deps): Promise<DeliveryPause | undefined> {
  const [pause] = await query<{ since: string | Date; reason: string }>(
    deps.db,
    sql`select paused_at as since, last_error as reason from content_refusals where broadcast_id is null and paused_at is not null`,
  )
  return pause && { since: new Date(pause.since), reason: pause.reason }
}

/** `not_dead`: it was sent or waits, or another one says the same. `message_paused`: it is sent again with its message. */
export type RetryOutcome = 'owed' | 'not_dead' | 'message_paused' | 'not_found'

/** Sends a dead mail again, with a new 24 hours. */
export async function retryMail(deps: Deps, id: number): Promise<RetryOutcome> {
  const retried = await query(
    deps.db,
    sql`update mails set state = 'pending', due_at = ${timestamptz(deps.now())}, first_tried_at = null, reason = null, last_error = null,
          refusals = 0
        where id = ${id} and state = 'dead' and ${isNotPaused} returning id`,
  ).catch((error) => {
    // Of a reminder that became pointless and was owed anew.
    if (databaseError(error)?.constraint === 'mails_reminders_once') return []
    throw error
  })
  if (retried.length > 0) {
    deps.notifyMailQueue()
    return 'owed'
  }
  const [mail] = await query<{ paused: boolean }>(
    deps.db,
    sql`select state = 'dead' and not ${isNotPaused} as paused from mails where id = ${id}`,
  )
  if (!mail) return 'not_found'
  return mail.paused ? 'message_paused' : 'not_dead'
}

/** The reasons as the API and the console show them, in English. */
const reasonTexts: Record<DiscardReason | 'render_failed', string> = {
  link_expired: 'its link is good no longer',
  person_erased: 'the person was erased',
  no_ticket: 'no ticket is left to send',
  workshop_over: 'the workshop is over',
  registration_cancelled: 'the registration was cancelled since',
  promoted: 'promoted since',
  offer_accepted: 'taken since',
  offer_expired: 'not taken in time',
  reopened: 'opened again since',
  reclosed: 'closed again since',
  changed_again: 'changed again since',
  moved_again: 'moved again since',
  address_corrected: 'superseded by a corrected address',
  moved: 'superseded by a move',
  board_returned: 'the board came back since',
  rescheduled: 'its time is another since',
  too_late: 'too late for it',
  already_ready: 'ready since',
  already_confirmed: 'said so since',
  reminder_disabled: 'switched off since',
  did_not_attend: 'did not come after all',
  attended: 'came after all',
  render_failed: 'the mail could not be written',
}

/** Why a mail was discarded, or its last attempt failed, in English; null for neither. */
export function describeReason({
  state,
  reason,
  lastError,
}: {
  state: MailState | DisplayState
  reason: MailReason | null
  lastError: string | null
}): string | null {
  if (!reason) return lastError
  const text = reason === 'retries_exhausted' ? (lastError ?? '') : reasonTexts[reason]
  const failedFor24Hours = reason === 'retries_exhausted' || (reason === 'render_failed' && state === 'dead')
  return failedFor24Hours ? `given up after 24 hours: ${text}` : text
}

/** `held`: owed, but there is no mail server to give it to. It is not stored: with SMTP_URL set it is `pending`. */
export const displayStates = [...mailStates, 'held'] as const
export type DisplayState = (typeof displayStates)[number]

/**
 * How many mails there are in each state, and for how many seconds the oldest one that is still owed has waited; at most
 * a second old, because it counts them all. Mails of paused messages do not count as waiting.
 */
export async function countMails(
  deps: Deps,
): Promise<{ states: Record<DisplayState, number>; oldestDueSeconds: number }> {
  return deps.cache('mails', async () => {
    const counted = await query<{ state: MailState; n: number; oldest: string | Date | null }>(
      deps.db,
      sql`select state, count(*)::int as n, min(created_at) filter (where ${isNotPaused}) as oldest from mails group by state`,
    )
    const states = { pending: 0, held: 0, sending: 0, sent: 0, dead: 0 }
    const now = deps.now().getTime()
    let oldest = now
    for (const row of counted) {
      states[displayState(deps, row.state)] += row.n
      if (row.oldest && (row.state === 'pending' || row.state === 'sending'))
        oldest = Math.min(oldest, new Date(row.oldest).getTime())
    }
    return { states, oldestDueSeconds: Math.round((now - oldest) / 1000) }
  })
}

export type ListedMail = Mail & {
  registrationId: string | null
  state: DisplayState
  attempt: number
  sentAt: Date | null
  /** As `describeReason` gives it. */
  reason: string | null
  reasonCode: MailReason | null
  lastError: string | null
}

/**
 * A page of mails, the newest first. `before`: the id of the last one of the page before. `broadcastId`: only those of a
 * message.
 */
export async function listMails(
  deps: Deps,
  {
    state,
    broadcastId,
    before,
    limit = 50,
  }: {
    state?: DisplayState | undefined
    broadcastId?: string | undefined
    before?: number | undefined
    limit?: number
  } = {},
): Promise<ListedMail[]> {
  const stored = state && storedState(deps, state)
  if (stored === 'none') return []
  const found = await deps.db
    .select()
    .from(mails)
    .where(
      and(
        stored && eq(mails.state, stored),
        broadcastId ? eq(mails.broadcastId, broadcastId) : undefined,
        before ? lt(mails.id, before) : undefined,
      ),
    )
    .orderBy(desc(mails.id))
    .limit(limit)
  return withRecipients(
    deps,
    found.map((mail) => ({
      ...mail,
      state: displayState(deps, mail.state),
      reason: describeReason(mail),
      reasonCode: mail.reason,
    })),
  )
}

/** One mail, or undefined. */
export async function findMail(deps: Deps, id: number): Promise<ListedMail | undefined> {
  const [mail] = await listMails(deps, { before: id + 1, limit: 1 })
  return mail?.id === id ? mail : undefined
}

const minuteMs = 60_000

type StoredClaim = {
  id: number | string
  uid: string
  registration_id: string | null
  pending_sign_up_id: string | null
  organiser_id: string | null
  broadcast_id: string | null
  kind: MailKind
  payload: MailPayload
  state: MailState
  attempt: number
  created_at: string | Date
  first_tried_at: string | Date
  message_id: string
  message_date: string | Date
}

function finalOutcome(mail: DeliveryAttempt, outcome: DeliveryOutcome, now: Date): DeliveryOutcome {
  return outcome.kind === 'again' && !nextAttemptAt(mail.firstTriedAt, now)
    ? { ...outcome, kind: 'dead', code: outcome.code ?? 'retries_exhausted' }
    : outcome
}

const failure = ({ reason, code }: { reason: string; code?: MailReason }) => ({
  reason: code,
  last_error: code === 'render_failed' ? undefined : reason,
})

/** What an outcome means for the mail's row. */
function outcomeUpdate(outcome: DeliveryOutcome, attempt: DeliveryAttempt, now: Date) {
  switch (outcome.kind) {
    case 'sent':
      return { state: 'sent', sent_at: now }
    case 'again':
      return {
        state: 'pending',
        due_at: nextAttemptAt(attempt.firstTriedAt, now),
        ...failure(outcome),
        refused_at: outcome.contentRefused && attempt.claimedAt,
      }
    case 'dead':
      return { state: 'dead', ...failure(outcome), refused_at: outcome.contentRefused && attempt.claimedAt }
    case 'postponed':
      return { state: 'pending', due_at: outcome.until, last_error: outcome.reason, deferred_since: attempt.claimedAt }
  }
}

/** Adds to each mail whose it is, and for `found` the tickets it lists. */
async function withRecipients<
  Row extends Pick<
    typeof mails.$inferSelect,
    'registrationId' | 'pendingSignUpId' | 'organiserId' | 'broadcastId' | 'kind'
  >,
>(
  deps: Deps,
  mailRows: Row[],
): Promise<(Row & Pick<Mail, 'registration' | 'held' | 'organiser' | 'written' | 'tickets'>)[]> {
  const registrations = await findRegistrations(
    deps,
    mailRows.flatMap(({ registrationId }) => registrationId ?? []),
  )
  const registrationsById = new Map(registrations.map((registration) => [registration.id, registration]))
  const pendingSignUps = await findPendingSignUps(
    deps,
    mailRows.flatMap(({ pendingSignUpId }) => pendingSignUpId ?? []),
  )
  const pendingById = new Map(pendingSignUps.map((pending) => [pending.id, pending]))
  const organiserRows = await findOrganisers(
    deps,
    mailRows.flatMap(({ organiserId }) => organiserId ?? []),
  )
  const broadcasts = await findBroadcasts(deps, [...new Set(mailRows.flatMap(({ broadcastId }) => broadcastId ?? []))])
  const organisers = new Map(organiserRows.map((organiser) => [organiser.id, organiser]))
  const ticketEmails = mailRows.flatMap((mail) =>
    mail.kind === 'found' ? (registrationsById.get(mail.registrationId ?? '')?.email ?? []) : [],
  )
  const tickets = await findTickets(deps, ticketEmails)
  return mailRows.map((mail) => {
    const registration = registrationsById.get(mail.registrationId ?? '')
    const mailbox = registration?.email.toLowerCase()
    return {
      ...mail,
      registration,
      held: pendingById.get(mail.pendingSignUpId ?? ''),
      organiser: organisers.get(mail.organiserId ?? ''),
      written: broadcasts.find(({ id }) => id === mail.broadcastId),
      tickets: mail.kind === 'found' ? tickets.filter(({ email }) => email.toLowerCase() === mailbox) : [],
    }
  })
}

/** The state in which a stored one is shown. */
export function displayState(deps: Deps, state: MailState): DisplayState {
  return state === 'pending' && !deps.config.smtpUrl ? 'held' : state
}

/** The state in which mails are stored that are shown in this one; `none` where none are shown in it. */
function storedState(deps: Deps, display: DisplayState): MailState | 'none' {
  if (display !== 'held' && display !== 'pending') return display
  return displayState(deps, 'pending') === display ? 'pending' : 'none'
}

function senderDomain(deps: Deps): string {
  return /@([^\s<>@]+)>?$/.exec(deps.config.mailFrom)?.[1] ?? 'localhost'
}
