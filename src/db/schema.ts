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

/** A text that organisers write, in one language or both. At least one is there. */
export type Text = { zh?: string; en?: string }

export const itemKinds = ['prerequisite', 'provided', 'bring'] as const
export const campaignStates = ['draft', 'published'] as const
export const workshopStates = ['draft', 'published', 'closed', 'cancelled'] as const
export const phoneRules = ['required', 'optional', 'no'] as const
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
/** Mails on a schedule: each is owed once for a workshop and the day on which it is. */
export const reminderKinds = ['get_ready', 'coming', 'day_before'] as const satisfies readonly MailKind[]
export const cancellers = ['attendee', 'organiser', 'workshop', 'deadline', 'absence'] as const
export const mailStates = ['pending', 'sending', 'sent', 'dead'] as const
export const checkInOutcomes = ['in', 'again', 'undone'] as const
export const boardStates = ['usable', 'broken', 'retired'] as const
export const roles = ['owner', 'organiser', 'viewer'] as const

export type ItemKind = (typeof itemKinds)[number]
export type CampaignState = (typeof campaignStates)[number]
export type WorkshopState = (typeof workshopStates)[number]
export type PhoneRule = (typeof phoneRules)[number]
export type RegistrationStatus = (typeof registrationStatuses)[number]
/**
 * Who or what ended a registration. `deadline`: an offered seat was not taken in time. `absence`: who had it did not come,
 * and it went to somebody who stood at the door.
 */
export type Canceller = (typeof cancellers)[number]
export type MailKind = (typeof mailKinds)[number]
export type ReminderKind = (typeof reminderKinds)[number]
/** `in`: came with this scan. `again`: had come already. `undone`: was taken back. */
export type CheckInOutcome = (typeof checkInOutcomes)[number]
export type BoardState = (typeof boardStates)[number]
export type MailState = (typeof mailStates)[number]
export type Role = (typeof roles)[number]

const timestampColumn = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
const inList = (column: string, values: readonly string[]) =>
  sql.raw(`${column} in (${values.map((value) => `'${value}'`).join(', ')})`)

/** A campaign is one announcement: a title, what it teaches, the workshops of that month. */
export const campaigns = pgTable(
  'campaigns',
  {
    id: uuid().primaryKey(),
    slug: text().notNull().unique(),
    title: jsonb().$type<Text>().notNull(),
    summary: jsonb().$type<Text>().notNull(),
    oneSeatPerPerson: boolean('one_seat_per_person').notNull().default(true),
    state: text({ enum: campaignStates }).notNull().default('draft'),
    /** When it first was published; from then on its slug may be in print. */
    publishedAt: timestampColumn('published_at'),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  () => [check('campaigns_state', inList('state', campaignStates))],
)

/**
 * A workshop is one date in one city. `capacity` seats exist; `taken` of them are held by confirmed and offered
 * registrations. `taken`, `waitlisted`, `next_seq` and `last_placed_at` are moved by the trigger in `functions/count_seats.sql`
 * alone.
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
    /** Hours in which a freed seat that is offered to the next in line has to be taken; without them it is given at once. */
    confirmHours: integer('confirm_hours'),
    /** Whether a browser has to work for a sign-up, against those that send many. */
    proofOfWork: boolean('proof_of_work').notNull().default(false),
    /** Who is in charge on the day, for organisers to know. */
    lead: text(),
    /** How to get in, for those who have a seat. */
    entry: jsonb().$type<Text>().notNull().default({}),
    /** Hours before the start at which each reminder falls due; one that is not there is not sent. */
    reminders: jsonb().$type<ReminderPlan>().notNull().default({ get_ready: 168, coming: 72, day_before: 24 }),
    /** Minutes after the start from which seats of those who did not come go to who stands at the door; without them, never. */
    graceMinutes: integer('grace_minutes'),
    /** Raised to make the QR that lets helpers' phones in invalid. */
    doorVersion: integer('door_version').notNull().default(1),
    /** When an organiser said that nobody else comes: from then on whoever was not checked in did not come. */
    attendanceClosedAt: timestampColumn('attendance_closed_at'),
    /** Instead of the three questions that everybody is asked. */
    feedbackQuestions: jsonb('feedback_questions').$type<FeedbackQuestion[]>(),
    state: text({ enum: workshopStates }).notNull().default('draft'),
    /** When it first was published; from then on its slug may be in print. */
    publishedAt: timestampColumn('published_at'),
    taken: integer().notNull().default(0),
    waitlisted: integer().notNull().default(0),
    nextSeq: integer('next_seq').notNull().default(1),
    lastPlacedAt: timestampColumn('last_placed_at'),
    /** SEQUENCE of the calendar entry (RFC 5545, 3.8.7.4): rises whenever time or place change. */
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

/** A checklist item is a prerequisite, a thing provided, or a thing to bring; it belongs to a campaign or a workshop. */
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
    /** The attendee says "ready" or "not yet" to it when registering. */
    mustConfirm: boolean('must_confirm').notNull().default(false),
  },
  (item) => [
    check('checklist_items_kind', inList('kind', itemKinds)),
    check('checklist_items_owner', sql`num_nonnulls(${item.campaignId}, ${item.workshopId}) = 1`),
    uniqueIndex('checklist_items_of_campaign').on(item.campaignId, item.position),
    uniqueIndex('checklist_items_of_workshop').on(item.workshopId, item.position),
  ],
)

