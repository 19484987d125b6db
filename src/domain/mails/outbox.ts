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

/*
 * The outbox. Mails are enqueued in the transaction that causes them; the delivery worker claims
 * mails and records the outcomes.
 *
 * Over 400 lines: claiming, recording and listing share the rows and the rules for retries and pauses.
 */

/** A stored mail to an attendee or organiser, with the data needed to render it. */
export type Mail = {
  id: number
  kind: MailKind
  payload: MailPayload
  createdAt: Date
  messageId: string | null
  /** Date header of the message; null before the first attempt. */
  messageDate: Date | null
  /** The recipient; undefined for kind `held`, for mails to organisers, and once erased. */
  registration: Registration | undefined
  /** The pending sign-up, for kind `held`; undefined once its link has expired. */
  held: PendingSignUp | undefined
  /** The recipient of mails to organisers; undefined once the account was deleted. */
  organiser: Organiser | undefined
  /** The broadcast, for kind `message`. */
  written: Broadcast | undefined
  /** The id that the sign-in code is created with, for kind `sign_in`. */
  uid: string
  /** All live registrations of the address, for kind `found`. */
  tickets: Registration[]
}

/** A mail whose recipient still exists. */
export type DeliverableMail = Mail &
  ({ registration: Registration } | { held: PendingSignUp } | { organiser: Organiser })

export function isDeliverable<Candidate extends Mail>(mail: Candidate): mail is Candidate & DeliverableMail {
  return mail.registration !== undefined || mail.held !== undefined || mail.organiser !== undefined
}

/** A mail that only this sender may send, until its lease expires. */
export type ClaimedMail = DeliverableMail & {
  /** Fencing token: outcomes of a sender whose lease has expired are ignored. */
  attempt: number
  claimedAt: Date
  leasedUntil: Date
  /** Start of the 24 hours in which delivery is attempted. */
  firstTriedAt: Date
  messageId: string
  messageDate: Date
}

/**
 * Claims due mails, longest due first, and discards obsolete ones. Enforces MAIL_RATE across all senders by their attempts in
 * the last minute; see drizzle/functions/claim_mails.sql.
 * @param limit maximum number of mails
 * @param leaseSeconds after which another sender may claim them
 */
export async function claimDueMails(
  deps: Deps,
  limit: number,
  leaseSeconds: number,
): Promise<{ mails: ClaimedMail[]; discarded: number }> {
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
    // Recipients erased between the two statements are skipped; erasing has discarded their mails.
    mails: mails.filter(isDeliverable),
    discarded: claimed.length - sendable.length,
  }
}

/** Outcome of a delivery attempt. Reasons are short and contain no personal data. */
export type DeliveryOutcome =
  | { kind: 'sent' }
  /** Failed temporarily, to be retried. `contentRefused`: a server refused its content. */
  | { kind: 'again'; reason: string; code?: 'render_failed'; contentRefused?: true }
  /** Failed permanently: the recipient was refused, or the retries are exhausted. */
  | { kind: 'dead'; reason: string; code?: 'render_failed' | 'retries_exhausted'; contentRefused?: true }
  /** Not attempted, or a sender-level outage: does not count as an attempt of this mail. */
  | { kind: 'postponed'; reason?: string; until: Date }

/** Identifies the attempt that an outcome belongs to. */
export type DeliveryAttempt = Pick<ClaimedMail, 'id' | 'attempt' | 'claimedAt' | 'firstTriedAt'>

/**
 * The recorded outcome of an attempt. `pause`: whether this outcome began, kept or ended a pause of all delivery, or of the
 * broadcast if `ofMessage`.
 */
export type RecordedOutcome = {
  kind: DeliveryOutcome['kind']
  pause: 'paused' | 'kept' | 'resumed' | null
  ofMessage: boolean
}

