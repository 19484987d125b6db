import { and, eq, inArray, isNull, ne, type SQL, sql } from 'drizzle-orm'
import parsePhoneNumber from 'libphonenumber-js/mobile'
import { z } from 'zod'
import { query, timestamptz } from '../../db/database.ts'
import {
  type Canceller,
  type RegistrationSource,
  type RegistrationStatus,
  registrations,
  type SignUp,
} from '../../db/schema.ts'
import { locales } from '../../lib/config.ts'
import { firstPerKey, limitSize, normalizedWith } from '../../lib/input-limits.ts'
import { normalizeLine, normalizeUnicode, normalizeWithin } from '../../lib/text.ts'
import { containsUrl } from '../../lib/urls.ts'
import type { Deps } from '../deps.ts'
import { createCheckInCode, createTicketToken, type TokenSubject } from '../tickets/signed-tokens.ts'
import { findWorkshopById, type Workshop } from '../workshops/workshops.ts'

/** Why a form field is invalid. Each code is translated in i18n. */
export const fieldCodes = [
  'missing',
  'invalid',
  'too_long',
  'web_address',
  'email_invalid',
  'phone_invalid',
  'consent_missing',
] as const
export type FieldCode = (typeof fieldCodes)[number]
export type FieldProblem = { field: string; code: FieldCode }

/**
 * Version of the privacy notice that an attendee agrees to: a date, with a letter from the second of a day on. Change it
 * whenever the meaning of the notice changes.
 */
export const consentVersion = '2026-11-24b'

const lineSchema = (maxLength: number) =>
  z
    .string({ error: (issue) => (issue.input === undefined ? 'missing' : 'invalid') })
    .transform(normalizedWith((text) => normalizeLine(text, maxLength)))
    .pipe(z.string().refine((text) => !containsUrl(text), 'web_address'))

/** Maximum number of items of a checklist. */
const maxAnswers = 50

/** Input of the sign-up form. Empty optional fields count as missing. */
export const signUpSchema = z.object({
  name: lineSchema(80).pipe(z.string().min(1, 'missing')),
  email: z
    .string({ error: (issue) => (issue.input === undefined ? 'missing' : 'invalid') })
    .transform(normalizedWith((text) => stripInvisible(text, 254)))
    .pipe(z.string().min(1, 'missing').regex(emailPattern(), 'email_invalid')),
  phone: z
    .string('invalid')
    .transform(normalizedWith((text) => stripInvisible(text, 40)))
    .transform((input, context) => {
      if (input === '') return undefined
      const number = parsePhoneNumber(input, 'CN')
      if (number?.isValid()) return number.number as string
      context.addIssue({ code: 'custom', message: 'phone_invalid' })
      return z.NEVER
    })
    .optional(),
  company: lineSchema(120)
    .transform((text) => text || undefined)
    .optional(),
  locale: z.enum(locales, 'invalid').optional(),
  /** Code of the registration link; an unknown one is ignored. */
  via: z
    .string('invalid')
    .transform((code) => (/^\w{1,64}$/.test(code) ? code : undefined))
    .optional(),
  ready: limitSize(maxAnswers, z.record(z.uuid('invalid'), z.boolean('invalid'), 'invalid')).optional(),
  consent: z.literal(true, 'consent_missing'),
})

/**
 * Parses the input of a sign-up form; whether the phone is required depends on the workshop.
 * @param locale language of the page, used if the input has none
 */
export function parseSignUp(
  input: unknown,
  workshop: Pick<Workshop, 'phone' | 'items'>,
  locale: string,
): { signUp: SignUp } | { problems: FieldProblem[] } {
  const parsed = signUpSchema.safeParse(input)
  const problems = parsed.success ? [] : fieldProblems(parsed.error)
  const phone = (input as { phone?: unknown } | null)?.phone
  if (workshop.phone === 'required' && (phone === undefined || phone === '')) {
    problems.push({ field: 'phone', code: 'missing' })
  }
  if (!parsed.success || problems.length > 0) return { problems: sortByFormOrder(problems) }
  const { consent: _, ready = {}, ...rest } = parsed.data
  const itemIds = new Set(workshop.items.map((item) => item.id))
  return {
    signUp: {
      ...rest,
      locale: rest.locale ?? locale,
      // Sorted by id, as the database returns them, so that equal sign-ups have equal JSON and fingerprints.
      ready: Object.fromEntries(
        Object.entries(ready)
          .filter(([id]) => itemIds.has(id))
          .toSorted(([a], [b]) => (a < b ? -1 : 1)),
      ),
      consentVersion,
    },
  }
}

