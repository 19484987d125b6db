import { asc, eq, sql } from 'drizzle-orm'
import { query, timestamptz, uuidArray } from '../../db/database.ts'
import {
  auditEntries,
  type Canceller,
  type MailKind,
  type MailPayload,
  mails,
  type RegistrationStatus,
  registrationLinks,
  registrations,
  type SignUp,
} from '../../db/schema.ts'
import { type Actor, type AuditAction, type AuditInput, insertAudit, recordAudit } from '../audit/log.ts'
import type { Deps } from '../deps.ts'
import { type DisplayState, describeReason, displayState, type RetryOutcome, retryMail } from '../mails/outbox.ts'
import type { Workshop } from '../workshops/workshops.ts'
import { type Refusal, type Registered, register } from './batcher.ts'
import { correctEmail, type EmailRefusal, findRegistrationById, type Registration } from './registrations.ts'
import {
  acceptOffer,
  cancelRegistration,
  type EraseRefusal,
  eraseRegistration,
  type MoveRefusal,
  mergeRegistration,
  moveRegistration,
  type OfferRefusal,
} from './seats.ts'

/*
 * One registration as organisers see and change it. Every look-up and change is audited.
 *
 * Over 400 lines because each command is a short wrapper that adds the audit entry; they share the audit helpers below.
 */

/** A registration with its mails and history. */
export type Person = Registration & {
  /** Channel of the registration link; null without one. */
  channel: string | null
  promotedManually: boolean
  mails: PersonMail[]
  /** Oldest first. */
  history: PersonEvent[]
  /** Other registrations with the same address, in all workshops, newest first, at most 20. */
  otherRegistrations: { id: string; workshopId: string; status: RegistrationStatus }[]
}

export type PersonMail = {
  id: number
  kind: MailKind
  state: DisplayState
  createdAt: Date
  sentAt: Date | null
  reason: string | null
}

/**
 * An event in the history of a registration. `actor` is the organiser who caused it; undefined for attendees, scheduled jobs
 * and events older than the audit log.
 */
export type PersonEvent = { at: Date; actor?: string | undefined } & (
  | { kind: 'signed_up'; status: RegistrationStatus }
  | { kind: 'offered' }
  /** `reason`: why an organiser promoted them out of turn. */
  | { kind: 'seated'; reason?: string | undefined }
  /** `from`: id of the previous workshop. */
  | { kind: 'moved'; from: string | undefined }
  | { kind: 'email_corrected' }
  | { kind: 'changed'; fields: string[] }
  | { kind: 'cancelled'; by: Canceller | undefined }
)

/** Finds a person by registration id and audits the look-up. Undefined if unknown or erased. */
export async function findPersonAudited(deps: Deps, actor: Actor, id: string): Promise<Person | undefined> {
  const person = await findPerson(deps, id)
  if (person) await recordPersonAudit(deps, actor, 'person.looked_up', person)
  return person
}

/** Finds a person by registration id. The caller must have audited the access. Undefined if unknown or erased. */
export async function findPerson(deps: Deps, id: string): Promise<Person | undefined> {
  const registration = await findRegistrationById(deps, id)
  if (!registration) return undefined
  const [stored] = await deps.db
    .select({
      firstStatus: registrations.firstStatus,
      outOfTurn: registrations.promotedManually,
      channel: registrationLinks.channel,
    })
    .from(registrations)
    .leftJoin(registrationLinks, eq(registrationLinks.code, registrations.linkCode))
    .where(eq(registrations.id, id))
  const mailRows = await deps.db.select().from(mails).where(eq(mails.registrationId, id)).orderBy(asc(mails.id))
  const audited = await deps.db
    .select()
    .from(auditEntries)
    .where(eq(auditEntries.registrationId, id))
    .orderBy(asc(auditEntries.id))
  const otherRegistrations = await deps.db
    .select({ id: registrations.id, workshopId: registrations.workshopId, status: registrations.status })
    .from(registrations)
    .where(eq(registrations.emailKey, registration.email.toLowerCase()))
    .orderBy(sql`${registrations.createdAt} desc`)
    .limit(20)
  return {
    ...registration,
    channel: stored?.channel ?? null,
    promotedManually: stored?.outOfTurn ?? false,
    mails: mailRows.map((mail) => ({
      id: mail.id,
      kind: mail.kind,
      state: displayState(deps, mail.state),
      createdAt: mail.createdAt,
      sentAt: mail.sentAt,
      reason: describeReason(mail),
    })),
    history: buildHistory(
      { createdAt: registration.createdAt, status: stored?.firstStatus ?? 'confirmed' },
      mailRows,
      audited,
    ),
    otherRegistrations: otherRegistrations.filter((other) => other.id !== id),
  }
}

