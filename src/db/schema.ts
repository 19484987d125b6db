import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'

/*
 * All tables in one file, because they reference each other and drizzle-kit reads them from here. A sentence for each.
 */

/** Text written by organisers, in one or both languages; at least one is present. */
export type Text = { zh?: string; en?: string }

export const itemKinds = ['prerequisite', 'provided', 'bring'] as const
export const campaignStates = ['draft', 'published'] as const
export const workshopStates = ['draft', 'published', 'closed', 'cancelled'] as const
export const phoneRules = ['required', 'optional', 'no'] as const
/** Where a registration was made: public form, API, console, door. */
export const registrationSources = ['web', 'api', 'organiser', 'walk_in'] as const
export const registrationStatuses = ['confirmed', 'waitlisted', 'offered', 'cancelled'] as const
export const mailKinds = [
  'confirmed',
  'waitlisted',
  'offered',
  'promoted',
  'cancelled',
  'found',
  'moved',
  'closed',
  'reopened',
  'held',
  'changed',
  'message',
  'sign_in',
  'get_ready',
  'coming',
  'day_before',
  'board_due',
  'afterwards',
] as const
/** Reminders: one mail per registration, kind, workshop and day. */
export const reminderKinds = ['get_ready', 'coming', 'day_before'] as const satisfies readonly MailKind[]
export const cancellers = ['attendee', 'organiser', 'workshop', 'deadline', 'absence'] as const
export const mailStates = ['pending', 'sending', 'sent', 'dead'] as const
/** Why a mail is discarded instead of sent. */
export const discardReasons = [
  'link_expired',
  'person_erased',
  'no_ticket',
  'workshop_over',
  'registration_cancelled',
  'promoted',
  'offer_accepted',
  'offer_expired',
  'reopened',
  'reclosed',
  'changed_again',
  'moved_again',
  'address_corrected',
  'moved',
  'board_returned',
  'rescheduled',
  'too_late',
  'already_ready',
  'already_confirmed',
  'reminder_disabled',
  'did_not_attend',
  'attended',
] as const
/** `retries_exhausted`: failed for 24 hours. `render_failed`: could not be rendered. */
export const mailReasons = [...discardReasons, 'retries_exhausted', 'render_failed'] as const
export const checkInOutcomes = ['in', 'again', 'undone'] as const
export const boardStates = ['usable', 'broken', 'retired'] as const
export const roles = ['owner', 'organiser', 'viewer'] as const

export type ItemKind = (typeof itemKinds)[number]
export type CampaignState = (typeof campaignStates)[number]
export type WorkshopState = (typeof workshopStates)[number]
export type PhoneRule = (typeof phoneRules)[number]
export type RegistrationSource = (typeof registrationSources)[number]
export type RegistrationStatus = (typeof registrationStatuses)[number]
/**
 * Who or what cancelled a registration. `deadline`: an offered seat was not accepted in time. `absence`: a no-show,
 * whose seat went to the door queue.
 */
export type Canceller = (typeof cancellers)[number]
export type DiscardReason = (typeof discardReasons)[number]
export type MailReason = (typeof mailReasons)[number]
export type MailKind = (typeof mailKinds)[number]
export type ReminderKind = (typeof reminderKinds)[number]
/** `in`: the check-in that counts. `again`: a later one of the same person. `undone`: undone. */
export type CheckInOutcome = (typeof checkInOutcomes)[number]
export type BoardState = (typeof boardStates)[number]
export type MailState = (typeof mailStates)[number]
export type Role = (typeof roles)[number]

const timestampColumn = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
const inList = (column: string, values: readonly string[]) =>
  sql.raw(`${column} in (${values.map((value) => `'${value}'`).join(', ')})`)