/**
 * Records the outcomes of claimed mails in one statement. `again` becomes `dead` 24 hours after the first attempt. Counts
 * content refusals and pauses the broadcast or all delivery after too many; see drizzle/functions/record_outcomes.sql.
 * @param attempts in the order in which they ended
 * @returns the recorded outcome of each; undefined if another sender has claimed the mail since
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
  const recordedById = new Map(recorded.map((row) => [Number(row.mail_id), row]))
  return finalOutcomes.map(({ mail, outcome }) => {
    const row = recordedById.get(mail.id)
    if (!row) return undefined
    const deferred = outcome.kind === 'again' && (row.pause === 'paused' || row.pause === 'kept')
    return { kind: deferred ? 'postponed' : outcome.kind, pause: row.pause, ofMessage: row.of_broadcast }
  })
}

/** Retry schedule: after 1, 5, 15 and 30 minutes, then hourly, last 24 hours after the first attempt. Undefined after that. */
function nextAttemptAt(firstTriedAt: Date, now: Date): Date | undefined {
  const end = firstTriedAt.getTime() + 24 * 60 * minuteMs
  if (now.getTime() >= end) return undefined
  const elapsed = now.getTime() - firstTriedAt.getTime()
  // The bounds are the sums of the delays so far: 1, 1 + 5, 1 + 5 + 15, 1 + 5 + 15 + 30.
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
 * Returns when the next mail is due; undefined if none is queued. Mails being sent are due when their lease expires; those of
 * paused broadcasts are ignored.
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

/** SQL condition: the mail does not belong to a paused broadcast. */
export const isNotPaused = sql`(
  broadcast_id is null
  or broadcast_id <> all (array(select broadcast_id from content_refusals where broadcast_id is not null and paused_at is not null))
)`

/** A pause of all delivery, after the server refused the content of five mails in a row. */
export type DeliveryPause = { since: Date; reason: string }

export async function findDeliveryPause(deps: Deps): Promise<DeliveryPause | undefined> {
  const [pause] = await query<{ since: string | Date; reason: string }>(
    deps.db,
    sql`select paused_at as since, last_error as reason from content_refusals where broadcast_id is null and paused_at is not null`,
  )
  return pause && { since: new Date(pause.since), reason: pause.reason }
}

/**
 * `not_dead`: sent, queued, or enqueued anew as another mail. `message_paused`: its broadcast is paused and must be resent as
 * a whole.
 */
export type RetryOutcome = 'queued' | 'not_dead' | 'message_paused' | 'not_found'

/** Puts a dead mail back in the queue, with another 24 hours of attempts. */
export async function retryMail(deps: Deps, id: number): Promise<RetryOutcome> {
  const retried = await query(
    deps.db,
    sql`update mails set state = 'pending', due_at = ${timestamptz(deps.now())}, first_tried_at = null, reason = null, last_error = null,
          refusals = 0
        where id = ${id} and state = 'dead' and ${isNotPaused} returning id`,
  ).catch((error) => {
    // A discarded reminder that was enqueued anew since.
    if (databaseError(error)?.constraint === 'mails_reminders_once') return []
    throw error
  })
  if (retried.length > 0) {
    deps.notifyMailQueue()
    return 'queued'
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

/** `held`: queued, but no mail server is configured. Not stored: once SMTP_URL is set, it is `pending`. */
export const displayStates = [...mailStates, 'held'] as const
export type DisplayState = (typeof displayStates)[number]

/**
 * Counts mails by state, and returns the age in seconds of the oldest queued one, ignoring paused broadcasts. Cached for a
 * second, because it scans all mails.
 */
export async function countMails(
  deps: Deps,
): Promise<{ states: Record<DisplayState, number>; oldestDueSeconds: number }> {
  return deps.cache('mails', async () => {
    const counts = await query<{ state: MailState; n: number; oldest: string | Date | null }>(
      deps.db,
      sql`select state, count(*)::int as n, min(created_at) filter (where ${isNotPaused}) as oldest from mails group by state`,
    )
    const states = { pending: 0, held: 0, sending: 0, sent: 0, dead: 0 }
    const now = deps.now().getTime()
    let oldest = now
    for (const row of counts) {
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
 * Lists one page of mails, newest first. `before`: id of the last mail of the previous page. `broadcastId`: only those of this
 * broadcast.
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
  const rows = await deps.db
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
    rows.map((mail) => ({
      ...mail,
      state: displayState(deps, mail.state),
      reason: describeReason(mail),
      reasonCode: mail.reason,
    })),
  )
}

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

/** Columns to update for an outcome, for the SQL function `record_outcomes`. */
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

/** Adds the recipient to each mail, and the broadcast or the tickets that it lists. */
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

export function displayState(deps: Deps, state: MailState): DisplayState {
  return state === 'pending' && !deps.config.smtpUrl ? 'held' : state
}

/** Inverse of `displayState`; `none` if no stored state is displayed as this one. */
function storedState(deps: Deps, display: DisplayState): MailState | 'none' {
  if (display !== 'held' && display !== 'pending') return display
  return displayState(deps, 'pending') === display ? 'pending' : 'none'
}

function senderDomain(deps: Deps): string {
  return /@([^\s<>@]+)>?$/.exec(deps.config.mailFrom)?.[1] ?? 'localhost'
}