/** Fields that an organiser may correct. Missing or empty ones are cleared. */
export type PersonCorrections = Pick<SignUp, 'name' | 'email' | 'phone' | 'company'>

/**
 * Corrects a person's data. A new address is sent the ticket and invalidates older ticket links; if it is refused, nothing
 * is changed. Returns the names of the changed fields.
 */
export async function correctPerson(
  deps: Deps,
  actor: Actor,
  person: Registration,
  {
    name,
    email,
    phone = null,
    company = null,
  }: { [Field in keyof PersonCorrections]: PersonCorrections[Field] | null },
): Promise<{ kind: 'corrected'; fields: string[] } | { kind: 'refused'; refusal: EmailRefusal }> {
  const before: Record<string, unknown> = {
    name: person.name,
    email: person.email,
    phone: person.phone,
    company: person.company,
  }
  const after: Record<string, unknown> = { name, email, phone, company }
  const fields = Object.keys(after).filter((field) => after[field] !== before[field])
  if (fields.length === 0) return { kind: 'corrected', fields }

  if (fields.includes('email')) {
    const outcome = await correctEmail(deps, person.id, email as string)
    if (outcome.kind === 'refused') return outcome
  }
  const stored = await query(
    deps.db,
    sql`update registrations
        set name = ${name}, company = ${company}, phone = ${phone},
            -- The mark holds for registrations that share this name or phone.
            not_duplicates = not_duplicates and name = ${name} and phone is not distinct from ${phone}::text,
            name_search = case when name = ${name} then name_search end
        where id = ${person.id}::uuid and erased_at is null
        returning id`,
  )
  if (stored.length === 0) return { kind: 'refused', refusal: 'not_found' }
  const changed = (values: Record<string, unknown>) => Object.fromEntries(fields.map((field) => [field, values[field]]))
  await recordPersonAudit(
    deps,
    actor,
    'person.changed',
    person,
    { changed: fields },
    { before: changed(before), after: changed(after) },
  )
  return { kind: 'corrected', fields }
}

export const cancelRefusals = ['already_cancelled', 'over', 'not_found'] as const
export type CancelRefusal = (typeof cancelRefusals)[number]

/** Cancels a person's registration and promotes the next on the waitlist; mails both. */
export async function cancelPerson(deps: Deps, actor: Actor, person: PersonRef): Promise<'cancelled' | CancelRefusal> {
  const outcome = await cancelRegistration(deps, person.id, 'organiser')
  if (outcome === 'cancelled') await recordPersonAudit(deps, actor, 'person.cancelled', person)
  return outcome
}

export const mergeRefusals = [...cancelRefusals, 'kept_cancelled'] as const
/** `kept_cancelled`: the registration to keep is cancelled, so that the person would be left with none. */
export type MergeRefusal = (typeof mergeRefusals)[number]

/** Cancels a duplicate of the registration `kept`; audited for both. */
export async function mergePerson(
  deps: Deps,
  actor: Actor,
  person: PersonRef,
  kept: PersonRef,
): Promise<'cancelled' | MergeRefusal> {
  const outcome = await mergeRegistration(deps, person.id, kept.id)
  if (outcome === 'cancelled') {
    await recordPersonAudit(deps, actor, 'person.merged', person, { to: kept.workshop.slug })
    await recordPersonAudit(deps, actor, 'person.merged', kept, { from: person.workshop.slug })
  }
  return outcome
}

/** Marks registrations that share a phone or name as different people. They are listed again once a new one joins. */
export async function markNotDuplicate(deps: Deps, actor: Actor, people: readonly PersonRef[]): Promise<void> {
  const ids = uuidArray(people.map(({ id }) => id))
  await deps.db.execute(sql`
    with locked as (select id from registrations where id = any(${ids}) order by id for no key update)
    update registrations r set not_duplicates = true from locked where r.id = locked.id`)
  for (const person of people) await recordPersonAudit(deps, actor, 'person.told_apart', person)
}