/** A registration link is the short code behind a QR, tied to a campaign or a workshop and to a channel. */
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
 * A registration is one person's sign-up to one workshop. A confirmed or offered one holds a seat, a waitlisted one
 * stands in line in the order of `seq`, which rises within a workshop and is never used again.
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
    /** What the sign-up was answered with: a retry of it is answered the same. */
    firstStatus: text('first_status', { enum: registrationStatuses }).notNull(),
    name: text().notNull(),
    /** How the name is typed to find it: its letters, or the initials of its pinyin. Null until somebody searches. */
    nameInitials: text('name_initials'),
    email: text().notNull(),
    /** The address in lower case: what makes two addresses the same mailbox. */
    emailKey: text('email_key').notNull(),
    /** E.164. */
    phone: text(),
    company: text(),
    locale: text().notNull(),
    linkCode: text('link_code').references(() => registrationLinks.code),
    /** Readiness: the attendee's own answers to the checklist, by item id. */
    ready: jsonb().$type<Record<string, boolean>>().notNull().default({}),
    consentVersion: text('consent_version').notNull(),
    consentAt: timestampColumn('consent_at').notNull(),
    idempotencyKey: text('idempotency_key').notNull(),
    /** The workshop that the sign-up was for, to which its idempotency key belongs; a move does not change it. */
    firstWorkshopId: uuid('first_workshop_id')
      .notNull()
      .references(() => workshops.id),
    /** Keyed hash of the sign-up that came with the idempotency key; empty once the person is erased. */
    fingerprint: text().notNull(),
    /** Raised to make every older ticket link and door code invalid. */
    ticketVersion: integer('ticket_version').notNull().default(1),
    /** An organiser's decision let this person pass others on the waitlist. */
    outOfTurn: boolean('out_of_turn').notNull().default(false),
    /** An organiser looked: whoever has the same phone or name is somebody else. */
    toldApart: boolean('told_apart').notNull().default(false),
    /** The day for which they said that they come: on another day they are asked again. */
    comingOn: date('coming_on', { mode: 'string' }),
    /** Since when they stand at the door without a seat, or came in without having signed up. */
    walkInAt: timestampColumn('walk_in_at'),
    /** What a move adds to the workshop's SEQUENCE, so that that of the person's calendar entry never falls. */
    calendarRaise: integer('calendar_raise').notNull().default(0),
    createdAt: timestampColumn('created_at').notNull(),
    /** When it got its `seq` in the workshop where it is now. */
    placedAt: timestampColumn('placed_at').notNull(),
    movedAt: timestampColumn('moved_at'),
    seatedAt: timestampColumn('seated_at'),
    /** Until when an offered seat is held. */
    offeredUntil: timestampColumn('offered_until'),
    cancelledAt: timestampColumn('cancelled_at'),
    cancelledBy: text('cancelled_by', { enum: cancellers }),
    erasedAt: timestampColumn('erased_at'),
  },
  (registration) => [
    check('registrations_status', inList('status', registrationStatuses)),
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
    uniqueIndex('registrations_one_live_per_person')
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
    index('registrations_at_the_door')
      .on(registration.workshopId, registration.walkInAt)
      .where(sql`walk_in_at is not null and status in ('waitlisted', 'offered')`),
  ],
)

/**
 * A held sign-up waits for its person to follow the link that was mailed to them: in place of a proof of work, where the
 * browser could do none. It holds no seat, and is gone a day later.
 */