/** A campaign is one announcement: title, content and its workshops. */
export const campaigns = pgTable(
  'campaigns',
  {
    id: uuid().primaryKey(),
    slug: text().notNull().unique(),
    title: jsonb().$type<Text>().notNull(),
    summary: jsonb().$type<Text>().notNull(),
    oneSeatPerPerson: boolean('one_seat_per_person').notNull().default(true),
    state: text({ enum: campaignStates }).notNull().default('draft'),
    /** First publication; from then on the slug may be in print. */
    publishedAt: timestampColumn('published_at'),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  () => [check('campaigns_state', inList('state', campaignStates))],
)

/**
 * A workshop is one date in one city. `taken` of its `capacity` seats are held by confirmed and offered registrations.
 * `taken`, `waitlisted`, `next_seq` and `last_placed_at` are maintained by the trigger in `functions/count_seats.sql`
 * only.
 */
export const workshops = pgTable(
  'workshops',
  {
    id: uuid().primaryKey(),
    slug: text().notNull().unique(),
    campaignId: uuid('campaign_id').references(() => campaigns.id),
    title: jsonb().$type<Text>().notNull(),
    city: jsonb().$type<Text>().notNull(),
    venue: jsonb().$type<Text>().notNull(),
    address: jsonb().$type<Text>().notNull(),
    startsAt: timestampColumn('starts_at').notNull(),
    endsAt: timestampColumn('ends_at').notNull(),
    timeZone: text('time_zone').notNull(),
    opensAt: timestampColumn('opens_at'),
    closesAt: timestampColumn('closes_at'),
    capacity: integer().notNull(),
    boards: integer().notNull().default(0),
    waitlist: boolean().notNull().default(true),
    phone: text({ enum: phoneRules }).notNull().default('optional'),
    /** Hours for accepting an offered seat; null: freed seats are given to the next in line at once. */
    confirmHours: integer('confirm_hours'),
    /** Whether the sign-up form requires a proof of work, against mass sign-ups. */
    proofOfWork: boolean('proof_of_work').notNull().default(false),
    /** Organiser in charge on the day; internal. */
    lead: text(),
    /** How to get in; shown to attendees with a seat. */
    entry: jsonb().$type<Text>().notNull().default({}),
    /** Hours before the start at which each reminder is due; a missing kind is not sent. */
    reminders: jsonb().$type<ReminderPlan>().notNull().default({ get_ready: 168, coming: 72, day_before: 24 }),
    /** Grace period in minutes after the start, after which seats of no-shows go to the door queue; null: never. */
    graceMinutes: integer('grace_minutes'),
    /** Raising it invalidates the helpers' join code. */
    joinCodeVersion: integer('join_code_version').notNull().default(1),
    /** When attendance was closed: from then on attendees without a check-in are no-shows. */
    attendanceClosedAt: timestampColumn('attendance_closed_at'),
    /** Replaces the three default questions. */
    feedbackQuestions: jsonb('feedback_questions').$type<FeedbackQuestion[]>(),
    state: text({ enum: workshopStates }).notNull().default('draft'),
    /** First publication; from then on the slug may be in print. */
    publishedAt: timestampColumn('published_at'),
    taken: integer().notNull().default(0),
    waitlisted: integer().notNull().default(0),
    nextSeq: integer('next_seq').notNull().default(1),
    lastPlacedAt: timestampColumn('last_placed_at'),
    /** SEQUENCE of the calendar entry (RFC 5545, 3.8.7.4): rises when time or place change. */
    calendarSequence: integer('calendar_sequence').notNull().default(0),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (workshop) => [
    check('workshops_state', inList('state', workshopStates)),
    check('workshops_phone', inList('phone', phoneRules)),
    check('workshops_capacity', sql`${workshop.capacity} between 1 and 100000`),
    check('workshops_confirm_hours', sql`${workshop.confirmHours} between 1 and 336`),
    check('workshops_grace_minutes', sql`${workshop.graceMinutes} between 0 and 600`),
    check('workshops_boards', sql`${workshop.boards} >= 0`),
    check('workshops_taken', sql`${workshop.taken} between 0 and ${workshop.capacity}`),
    check('workshops_waitlisted', sql`${workshop.waitlisted} >= 0`),
    check('workshops_ends_after_start', sql`${workshop.endsAt} > ${workshop.startsAt}`),
    check('workshops_closes_after_opening', sql`${workshop.closesAt} > ${workshop.opensAt}`),
    index('workshops_by_start').on(workshop.startsAt, workshop.id),
    index('workshops_by_campaign').on(workshop.campaignId),
  ],
)

/**
 * A checklist item is a prerequisite, a thing provided, or a thing to bring; it belongs to a campaign or a workshop.
 */
export const checklistItems = pgTable(
  'checklist_items',
  {
    id: uuid().primaryKey(),
    campaignId: uuid('campaign_id').references(() => campaigns.id, { onDelete: 'cascade' }),
    workshopId: uuid('workshop_id').references(() => workshops.id, { onDelete: 'cascade' }),
    position: integer().notNull(),
    kind: text({ enum: itemKinds }).notNull(),
    text: jsonb().$type<Text>().notNull(),
    url: text(),
    /** Attendees have to answer "ready" or "not yet" when registering. */
    mustConfirm: boolean('must_confirm').notNull().default(false),
  },
  (item) => [
    check('checklist_items_kind', inList('kind', itemKinds)),
    check('checklist_items_owner', sql`num_nonnulls(${item.campaignId}, ${item.workshopId}) = 1`),
    uniqueIndex('checklist_items_by_campaign').on(item.campaignId, item.position),
    uniqueIndex('checklist_items_by_workshop').on(item.workshopId, item.position),
  ],
)

/** A registration link is the short code behind a QR, tied to a campaign or workshop and a channel. */
export const registrationLinks = pgTable(
  'registration_links',
  {
    code: text().primaryKey(),
    campaignId: uuid('campaign_id').references(() => campaigns.id),
    workshopId: uuid('workshop_id').references(() => workshops.id),
    channel: text().notNull(),
    active: boolean().notNull().default(true),
    expiresAt: timestampColumn('expires_at'),
    scans: bigint({ mode: 'number' }).notNull().default(0),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (link) => [check('registration_links_target', sql`num_nonnulls(${link.campaignId}, ${link.workshopId}) = 1`)],
)

/**
 * A registration is one person's sign-up for one workshop. Confirmed and offered ones hold a seat; waitlisted ones are
 * ordered by `seq`, which rises within a workshop and is never reused.
 */
export const registrations = pgTable(
  'registrations',
  {
    id: uuid().primaryKey(),
    workshopId: uuid('workshop_id')
      .notNull()
      .references(() => workshops.id),
    seq: integer().notNull(),
    status: text({ enum: registrationStatuses }).notNull(),
    /** Status in the original response, which a retry repeats. */
    firstStatus: text('first_status', { enum: registrationStatuses }).notNull(),
    name: text().notNull(),
    /** Search key of the name: its letters, or pinyin and initials. Null until the first search. */
    nameSearch: text('name_search'),
    email: text().notNull(),
    /** Address in lower case: identifies a mailbox. */
    emailKey: text('email_key').notNull(),
    /** E.164. */
    phone: text(),
    company: text(),
    locale: text().notNull(),
    linkCode: text('link_code').references(() => registrationLinks.code),
    /** Readiness: the attendee's answers to the checklist, by item id. */
    ready: jsonb().$type<Record<string, boolean>>().notNull().default({}),
    consentVersion: text('consent_version').notNull(),
    consentAt: timestampColumn('consent_at').notNull(),
    /** Null for registrations older than this column whose source is unknown. */
    source: text({ enum: registrationSources }),
    idempotencyKey: text('idempotency_key').notNull(),
    /** Workshop of the original sign-up, the scope of its idempotency key; moving does not change it. */
    firstWorkshopId: uuid('first_workshop_id')
      .notNull()
      .references(() => workshops.id),
    /** HMAC of the sign-up that came with the idempotency key; empty once erased. */
    fingerprint: text().notNull(),
    /** Raising it invalidates older ticket links and check-in codes. */
    ticketVersion: integer('ticket_version').notNull().default(1),
    /** Promoted before its turn by an organiser. */
    promotedManually: boolean('promoted_manually').notNull().default(false),
    /** An organiser confirmed that registrations with the same phone or name are other people. */
    notDuplicates: boolean('not_duplicates').notNull().default(false),
    /** Day for which attendance was confirmed: if the workshop moves to another day, it is asked again. */
    attendanceConfirmedFor: date('attendance_confirmed_for', { mode: 'string' }),
    /** When a walk-in arrived, or a waitlisted attendee joined the door queue. */
    walkInAt: timestampColumn('walk_in_at'),
    /**
     * Added to the workshop's SEQUENCE after moves, so that the SEQUENCE of the attendee's calendar entry never
     * decreases.
     */
    calendarSequenceOffset: integer('calendar_sequence_offset').notNull().default(0),
    createdAt: timestampColumn('created_at').notNull(),
    /** When it got its `seq` in the current workshop. */
    placedAt: timestampColumn('placed_at').notNull(),
    movedAt: timestampColumn('moved_at'),
    seatedAt: timestampColumn('seated_at'),
    /** Deadline for accepting an offered seat. */
    offeredUntil: timestampColumn('offered_until'),
    cancelledAt: timestampColumn('cancelled_at'),
    cancelledBy: text('cancelled_by', { enum: cancellers }),
    erasedAt: timestampColumn('erased_at'),
  },
  (registration) => [
    check('registrations_status', inList('status', registrationStatuses)),
    check('registrations_source', inList('source', registrationSources)),
    check('registrations_first_status', inList('first_status', registrationStatuses)),
    check('registrations_cancelled_by', inList('cancelled_by', cancellers)),
    check(
      'registrations_cancelled',
      sql`(${registration.status} = 'cancelled') = (${registration.cancelledAt} is not null)`,
    ),
    check(
      'registrations_offered',
      sql`(${registration.status} = 'offered') = (${registration.offeredUntil} is not null)`,
    ),
    uniqueIndex('registrations_seq').on(registration.workshopId, registration.seq),
    uniqueIndex('registrations_one_active_per_person')
      .on(registration.emailKey, registration.workshopId)
      .where(sql`status in ('confirmed', 'waitlisted', 'offered')`),
    uniqueIndex('registrations_idempotency').on(registration.idempotencyKey, registration.firstWorkshopId),
    index('registrations_waitlist').on(registration.workshopId, registration.seq).where(sql`status = 'waitlisted'`),
    index('registrations_offers').on(registration.offeredUntil).where(sql`status = 'offered'`),
    index('registrations_by_phone')
      .on(registration.phone, registration.workshopId)
      .where(sql`status in ('confirmed', 'waitlisted', 'offered') and phone is not null`),
    index('registrations_by_email').on(registration.emailKey),
    index('registrations_by_link').on(registration.linkCode),
    index('registrations_door_queue')
      .on(registration.workshopId, registration.walkInAt)
      .where(sql`walk_in_at is not null and status in ('waitlisted', 'offered')`),
  ],
)

/**
 * A pending sign-up becomes a registration when its mailed link is followed; used in place of a proof of work that the
 * browser could not do. It holds no seat and expires after a day.
 */
export const pendingSignUps = pgTable(
  'pending_sign_ups',
  {
    id: uuid().primaryKey(),
    workshopId: uuid('workshop_id')
      .notNull()
      .references(() => workshops.id),
    emailKey: text('email_key').notNull(),
    /** Validated input. */
    signUp: jsonb('sign_up').$type<SignUp>().notNull(),
    idempotencyKey: text('idempotency_key').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (held) => [
    uniqueIndex('pending_sign_ups_idempotency').on(held.idempotencyKey, held.workshopId),
    index('pending_sign_ups_by_email').on(held.emailKey),
    index('pending_sign_ups_by_age').on(held.createdAt),
  ],
)

/** A sign-up, as validated by domain/registrations/registrations.ts. */
export type SignUp = {
  name: string
  email: string
  phone?: string | undefined
  company?: string | undefined
  locale: string
  via?: string | undefined
  ready: Record<string, boolean>
  consentVersion: string
}

/**
 * The outbox: one row per e-mail, inserted in the transaction that causes it. Contains the facts of the cause, but no
 * address, body or secret: those are looked up, rendered and derived when it is sent.
 */
export const mails = pgTable(
  'mails',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    uid: uuid().notNull().defaultRandom(),
    registrationId: uuid('registration_id').references(() => registrations.id),
    /** Instead of a registration, for kind `held`. */
    pendingSignUpId: uuid('pending_sign_up_id').references(() => pendingSignUps.id, { onDelete: 'cascade' }),
    /** Instead of a registration, for mails to organisers. */
    organiserId: uuid('organiser_id').references(() => organisers.id, { onDelete: 'cascade' }),
    /** For kind `message`. */
    broadcastId: uuid('broadcast_id').references((): AnyPgColumn => broadcasts.id),
    kind: text({ enum: mailKinds }).notNull(),
    payload: jsonb().$type<MailPayload>().notNull().default({}),
    state: text({ enum: mailStates }).notNull().default('pending'),
    createdAt: timestampColumn('created_at').notNull(),
    dueAt: timestampColumn('due_at').notNull(),
    /** Raised by every claim; outcomes of earlier claims are ignored (fencing token). */
    attempt: integer().notNull().default(0),
    leasedUntil: timestampColumn('leased_until'),
    /** Start of the 24 hours of retries: the first attempt, later by the time during which nothing could be sent. */
    firstTriedAt: timestampColumn('first_tried_at'),
    sentAt: timestampColumn('sent_at'),
    /** Set by the first claim, so that a retry is the same message (RFC 5322, 3.6.4). */
    messageId: text('message_id'),
    /** Date header, set by the first attempt. */
    messageDate: timestampColumn('message_date'),
    /** Why it was discarded or failed; null if `last_error` says why. */
    reason: text({ enum: mailReasons }),
    /** The mail server's last reply, or the connection error; redacted, without addresses. */
    lastError: text('last_error'),
    /** How often a server refused its content while delivery was not paused. */
    refusals: integer().notNull().default(0),
  },
  (mail) => [
    check(
      'mails_one_recipient',
      sql`num_nonnulls(${mail.registrationId}, ${mail.pendingSignUpId}, ${mail.organiserId}) = 1`,
    ),
    check('mails_broadcast', sql`(${mail.kind} = 'message') = (${mail.broadcastId} is not null)`),
    check('mails_kind', inList('kind', mailKinds)),
    check('mails_state', inList('state', mailStates)),
    check('mails_reason', inList('reason', mailReasons)),
    index('mails_due').on(mail.dueAt, mail.id).where(sql`state in ('pending', 'sending')`),
    index('mails_by_registration').on(mail.registrationId, mail.kind),
    index('mails_by_pending_sign_up').on(mail.pendingSignUpId).where(sql`pending_sign_up_id is not null`),
    index('mails_by_organiser').on(mail.organiserId).where(sql`organiser_id is not null`),
    index('mails_by_broadcast').on(mail.broadcastId).where(sql`broadcast_id is not null`),
    uniqueIndex('mails_reminders_once')
      .on(mail.registrationId, mail.kind, sql`(payload ->> 'occasion')`)
      .where(sql`kind in ('get_ready', 'coming', 'day_before') and state <> 'dead'`),
  ],
)

/** Times of the delivery attempts of the last minute, for MAIL_RATE. A single row, whose lock serializes claims. */
export const mailRateWindow = pgTable(
  'mail_rate_window',
  {
    singleton: boolean().primaryKey().default(true),
    attempts: timestampColumn('attempts').array().notNull().default(sql`'{}'`),
  },
  (window) => [check('mail_rate_window_singleton', sql`${window.singleton}`)],
)

/**
 * Streaks of mails whose content the server refused. One row per broadcast, and one with a null broadcast for all other
 * mails. Five refusals pause the broadcast or delivery; see drizzle/functions/record_outcomes.sql.
 */
export const contentRefusals = pgTable(
  'content_refusals',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    broadcastId: uuid('broadcast_id').references((): AnyPgColumn => broadcasts.id),
    /** Ids of the mails of the streak; empty in a pause once a mail was accepted. */
    refusedMails: bigint('refused_mails', { mode: 'number' }).array().notNull().default(sql`'{}'`),
    /** The server's last refusal; redacted, without addresses. */
    lastError: text('last_error'),
    pausedAt: timestampColumn('paused_at'),
    /** While delivery is paused: when the next probe is due. */
    probeAt: timestampColumn('probe_at'),
    /** Number of backoff steps since the last accepted mail; each doubles the wait. */
    probes: integer().notNull().default(0),
    /** The last probe of this pause. */
    probedMail: bigint('probed_mail', { mode: 'number' }),
    /** Consecutive accepted mails in this pause. Five end it. */
    accepted: integer().notNull().default(0),
  },
  (refusals) => [unique('content_refusals_by_broadcast').on(refusals.broadcastId).nullsNotDistinct()],
)

/**
 * Facts of the cause of a mail: who cancelled, that an address was corrected, the workshop someone was moved from,
 * time and place before a change, that a sign-in link is an invitation, the workshop and day of a reminder, that there
 * is material, the board that was not returned.
 */
export type MailPayload = {
  by?: Canceller
  corrected?: boolean
  from?: string
  before?: WorkshopSchedule
  invited?: true
  materials?: true
  /** Reminders: workshop id and day, separated by a space. */
  occasion?: string
  /** Reminders: start of the workshop, and expiry of the mail; ISO 8601. */
  startsAt?: string
  until?: string
  board?: { kind: string; serial: string }
  /** Id of the loan. */
  loan?: string
}

/** Hours before the start at which each reminder is due. */
export type ReminderPlan = Partial<Record<ReminderKind, number>>

/** `rating`: 1 to 5. `text`: free text. */
export type FeedbackQuestion = { id: string; kind: 'rating' | 'text'; text: Text }

/** Time and place of a workshop before a change; times in ISO 8601. */
export type WorkshopSchedule = {
  startsAt: string
  endsAt: string
  timeZone: string
  city: Text
  venue: Text
  address: Text
}

/** A broadcast is an organiser's message to attendees selected by a filter; each of them gets a mail. */
export const broadcasts = pgTable(
  'broadcasts',
  {
    id: uuid().primaryKey(),
    campaignId: uuid('campaign_id').references(() => campaigns.id),
    workshopId: uuid('workshop_id').references(() => workshops.id),
    subject: text().notNull(),
    /** Plain text with placeholders. */
    body: text().notNull(),
    /** Author; null once the account is deleted. */
    organiserId: uuid('organiser_id').references(() => organisers.id, { onDelete: 'set null' }),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (broadcast) => [check('broadcasts_target', sql`num_nonnulls(${broadcast.campaignId}, ${broadcast.workshopId}) = 1`)],
)

/** An API token of an organiser; only its hash is stored. */
export const tokens = pgTable(
  'tokens',
  {
    id: uuid().primaryKey(),
    name: text().notNull(),
    role: text({ enum: roles }).notNull(),
    hash: text().notNull().unique(),
    createdAt: timestampColumn('created_at').notNull(),
    lastUsedAt: timestampColumn('last_used_at'),
    revokedAt: timestampColumn('revoked_at'),
  },
  () => [check('tokens_role', inList('role', roles))],
)

/**
 * An organiser is a person with an account; one who never signed in was invited. This and the four tables below belong
 * to better-auth, which defines the TypeScript names of their columns.
 */
export const organisers = pgTable(
  'organisers',
  {
    id: uuid().primaryKey(),
    name: text().notNull(),
    email: text().notNull().unique(),
    emailVerified: boolean('email_verified').notNull().default(false),
    image: text(),
    role: text({ enum: roles }).notNull().default('viewer'),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  () => [check('organisers_role', inList('role', roles))],
)

/** A session is a browser in which an organiser is signed in. */
export const sessions = pgTable(
  'sessions',
  {
    id: uuid().primaryKey(),
    userId: uuid('organiser_id')
      .notNull()
      .references(() => organisers.id, { onDelete: 'cascade' }),
    token: text().notNull().unique(),
    expiresAt: timestampColumn('expires_at').notNull(),
    ipAddress: text('ip_address'),
    userAgent: text('user_agent'),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (session) => [index('sessions_by_organiser').on(session.userId)],
)

/** A passkey of an organiser, for signing in without a mailed link. */
export const passkeys = pgTable(
  'passkeys',
  {
    id: uuid().primaryKey(),
    name: text(),
    publicKey: text('public_key').notNull(),
    userId: uuid('organiser_id')
      .notNull()
      .references(() => organisers.id, { onDelete: 'cascade' }),
    credentialID: text('credential_id').notNull().unique(),
    counter: integer().notNull(),
    deviceType: text('device_type').notNull(),
    backedUp: boolean('backed_up').notNull(),
    transports: text(),
    createdAt: timestampColumn('created_at'),
    aaguid: text(),
  },
  (passkey) => [index('passkeys_by_organiser').on(passkey.userId)],
)

/** A pending sign-in: hash of a mailed link, or challenge for a passkey. */
export const verifications = pgTable(
  'verifications',
  {
    id: uuid().primaryKey(),
    identifier: text().notNull(),
    value: text().notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (verification) => [index('verifications_by_identifier').on(verification.identifier)],
)

/** An account with another identity provider. Unused, but better-auth requires the table. */
export const accounts = pgTable('accounts', {
  id: uuid().primaryKey(),
  accountId: text('account_id').notNull(),
  providerId: text('provider_id').notNull(),
  userId: uuid('organiser_id')
    .notNull()
    .references(() => organisers.id, { onDelete: 'cascade' }),
  accessToken: text('access_token'),
  refreshToken: text('refresh_token'),
  idToken: text('id_token'),
  accessTokenExpiresAt: timestampColumn('access_token_expires_at'),
  refreshTokenExpiresAt: timestampColumn('refresh_token_expires_at'),
  scope: text(),
  password: text(),
  createdAt: timestampColumn('created_at').notNull(),
  updatedAt: timestampColumn('updated_at').notNull(),
})

/**
 * The audit log: who changed, exported or searched what. References the campaign, workshop, registration, organiser or
 * token concerned. Personal data is in `pii`, which is cleared after the retention period.
 */
export const auditEntries = pgTable(
  'audit_entries',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    at: timestampColumn('at').notNull(),
    /** Name of the organiser or API token at that time. */
    actor: text().notNull(),
    organiserId: uuid('organiser_id').references(() => organisers.id, { onDelete: 'set null' }),
    tokenId: uuid('token_id').references(() => tokens.id, { onDelete: 'set null' }),
    action: text().notNull(),
    campaignId: uuid('campaign_id').references(() => campaigns.id),
    workshopId: uuid('workshop_id').references(() => workshops.id),
    registrationId: uuid('registration_id').references(() => registrations.id),
    /** Details without personal data: a slug, a code, a role, counts. */
    payload: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    /** Names and addresses of attendees, and search terms. */
    pii: jsonb().$type<Record<string, unknown>>(),
  },
  (entry) => [
    index('audit_entries_by_time').on(entry.at),
    index('audit_entries_by_workshop').on(entry.workshopId),
    index('audit_entries_by_registration').on(entry.registrationId).where(sql`registration_id is not null`),
  ],
)

/**
 * The chat group of a workshop: its QR as a picture, which organisers replace when it expires. Linked from the ticket.
 */
export const chatGroups = pgTable('chat_groups', {
  workshopId: uuid('workshop_id')
    .primaryKey()
    .references(() => workshops.id, { onDelete: 'cascade' }),
  /** Base64. */
  picture: text().notNull(),
  mediaType: text('media_type').notNull(),
  note: jsonb().$type<Text>().notNull().default({}),
  expiresAt: timestampColumn('expires_at'),
  updatedAt: timestampColumn('updated_at').notNull(),
})

/** A door session: a helper's phone that may check people in to one workshop until midnight. */
export const doorSessions = pgTable(
  'door_sessions',
  {
    id: uuid().primaryKey(),
    workshopId: uuid('workshop_id')
      .notNull()
      .references(() => workshops.id),
    /** Name of the helper or entrance. */
    name: text().notNull(),
    /** Hash of the token in the phone's cookie. */
    hash: text().notNull().unique(),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
    endedAt: timestampColumn('ended_at'),
    lastSeenAt: timestampColumn('last_seen_at'),
    userAgent: text('user_agent'),
  },
  (session) => [index('door_sessions_by_workshop').on(session.workshopId)],
)

/**
 * A check-in is one scan of a check-in code, or one tap at the door. At most one per registration is `in`: the one
 * with the earliest `at`, in whatever order they arrived.
 */
export const checkIns = pgTable(
  'check_ins',
  {
    /** Nonce made by the phone: repeated requests are one check-in. */
    id: uuid().primaryKey(),
    registrationId: uuid('registration_id')
      .notNull()
      .references(() => registrations.id),
    workshopId: uuid('workshop_id')
      .notNull()
      .references(() => workshops.id),
    outcome: text({ enum: checkInOutcomes }).notNull(),
    /** The phone's time, clamped. */
    at: timestampColumn('at').notNull(),
    receivedAt: timestampColumn('received_at').notNull(),
    doorSessionId: uuid('door_session_id').references(() => doorSessions.id),
    /** Name of the helper or organiser at that time. */
    by: text().notNull(),
    undoneAt: timestampColumn('undone_at'),
    undoneBy: text('undone_by'),
  },
  (checkIn) => [
    check('check_ins_outcome', inList('outcome', checkInOutcomes)),
    check('check_ins_undone', sql`(${checkIn.outcome} = 'undone') = (${checkIn.undoneAt} is not null)`),
    uniqueIndex('check_ins_one_active').on(checkIn.registrationId).where(sql`outcome = 'in'`),
    index('check_ins_by_registration').on(checkIn.registrationId),
    index('check_ins_by_workshop').on(checkIn.workshopId, checkIn.at),
  ],
)

/** A board is one numbered thing that is lent. */
export const boards = pgTable(
  'boards',
  {
    id: uuid().primaryKey(),
    /** Type of board. */
    kind: text().notNull(),
    /** Serial number, unique within a kind. */
    serial: text().notNull(),
    /** Content of the QR on its label. */
    code: text().notNull().unique(),
    state: text({ enum: boardStates }).notNull().default('usable'),
    note: text(),
    /** The workshop it is allocated to. */
    allocatedTo: uuid('allocated_to').references(() => workshops.id, { onDelete: 'set null' }),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (board) => [
    check('boards_state', inList('state', boardStates)),
    uniqueIndex('boards_serial').on(board.serial, board.kind),
    index('boards_allocated').on(board.allocatedTo).where(sql`allocated_to is not null`),
  ],
)

/** A loan: one board in the hands of one person. A board has at most one active loan, and so has a person. */
export const loans = pgTable(
  'loans',
  {
    /** Nonce of the scan or tap, made by the phone. */
    id: uuid().primaryKey(),
    boardId: uuid('board_id')
      .notNull()
      .references(() => boards.id),
    registrationId: uuid('registration_id')
      .notNull()
      .references(() => registrations.id),
    workshopId: uuid('workshop_id')
      .notNull()
      .references(() => workshops.id),
    lentAt: timestampColumn('lent_at').notNull(),
    lentBy: text('lent_by').notNull(),
    returnedAt: timestampColumn('returned_at'),
    returnedBy: text('returned_by'),
    /** Nonce of the return. */
    returnId: uuid('return_id').unique(),
  },
  (loan) => [
    check('loans_returned', sql`${loan.returnedAt} >= ${loan.lentAt}`),
    uniqueIndex('loans_one_active_per_board').on(loan.boardId).where(sql`returned_at is null`),
    uniqueIndex('loans_one_active_per_registration').on(loan.registrationId).where(sql`returned_at is null`),
    index('loans_by_board').on(loan.boardId, loan.lentAt),
    index('loans_by_registration').on(loan.registrationId),
    index('loans_by_workshop').on(loan.workshopId),
  ],
)

/**
 * A certificate of participation. Contains the name as long as the person is not erased, or permanently if they chose
 * so.
 */
export const certificates = pgTable('certificates', {
  /** Public number for verification. */
  number: text().primaryKey(),
  registrationId: uuid('registration_id')
    .notNull()
    .unique()
    .references(() => registrations.id),
  workshopId: uuid('workshop_id')
    .notNull()
    .references(() => workshops.id),
  name: text(),
  keepName: boolean('keep_name').notNull().default(false),
  issuedAt: timestampColumn('issued_at').notNull(),
})

/** Material for attendees, linked from their ticket: a link with a note. */
export const materials = pgTable(
  'materials',
  {
    id: uuid().primaryKey(),
    workshopId: uuid('workshop_id')
      .notNull()
      .references(() => workshops.id, { onDelete: 'cascade' }),
    position: integer().notNull(),
    title: jsonb().$type<Text>().notNull(),
    url: text().notNull(),
    /** What is needed to open it, such as an extraction code. */
    note: jsonb().$type<Text>().notNull().default({}),
    /** Only for attendees who were checked in; otherwise for everyone with a seat. */
    afterwards: boolean().notNull().default(false),
  },
  (material) => [uniqueIndex('materials_by_workshop').on(material.workshopId, material.position)],
)

/** An attendee's feedback, by question id. */
export const feedback = pgTable(
  'feedback',
  {
    registrationId: uuid('registration_id')
      .primaryKey()
      .references(() => registrations.id),
    workshopId: uuid('workshop_id')
      .notNull()
      .references(() => workshops.id),
    ratings: jsonb().$type<Record<string, number>>().notNull().default({}),
    /** Free text; deleted when the person is erased. */
    texts: jsonb().$type<Record<string, string>>().notNull().default({}),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (answer) => [index('feedback_by_workshop').on(answer.workshopId)],
)