/** Moves a person to another workshop of the campaign. @param to slug of that workshop */
export async function movePerson(
  deps: Deps,
  actor: Actor,
  person: PersonRef,
  to: string,
): Promise<{ kind: 'moved'; status: 'confirmed' | 'waitlisted' } | { kind: 'refused'; refusal: MoveRefusal }> {
  const outcome = await moveRegistration(deps, person.id, to)
  if (outcome.kind === 'moved')
    await recordPersonAudit(deps, actor, 'person.moved', person, { to, status: outcome.status })
  return outcome
}

export const promoteRefusals = ['full', 'seated', 'cancelled', 'over', 'not_found'] as const
/** `full`: no seat is free. `seated`: the person has a seat or is offered one. `over`: the workshop has ended. */
export type PromoteRefusal = (typeof promoteRefusals)[number]
export type PromoteResult =
  | { kind: 'promoted'; capacity: number }
  | { kind: 'refused'; refusal: PromoteRefusal; taken: number; capacity: number }

/**
 * Promotes a waitlisted registration out of turn. Seat, mail and audit entry are stored in one statement.
 * @param reason why; stored in the audit log
 * @param addSeat raises the capacity by one if no seat is free
 */
export async function promotePerson(
  deps: Deps,
  actor: Actor,
  person: PersonRef,
  { reason, addSeat }: { reason: string; addSeat: boolean },
): Promise<PromoteResult> {
  const [result] = await query<{ outcome: 'promoted' | PromoteRefusal; taken: number; capacity: number }>(
    deps.db,
    sql`with answer as materialized (
          select * from promote_manually(${person.id}::uuid, ${addSeat}::boolean, ${timestamptz(deps.now())})
        ),
        audited as (
          ${insertAudit(
            deps,
            actor,
            personAuditEntry('person.promoted', person, {}, { reason }),
            sql`answer where outcome = 'promoted'`,
            sql`jsonb_build_object('capacity', capacity)`,
          )}
        )
        select * from answer`,
  )
  const { outcome, taken, capacity } = result ?? { outcome: 'not_found', taken: 0, capacity: 0 }
  if (outcome !== 'promoted') return { kind: 'refused', refusal: outcome, taken, capacity }
  deps.notifyMailQueue()
  return { kind: 'promoted', capacity }
}

/** Accepts an offered seat on behalf of the attendee. */
export async function acceptPersonOffer(
  deps: Deps,
  actor: Actor,
  person: PersonRef,
): Promise<'taken' | 'already_taken' | OfferRefusal> {
  const outcome = await acceptOffer(deps, person.id)
  if (outcome === 'taken') await recordPersonAudit(deps, actor, 'person.changed', person, { changed: ['seat'] })
  return outcome
}

/** Registers a person on behalf of an organiser, by the same rules as any sign-up: a seat or the waitlist. */
export async function addPerson(
  deps: Deps,
  actor: Actor,
  workshop: Workshop,
  signUp: SignUp,
  idempotencyKey: string,
): Promise<Registered | { kind: 'refused'; refusal: Refusal }> {
  const consentVersion = `${signUp.consentVersion}, ${verbalConsent}`
  const result = await register(deps, workshop, { ...signUp, consentVersion }, idempotencyKey, 'organiser')
  if (result.kind === 'registered' && !result.replayed) {
    const { name, email } = signUp
    const { id } = result
    await recordPersonAudit(deps, actor, 'person.added', { id, name, email, workshop }, { status: result.status })
  }
  return result
}

/** Suffix of the stored consent version where an organiser states that the person agreed to the privacy notice. */
const verbalConsent = 'by word of an organiser'

/** Erases a person permanently and releases their seat. Refused while they have a board. */
export async function erasePerson(deps: Deps, actor: Actor, person: PersonRef): Promise<'erased' | EraseRefusal> {
  const outcome = await eraseRegistration(deps, person.id, 'organiser')
  // Without name and address: the audit log must not keep them either.
  if (outcome === 'erased')
    await recordPersonAudit(deps, actor, 'person.erased', { ...person, name: undefined, email: undefined })
  return outcome
}