export const heldSignUps = pgTable(
  'held_sign_ups',
  {
    id: uuid().primaryKey(),
    workshopId: uuid('workshop_id')
      .notNull()
      .references(() => workshops.id),
    emailKey: text('email_key').notNull(),
    /** What was typed, checked already. */
    signUp: jsonb('sign_up').$type<SignUp>().notNull(),
    idempotencyKey: text('idempotency_key').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (held) => [
    uniqueIndex('held_sign_ups_idempotency').on(held.idempotencyKey, held.workshopId),
    index('held_sign_ups_by_email').on(held.emailKey),
    index('held_sign_ups_by_age').on(held.createdAt),
  ],
)

/** A sign-up as domain/registrations.ts has checked it. */
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
 * A mail is one e-mail that is owed to an attendee: a row written with the fact that causes it. It holds the facts of
 * its cause and neither address nor body nor secret: those are looked up, rendered and derived when it is sent.
 */
export const mails = pgTable(
  'mails',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    uid: uuid().notNull().defaultRandom(),
    registrationId: uuid('registration_id').references(() => registrations.id),
    /** Instead of a registration, for those of kind `held`. */
    heldId: uuid('held_id').references(() => heldSignUps.id, { onDelete: 'cascade' }),
    /** Instead of a registration: what goes to people with accounts. */
    organiserId: uuid('organiser_id').references(() => organisers.id, { onDelete: 'cascade' }),
    /** What an organiser wrote, for those of kind `message`. */
    writtenId: uuid('written_id').references((): AnyPgColumn => messages.id),
    kind: text({ enum: mailKinds }).notNull(),
    facts: jsonb().$type<MailPayload>().notNull().default({}),
    state: text({ enum: mailStates }).notNull().default('pending'),
    createdAt: timestampColumn('created_at').notNull(),
    dueAt: timestampColumn('due_at').notNull(),
    /** Rises with every claim and fences off a sender whose lease ran out. */
    attempt: integer().notNull().default(0),
    leasedUntil: timestampColumn('leased_until'),
    /** Where the 24 hours in which it is tried begin: its first attempt, moved on by the time in which no mail could be sent. */
    firstTriedAt: timestampColumn('first_tried_at'),
    sentAt: timestampColumn('sent_at'),
    /** Fixed by the first claim, so that a repeated attempt is the same message (RFC 5322, 3.6.4). */
    messageId: text('message_id'),
    /** The message's Date, fixed by the first attempt. */
    datedAt: timestampColumn('dated_at'),
    /** Why the last attempt failed or why it was given up; redacted, without addresses. */
    reason: text(),
    /** How often a server refused its content while delivery was not paused. */
    refusals: integer().notNull().default(0),
  },
  (mail) => [
    check('mails_about', sql`num_nonnulls(${mail.registrationId}, ${mail.heldId}, ${mail.organiserId}) = 1`),
    check('mails_written', sql`(${mail.kind} = 'message') = (${mail.writtenId} is not null)`),
    check('mails_kind', inList('kind', mailKinds)),
    check('mails_state', inList('state', mailStates)),
    index('mails_due').on(mail.dueAt, mail.id).where(sql`state in ('pending', 'sending')`),
    index('mails_by_registration').on(mail.registrationId, mail.kind),
    index('mails_by_held').on(mail.heldId).where(sql`held_id is not null`),
    index('mails_by_organiser').on(mail.organiserId).where(sql`organiser_id is not null`),
    index('mails_by_written').on(mail.writtenId).where(sql`written_id is not null`),
    uniqueIndex('mails_reminders_once')
      .on(mail.registrationId, mail.kind, sql`(facts ->> 'occasion')`)
      .where(sql`kind in ('get_ready', 'coming', 'day_before') and state <> 'dead'`),
  ],
)

/**
 * The mail pace is when mails were tried in the last minute, for MAIL_RATE. It is one row, whose lock lets only one sender
 * claim at a time.
 */
export const mailPace = pgTable(
  'mail_pace',
  {
    only: boolean().primaryKey().default(true),
    tries: timestampColumn('tries').array().notNull().default(sql`'{}'`),
  },
  (pace) => [check('mail_pace_only', sql`${pace.only}`)],
)

/**
 * Content refusals in a row: mails that the server refused one after the other for what they are, not for whom they are
 * for. One row for each message of an organiser, and one, whose message is null, for all other mails. Five pause the
 * message or the delivery; see drizzle/functions/record_outcomes.sql.
 */