/** Parses a corrected e-mail address. */
export function parseEmail(input: unknown): { email: string } | { problems: FieldProblem[] } {
  const parsed = signUpSchema.pick({ email: true }).safeParse({ email: input })
  return parsed.success ? parsed.data : { problems: fieldProblems(parsed.error) }
}

/** A registration with its workshop, as the ticket page shows it. */
export type Registration = {
  id: string
  seq: number
  status: RegistrationStatus
  /** Position on the waitlist, counted from 1; null when not waiting. */
  position: number | null
  name: string
  email: string
  phone: string | null
  company: string | null
  locale: string
  ready: Record<string, boolean>
  /** Date for which attendance was confirmed: 2026-12-19. */
  attendanceConfirmedFor: string | null
  consentVersion: string
  source: RegistrationSource | null
  consentAt: Date
  createdAt: Date
  /** Added to the SEQUENCE of its workshop's calendar entry. */
  calendarSequenceOffset: number
  /** When the seat was assigned; null if there was none yet. */
  seatedAt: Date | null
  /** Deadline of an offered seat; null without an offer. */
  offeredUntil: Date | null
  cancelledAt: Date | null
  cancelledBy: Canceller | null
  ticket: string
  doorCode: string
  workshop: Workshop
}

/** True if an offered seat was not accepted in time. `expireOffers` passes it on within a minute. */
export function isOfferExpired({ offeredUntil }: Pick<Registration, 'offeredUntil'>, now: Date): boolean {
  return offeredUntil !== null && offeredUntil <= now
}

/** Finds the registration of a verified ticket token or check-in code. Undefined if unknown, erased or reissued since. */
export async function findRegistration(
  deps: Deps,
  subject: TokenSubject | undefined,
): Promise<Registration | undefined> {
  if (!subject) return undefined
  const registration = await findRegistrationById(deps, subject.id)
  return registration?.ticketVersion === subject.version ? registration : undefined
}

/** Finds a registration by id. Undefined if unknown or erased. */
export async function findRegistrationById(
  deps: Deps,
  id: string,
): Promise<(Registration & { ticketVersion: number }) | undefined> {
  const [registration] = await selectRegistrations(deps, eq(registrations.id, id))
  return registration
}

/** Finds registrations by id, in no particular order, without erased ones. */
export async function findRegistrations(deps: Deps, ids: readonly string[]): Promise<Registration[]> {
  return ids.length > 0 ? selectRegistrations(deps, inArray(registrations.id, [...ids])) : []
}

/** Finds the live registrations of these addresses to workshops that are not over, earliest workshop first. */
export async function findTickets(deps: Deps, emails: readonly string[]): Promise<Registration[]> {
  if (emails.length === 0) return []
  const keys = emails.map((email) => email.toLowerCase())
  const active = await selectRegistrations(
    deps,
    and(inArray(registrations.emailKey, keys), ne(registrations.status, 'cancelled')),
  )
  return active
    .filter(({ workshop }) => workshop.endsAt > deps.now())
    .sort((a, b) => a.workshop.startsAt.getTime() - b.workshop.startsAt.getTime())
}