/** Retries one of a person's dead mails. `not_found`: the mail is another person's. */
export async function resendPersonMail(deps: Deps, actor: Actor, person: Person, mail: number): Promise<RetryOutcome> {
  const personMail = person.mails.find(({ id }) => id === mail)
  if (!personMail) return 'not_found'
  const outcome = await retryMail(deps, mail)
  if (outcome === 'queued') await recordPersonAudit(deps, actor, 'mail.sent_again', person, { kind: personMail.kind })
  return outcome
}

/** The subject of an audit entry. */
export type PersonRef = Pick<Registration, 'id' | 'name' | 'email'> & {
  workshop: Pick<Workshop, 'id' | 'slug' | 'campaignId'>
}

type AuditSubject = Partial<PersonRef> & Pick<PersonRef, 'id' | 'workshop'>

async function recordPersonAudit(
  deps: Deps,
  actor: Actor,
  action: AuditAction,
  person: AuditSubject,
  payload?: Record<string, unknown>,
  pii?: Record<string, unknown>,
): Promise<void> {
  await recordAudit(deps, actor, personAuditEntry(action, person, payload, pii))
}

function personAuditEntry(
  action: AuditAction,
  { id, name, email, workshop }: AuditSubject,
  payload: Record<string, unknown> = {},
  pii: Record<string, unknown> = {},
): AuditInput & { pii: Record<string, unknown> } {
  return {
    action,
    campaignId: workshop.campaignId ?? undefined,
    workshopId: workshop.id,
    registrationId: id,
    payload: { workshop: workshop.slug, ...payload },
    pii: { name, email, ...pii },
  }
}

type StoredMail = { kind: MailKind; payload: MailPayload; createdAt: Date }
type StoredEntry = Pick<typeof auditEntries.$inferSelect, 'at' | 'actor' | 'action' | 'payload' | 'pii'>

/** Mails are enqueued in the transaction that causes them, so they date the events; the audit log adds actor and reason. */
function buildHistory(
  signedUp: { createdAt: Date; status: RegistrationStatus },
  mailRows: readonly StoredMail[],
  audited: readonly StoredEntry[],
): PersonEvent[] {
  const mailEvents = mailRows.flatMap((mail): PersonEvent[] => {
    const { kind, payload, createdAt: at } = mail
    if (payload.corrected) return [{ at, kind: 'email_corrected' }]
    if (kind === 'promoted') return [{ at, kind: 'seated' }]
    if (kind === 'offered') return [{ at, kind }]
    if (kind === 'moved') return [{ at, kind, from: payload.from }]
    if (kind === 'cancelled') return [{ at, kind, by: payload.by }]
    return []
  })
  const events: PersonEvent[] = [{ at: signedUp.createdAt, kind: 'signed_up', status: signedUp.status }, ...mailEvents]
  for (const { at, actor, action, payload, pii } of audited) {
    const changed = Array.isArray(payload.changed) ? payload.changed.map(String) : []
    const kind = changed.includes('seat') ? 'seated' : eventKindByAction[action]
    // The audit entry is written right after the event.
    const event =
      kind && events.findLast((event) => event.kind === kind && !event.actor && isShortlyBefore(event.at, at))
    if (event) {
      event.actor = actor
      if (event.kind === 'seated' && typeof pii?.reason === 'string') event.reason = pii.reason
    }
    const fields = changed.filter((field) => field !== 'email' && field !== 'seat')
    if (action === 'person.changed' && fields.length > 0) events.push({ at, actor, kind: 'changed', fields })
  }
  return events.sort((a, b) => a.at.getTime() - b.at.getTime())
}

const eventKindByAction: Partial<Record<string, PersonEvent['kind']>> = {
  'person.added': 'signed_up',
  'person.cancelled': 'cancelled',
  'person.merged': 'cancelled',
  'person.told_apart': 'changed',
  'person.moved': 'moved',
  'person.promoted': 'seated',
  'person.changed': 'email_corrected',
} satisfies Partial<Record<AuditAction, PersonEvent['kind']>>

function isShortlyBefore(event: Date, entry: Date): boolean {
  const elapsed = entry.getTime() - event.getTime()
  return elapsed >= 0 && elapsed < 60_000
}