export const contentRefusals = pgTable(
  'content_refusals',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    writtenId: uuid('written_id').references((): AnyPgColumn => messages.id),
    /** Ids of the mails that were refused in a row; empty in a pause once a mail was accepted. */
    refusedMails: bigint('refused_mails', { mode: 'number' }).array().notNull().default(sql`'{}'`),
    /** The server's last refusal; redacted, without addresses. */
    reason: text(),
    pausedAt: timestampColumn('paused_at'),
    /** While delivery is paused: when the next mail may be tried. */
    probeAt: timestampColumn('probe_at'),
    /** How many waits followed one another since the last accepted mail; each is twice as long as the one before. */
    probes: integer().notNull().default(0),
    /** The mail that was tried last in this pause. */
    probedMail: bigint('probed_mail', { mode: 'number' }),
    /** How many mails were accepted in a row in this pause. Five end it. */
    accepted: integer().notNull().default(0),
  },
  (refusals) => [unique('content_refusals_of').on(refusals.writtenId).nullsNotDistinct()],
)

/**
 * What a mail's cause knew: who cancelled, that an address was corrected, from which workshop someone moved, what time and
 * place were before a change, that a sign-in link invites, which workshop on which day a reminder is about, that there is
 * material for those who came, which board somebody still has.
 */
export type MailPayload = {
  by?: Canceller
  corrected?: boolean
  from?: string
  before?: WorkshopSchedule
  invited?: true
  materials?: true
  /** Id of the workshop and the day on which it is there, with a space between. */
  occasion?: string
  /** Of a reminder: when the workshop starts, and until when it may be sent; moments in ISO 8601. */
  startsAt?: string
  until?: string
  board?: { kind: string; serial: string }
  /** Id of the loan that is asked for. */
  loan?: string
}

/** Hours before the start at which each reminder falls due. */
export type ReminderPlan = Partial<Record<ReminderKind, number>>

/** `rating`: from 1 to 5. `text`: in their own words. */
export type FeedbackQuestion = { id: string; kind: 'rating' | 'text'; text: Text }

/** Time and place of a workshop before they changed; moments in ISO 8601. */
export type WorkshopSchedule = {
  startsAt: string
  endsAt: string
  timeZone: string
  city: Text
  venue: Text
  address: Text
}