async function selectRegistrations(
  deps: Deps,
  condition: SQL | undefined,
): Promise<(Registration & { ticketVersion: number })[]> {
  const rows = await deps.db
    .select({
      registration: registrations,
      // Columns are written out: Drizzle omits the table name here, so they would refer to `ahead`.
      position: sql<number | null>`case when ${registrations.status} = 'waitlisted' then (
        select count(*)::int from registrations ahead
        where ahead.workshop_id = registrations.workshop_id and ahead.status = 'waitlisted' and ahead.seq <= registrations.seq
      ) end`,
    })
    .from(registrations)
    .where(and(condition, isNull(registrations.erasedAt)))
  const ids = new Set(rows.map(({ registration }) => registration.workshopId))
  const workshops = new Map(
    await Promise.all([...ids].map(async (id) => [id, (await findWorkshopById(deps, id)) as Workshop] as const)),
  )
  return rows.map(({ registration, position }) => {
    const subject = { id: registration.id, version: registration.ticketVersion }
    return {
      ...registration,
      position,
      ticket: createTicketToken(deps.config.secret, subject),
      doorCode: createCheckInCode(deps.config.secret, subject),
      workshop: workshops.get(registration.workshopId) as Workshop,
    }
  })
}

export type EmailRefusal = 'already_registered' | 'too_many' | 'cancelled' | 'over' | 'not_found'

/**
 * Replaces a mistyped address: mails the confirmation to the new one and invalidates all older ticket links, because a
 * stranger may have received them.
 */
export async function correctEmail(
  deps: Deps,
  id: string,
  email: string,
): Promise<{ kind: 'corrected' | 'unchanged'; ticket: string } | { kind: 'refused'; refusal: EmailRefusal }> {
  const [result] = await query<{ outcome: 'corrected' | 'unchanged' | EmailRefusal; ticket_version: number }>(
    deps.db,
    sql`select * from correct_email(${id}::uuid, ${email}, ${email.toLowerCase()}, ${timestamptz(deps.now())})`,
  )
  const outcome = result?.outcome ?? 'not_found'
  if (outcome === 'corrected') deps.notifyMailQueue()
  if (outcome !== 'corrected' && outcome !== 'unchanged') return { kind: 'refused', refusal: outcome }
  return { kind: outcome, ticket: createTicketToken(deps.config.secret, { id, version: result?.ticket_version ?? 1 }) }
}

/**
 * Enqueues a mail with all live tickets of an address to that address, unless one was sent recently. Returns nothing, so
 * that the caller cannot disclose whether the address is known.
 */
export async function enqueueTicketsMail(deps: Deps, email: string): Promise<void> {
  const now = timestamptz(deps.now())
  const key = email.toLowerCase()
  await deps.db.execute(sql`
    insert into mails (registration_id, kind, created_at, due_at)
    select r.id, 'found', ${now}, ${now}
    from registrations r join workshops w on w.id = r.workshop_id
    where r.email_key = ${key} and r.status in ('confirmed', 'waitlisted', 'offered') and w.ends_at > ${now}
      and can_mail_ticket(${key}, ${now})
    order by r.created_at desc
    limit 1
  `)
  deps.notifyMailQueue()
}

/** Maps zod issues to field and code, the first of each field. Messages that are no `FieldCode` become `invalid`. */
export function fieldProblems(error: z.ZodError): FieldProblem[] {
  const problems = error.issues.map((issue) => ({
    field: issue.path.join('.'),
    code: fieldCodes.find((code) => code === issue.message) ?? ('invalid' as const),
  }))
  return firstPerKey(problems, ({ field }) => field)
}

function sortByFormOrder(problems: FieldProblem[]): FieldProblem[] {
  const order = Object.keys(signUpSchema.shape)
  const rank = (problem: FieldProblem) => order.indexOf(problem.field.split('.')[0] ?? '')
  return problems.toSorted((a, b) => rank(a) - rank(b))
}

/** Converts full-width letters and digits and removes invisible characters (often pasted). Undefined if too long. */
function stripInvisible(text: string, maxLength: number): string | undefined {
  return normalizeWithin(maxLength, text, (text) =>
    normalizeUnicode(text, 'NFKC')
      .replace(/\p{Cf}/gu, '')
      .trim(),
  )
}

/**
 * Matches plain ASCII addresses without quotes, commas or comments: the subset of RFC 5321 that all mail servers and
 * spreadsheets accept.
 */
function emailPattern(): RegExp {
  return /^(?=.{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/
}
