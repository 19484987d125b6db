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

/** Why a field of a form is refused; each code has its sentence in every language. */
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

/** The version of the privacy notice that an attendee agrees to: a day, and a letter where it is not the first of it. Change
 * it with the notice's meaning. */
export const consentVersion = '2026-11-24b'

const lineSchema = (maxLength: number) =>
  z
    .string({ error: (issue) => (issue.input === undefined ? 'missing' : 'invalid') })
    .transform(normalizedWith((text) => normalizeLine(text, maxLength)))
    .pipe(z.string().refine((text) => !containsUrl(text), 'web_address'))

/** Items of a checklist that one sign-up answers: as many as a checklist may have. */
const maxAnswers = 50

/** What someone types in to sign up. Empty optional fields count as not given. */
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
  /** The code of the registration link that led here; an unknown one is ignored. */
  via: z
    .string('invalid')
    .transform((code) => (/^\w{1,64}$/.test(code) ? code : undefined))
    .optional(),
  ready: limitSize(maxAnswers, z.record(z.uuid('invalid'), z.boolean('invalid'), 'invalid')).optional(),
  consent: z.literal(true, 'consent_missing'),
})

/**
 * Checks what someone typed in to sign up for a workshop: name, e-mail, phone as the workshop asks for it.
 * @param locale the language of the page, kept where the input names none
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
  const known = new Set(workshop.items.map((item) => item.id))
  return {
    signUp: {
      ...rest,
      locale: rest.locale ?? locale,
      // In the order of their ids, as they come back from the database: the same sign-up is the same text.
      ready: Object.fromEntries(
        Object.entries(ready)
          .filter(([id]) => known.has(id))
          .toSorted(([a], [b]) => (a < b ? -1 : 1)),
      ),
      consentVersion,
    },
  }
}

/** Checks a corrected e-mail address. */
export function parseEmail(input: unknown): { email: string } | { problems: FieldProblem[] } {
  const parsed = signUpSchema.pick({ email: true }).safeParse({ email: input })
  return parsed.success ? parsed.data : { problems: fieldProblems(parsed.error) }
}

/** A person's registration with its workshop, as the ticket shows it. */
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
  /** The day on which they said that they come: 2026-12-19. */
  attendanceConfirmedFor: string | null
  consentVersion: string
  source: RegistrationSource | null
  consentAt: Date
  createdAt: Date
  /** What it adds to its workshop's SEQUENCE in the calendar. */
  calendarSequenceOffset: number
  /** When the seat was given; null for those who only waited. */
  seatedAt: Date | null
  /** Until when an offered seat is held; null where none is offered. */
  offeredUntil: Date | null
  cancelledAt: Date | null
  cancelledBy: Canceller | null
  ticket: string
  doorCode: string
  workshop: Workshop
}

/** Confirmed and offered registrations hold a seat. */
export function holdsSeat({ status }: Pick<Registration, 'status'>): boolean {
  return status === 'confirmed' || status === 'offered'
}

/** Whether an offered seat was not taken in time; it is passed on within moments. */
export function isOfferExpired({ offeredUntil }: Pick<Registration, 'offeredUntil'>, now: Date): boolean {
  return offeredUntil !== null && offeredUntil <= now
}

/** The registration that a ticket or door code bears, or undefined if it is not there, erased, or has a newer ticket. */
export async function findRegistration(
  deps: Deps,
  subject: TokenSubject | undefined,
): Promise<Registration | undefined> {
  if (!subject) return undefined
  const registration = await findRegistrationById(deps, subject.id)
  return registration?.ticketVersion === subject.version ? registration : undefined
}

/** The registration with an id, or undefined if it is not there or the person was erased. */
export async function findRegistrationById(
  deps: Deps,
  id: string,
): Promise<(Registration & { ticketVersion: number }) | undefined> {
  const [registration] = await selectRegistrations(deps, eq(registrations.id, id))
  return registration
}

/** The registrations with these ids, in no order. Whoever was erased is left out. */
export async function findRegistrations(deps: Deps, ids: readonly string[]): Promise<Registration[]> {
  return ids.length > 0 ? selectRegistrations(deps, inArray(registrations.id, [...ids])) : []
}

/** The live registrations of these addresses, the next workshop first; those whose workshop is over are left out. */
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
  const found = await deps.db
    .select({
      registration: registrations,
      // Written out, because Drizzle leaves the table out of a column's name here, and then it would be that of `ahead`.
      position: sql<number | null>`case when ${registrations.status} = 'waitlisted' then (
        select count(*)::int from registrations ahead
        where ahead.workshop_id = registrations.workshop_id and ahead.status = 'waitlisted' and ahead.seq <= registrations.seq
      ) end`,
    })
    .from(registrations)
    .where(and(condition, isNull(registrations.erasedAt)))
  const ids = new Set(found.map(({ registration }) => registration.workshopId))
  const workshops = new Map(
    await Promise.all([...ids].map(async (id) => [id, (await findWorkshopById(deps, id)) as Workshop] as const)),
  )
  return found.map(({ registration, position }) => {
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
 * Replaces a mistyped address: the confirmation goes out again to the new one, and every older ticket link dies,
 * because a stranger may have received it.
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
 * Owes a mail with all live tickets of an address to that address, unless it had one just now. Says nothing about
 * whether the address is known.
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

/** zod's issues as field and code, the first of each field. Whatever our schemas do not name themselves is `invalid`. */
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

/**
 * Full-width letters and digits become plain ones; invisible characters that came with a paste go. Undefined for a text that
 * is too long.
 */
function stripInvisible(text: string, maxLength: number): string | undefined {
  return normalizeWithin(maxLength, text, (text) =>
    normalizeUnicode(text, 'NFKC')
      .replace(/\p{Cf}/gu, '')
      .trim(),
  )
}

/**
 * Plain ASCII addresses without quotes, commas or comments: the part of RFC 5321 that every mail server and
 * spreadsheet agrees on.
 */
function emailPattern(): RegExp {
  return /^(?=.{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/
}