/** A message is what an organiser wrote to a filter of attendees. Each of them is owed a mail of it. */
export const messages = pgTable(
  'messages',
  {
    id: uuid().primaryKey(),
    campaignId: uuid('campaign_id').references(() => campaigns.id),
    workshopId: uuid('workshop_id').references(() => workshops.id),
    subject: text().notNull(),
    /** Plain text with placeholders. */
    body: text().notNull(),
    /** Who wrote it; null once that account is gone. */
    organiserId: uuid('organiser_id').references(() => organisers.id, { onDelete: 'set null' }),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (message) => [check('messages_about', sql`num_nonnulls(${message.campaignId}, ${message.workshopId}) = 1`)],
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
 * An organiser is a person with an account. One who never signed in was invited. This and the four tables below are kept
 * by better-auth, whose names their columns have in TypeScript.
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

/** A passkey is what an organiser signs in with instead of a mailed link. */
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

/** A verification is a sign-in that was begun: the hash of a mailed link, or the challenge for a passkey. */
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

/** An account elsewhere, with which an organiser signs in. There is none yet; better-auth wants the table. */
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
 * The audit log: who changed, exported or looked up what. `about` names what it was about: a campaign, workshop, link,
 * registration, organiser or token. What it tells of attendees stands in `personal`, which retention empties.
 */
export const auditEntries = pgTable(
  'audit_entries',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    at: timestampColumn('at').notNull(),
    /** The name of the organiser or API token, as it was then. */
    actor: text().notNull(),
    organiserId: uuid('organiser_id').references(() => organisers.id, { onDelete: 'set null' }),
    tokenId: uuid('token_id').references(() => tokens.id, { onDelete: 'set null' }),
    action: text().notNull(),
    campaignId: uuid('campaign_id').references(() => campaigns.id),
    workshopId: uuid('workshop_id').references(() => workshops.id),
    registrationId: uuid('registration_id').references(() => registrations.id),
    /** What it was about in words that are no personal data: a slug, a code, a role, counts. */
    facts: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    /** Names and addresses of attendees, and what was searched for. */
    personal: jsonb().$type<Record<string, unknown>>(),
  },
  (entry) => [
    index('audit_entries_by_time').on(entry.at),
    index('audit_entries_by_workshop').on(entry.workshopId),
    index('audit_entries_by_registration').on(entry.registrationId).where(sql`registration_id is not null`),
  ],
)

/** The chat group of a workshop: its QR as a picture, which organisers replace when it expires. The ticket leads to it. */
export const chatGroups = pgTable('chat_groups', {
  workshopId: uuid('workshop_id')
    .primaryKey()
    .references(() => workshops.id, { onDelete: 'cascade' }),
  /** In base64. */
  picture: text().notNull(),
  mediaType: text('media_type').notNull(),
  note: jsonb().$type<Text>().notNull().default({}),
  expiresAt: timestampColumn('expires_at'),
  updatedAt: timestampColumn('updated_at').notNull(),
})

/** A door session is a helper's phone that may check people in to one workshop, until the night. */
export const doorSessions = pgTable(
  'door_sessions',
  {
    id: uuid().primaryKey(),
    workshopId: uuid('workshop_id')
      .notNull()
      .references(() => workshops.id),
    /** What the helper is called, or the door where they stand. */
    name: text().notNull(),
    /** Of the token in the phone's cookie. */
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
 * A check-in is one scan of a door code, or one tap at the door. Of those of a registration at most one is `in`: that with
 * the earliest time of its own, whenever it arrived.
 */
export const checkIns = pgTable(
  'check_ins',
  {
    /** The nonce of the scan, made by the phone: sent ten times it is the same check-in. */
    id: uuid().primaryKey(),
    registrationId: uuid('registration_id')
      .notNull()
      .references(() => registrations.id),
    workshopId: uuid('workshop_id')
      .notNull()
      .references(() => workshops.id),
    outcome: text({ enum: checkInOutcomes }).notNull(),
    /** By the phone's clock, as far as that is believed. */
    at: timestampColumn('at').notNull(),
    receivedAt: timestampColumn('received_at').notNull(),
    doorSessionId: uuid('door_session_id').references(() => doorSessions.id),
    /** The name of the helper or organiser, as it was then. */
    by: text().notNull(),
    undoneAt: timestampColumn('undone_at'),
    undoneBy: text('undone_by'),
  },
  (checkIn) => [
    check('check_ins_outcome', inList('outcome', checkInOutcomes)),
    check('check_ins_undone', sql`(${checkIn.outcome} = 'undone') = (${checkIn.undoneAt} is not null)`),
    uniqueIndex('check_ins_once').on(checkIn.registrationId).where(sql`outcome = 'in'`),
    index('check_ins_by_registration').on(checkIn.registrationId),
    index('check_ins_by_workshop').on(checkIn.workshopId, checkIn.at),
  ],
)

/** A board is one numbered thing that is lent. */
export const boards = pgTable(
  'boards',
  {
    id: uuid().primaryKey(),
    /** What it is: a type of board. */
    kind: text().notNull(),
    /** What stands on it; one of its kind has it. */
    serial: text().notNull(),
    /** What the QR on its label says. */
    code: text().notNull().unique(),
    state: text({ enum: boardStates }).notNull().default('usable'),
    note: text(),
    /** The workshop that it is packed for. */
    packedFor: uuid('packed_for').references(() => workshops.id, { onDelete: 'set null' }),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (board) => [
    check('boards_state', inList('state', boardStates)),
    uniqueIndex('boards_serial').on(board.serial, board.kind),
    index('boards_packed').on(board.packedFor).where(sql`packed_for is not null`),
  ],
)

/** A loan is one board in the hands of one person. A board is with one at a time, and a person has one. */
export const loans = pgTable(
  'loans',
  {
    /** The nonce of the scan or tap, made by the phone. */
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
    /** The nonce of the return. */
    returnId: uuid('return_id').unique(),
  },
  (loan) => [
    check('loans_returned', sql`${loan.returnedAt} >= ${loan.lentAt}`),
    uniqueIndex('loans_one_holder').on(loan.boardId).where(sql`returned_at is null`),
    uniqueIndex('loans_one_board').on(loan.registrationId).where(sql`returned_at is null`),
    index('loans_by_board').on(loan.boardId, loan.lentAt),
    index('loans_by_registration').on(loan.registrationId),
    index('loans_by_workshop').on(loan.workshopId),
  ],
)

/** A certificate says that somebody took part. It has a name for as long as the person is known, or where they asked to keep it. */
export const certificates = pgTable('certificates', {
  /** What anyone can look it up by. */
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

/** Material is what attendees get behind their ticket: a link with a note. */
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
    /** What one needs to open it, an extraction code say. */
    note: jsonb().$type<Text>().notNull().default({}),
    /** Only for those who came; otherwise for everyone with a seat. */
    afterwards: boolean().notNull().default(false),
  },
  (material) => [uniqueIndex('materials_of_workshop').on(material.workshopId, material.position)],
)

/** What one attendee answered to the questions afterwards, by the ids of the questions. */
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
    /** In their own words: goes with the person. */
    texts: jsonb().$type<Record<string, string>>().notNull().default({}),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (answer) => [index('feedback_by_workshop').on(answer.workshopId)],
)
