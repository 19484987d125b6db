import { and, eq, inArray, isNull, ne, type SQL, sql } from 'drizzle-orm'
import parsePhoneNumber from 'libphonenumber-js/mobile'
import { z } from 'zod'
import { locales } from '../config.ts'
import { at, rows } from '../db/database.ts'
import { type Canceller, type RegistrationStatus, registrations, type SignUp } from '../db/schema.ts'
import type { Deps } from '../deps.ts'
import { atMost, bounded, firstOfEach } from './bounds.ts'
import { normalize, oneLine, within } from './plain-text.ts'
import { type Bearer, doorCodeOf, ticketOf } from './tickets.ts'
import { holdsWebAddress } from './web-addresses.ts'
import { findWorkshopById, type Workshop } from './workshops.ts'

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

const line = (longest: number) =>
  z
    .string({ error: (issue) => (issue.input === undefined ? 'missing' : 'invalid') })
    .transform(bounded((text) => oneLine(text, longest)))
    .pipe(z.string().refine((text) => !holdsWebAddress(text), 'web_address'))

/** Items of a checklist that one sign-up answers: as many as a checklist may have. */
const mostAnswers = 50

/** What someone types in to sign up. Empty optional fields count as not given. */
export const signUp = z.object({
  name: line(80).pipe(z.string().min(1, 'missing')),
  email: z
    .string({ error: (issue) => (issue.input === undefined ? 'missing' : 'invalid') })
    .transform(bounded((text) => withoutInvisible(text, 254)))
    .pipe(z.string().min(1, 'missing').regex(emailAddress(), 'email_invalid')),
  phone: z
    .string('invalid')
    .transform(bounded((text) => withoutInvisible(text, 40)))
    .transform((typed, context) => {
      if (typed === '') return undefined
      const number = parsePhoneNumber(typed, 'CN')
      if (number?.isValid()) return number.number as string
      context.addIssue({ code: 'custom', message: 'phone_invalid' })
      return z.NEVER
    })
    .optional(),
  company: line(120)
    .transform((text) => text || undefined)
    .optional(),
  locale: z.enum(locales, 'invalid').optional(),
  /** The code of the registration link that led here; an unknown one is ignored. */
  via: z
    .string('invalid')
    .transform((code) => (/^\w{1,64}$/.test(code) ? code : undefined))
    .optional(),
  ready: atMost(mostAnswers, z.record(z.uuid('invalid'), z.boolean('invalid'), 'invalid')).optional(),
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
  const parsed = signUp.safeParse(input)
  const problems = parsed.success ? [] : fieldProblems(parsed.error)
  const phone = (input as { phone?: unknown } | null)?.phone
  if (workshop.phone === 'required' && (phone === undefined || phone === '')) {
    problems.push({ field: 'phone', code: 'missing' })
  }
  if (!parsed.success || problems.length > 0) return { problems: inFormOrder(problems) }
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
  const parsed = signUp.pick({ email: true }).safeParse({ email: input })
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
  comingOn: string | null
  consentVersion: string
  consentAt: Date
  createdAt: Date
  /** What it adds to its workshop's SEQUENCE in the calendar. */
  calendarRaise: number
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
export function hasLapsed({ offeredUntil }: Pick<Registration, 'offeredUntil'>, now: Date): boolean {
  return offeredUntil !== null && offeredUntil <= now
}

/** The registration that a ticket or door code bears, or undefined if it is not there, erased, or has a newer ticket. */
export async function findRegistration(deps: Deps, bearer: Bearer | undefined): Promise<Registration | undefined> {
  if (!bearer) return undefined
  const registration = await findRegistrationById(deps, bearer.id)
  return registration?.ticketVersion === bearer.version ? registration : undefined
}

/** The registration with an id, or undefined if it is not there or the person was erased. */
export async function findRegistrationById(
  deps: Deps,
  id: string,
): Promise<(Registration & { ticketVersion: number }) | undefined> {
  const [registration] = await readRegistrations(deps, eq(registrations.id, id))
  return registration
}

/** The registrations with these ids, in no order. Whoever was erased is left out. */
export async function findRegistrations(deps: Deps, ids: readonly string[]): Promise<Registration[]> {
  return ids.length > 0 ? readRegistrations(deps, inArray(registrations.id, [...ids])) : []
}

/** The live registrations of these addresses, the next workshop first; those whose workshop is over are left out. */
export async function findTickets(deps: Deps, emails: readonly string[]): Promise<Registration[]> {
  if (emails.length === 0) return []
  const keys = emails.map((email) => email.toLowerCase())
  const live = await readRegistrations(
    deps,
    and(inArray(registrations.emailKey, keys), ne(registrations.status, 'cancelled')),
  )
  return live
    .filter(({ workshop }) => workshop.endsAt > deps.now())
    .sort((a, b) => a.workshop.startsAt.getTime() - b.workshop.startsAt.getTime())
}

async function readRegistrations(
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
    const bearer = { id: registration.id, version: registration.ticketVersion }
    return {
      ...registration,
      position,
      ticket: ticketOf(deps.config.secret, bearer),
      doorCode: doorCodeOf(deps.config.secret, bearer),
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
  const [answer] = await rows<{ outcome: 'corrected' | 'unchanged' | EmailRefusal; ticket_version: number }>(
    deps.db,
    sql`select * from correct_email(${id}::uuid, ${email}, ${email.toLowerCase()}, ${at(deps.now())})`,
  )
  const outcome = answer?.outcome ?? 'not_found'
  if (outcome === 'corrected') deps.mailOwed()
  if (outcome !== 'corrected' && outcome !== 'unchanged') return { kind: 'refused', refusal: outcome }
  return { kind: outcome, ticket: ticketOf(deps.config.secret, { id, version: answer?.ticket_version ?? 1 }) }
}

/**
 * Owes a mail with all live tickets of an address to that address, unless it had one just now. Says nothing about
 * whether the address is known.
 */
export async function mailTickets(deps: Deps, email: string): Promise<void> {
  const now = at(deps.now())
  const key = email.toLowerCase()
  await deps.db.execute(sql`
    insert into mails (registration_id, kind, created_at, due_at)
    select r.id, 'found', ${now}, ${now}
    from registrations r join workshops w on w.id = r.workshop_id
    where r.email_key = ${key} and r.status in ('confirmed', 'waitlisted', 'offered') and w.ends_at > ${now}
      and may_mail_ticket(${key}, ${now})
    order by r.created_at desc
    limit 1
  `)
  deps.mailOwed()
}

/** zod's issues as field and code, the first of each field. Whatever our schemas do not name themselves is `invalid`. */
export function fieldProblems(error: z.ZodError): FieldProblem[] {
  const problems = error.issues.map((issue) => ({
    field: issue.path.join('.'),
    code: fieldCodes.find((code) => code === issue.message) ?? ('invalid' as const),
  }))
  return firstOfEach(problems, ({ field }) => field)
}

function inFormOrder(problems: FieldProblem[]): FieldProblem[] {
  const order = Object.keys(signUp.shape)
  const rank = (problem: FieldProblem) => order.indexOf(problem.field.split('.')[0] ?? '')
  return problems.toSorted((a, b) => rank(a) - rank(b))
}

/**
 * Full-width letters and digits become plain ones; invisible characters that came with a paste go. Undefined for a text that
 * is too long.
 */
function withoutInvisible(text: string, longest: number): string | undefined {
  return within(longest, text, (text) =>
    normalize(text, 'NFKC')
      .replace(/\p{Cf}/gu, '')
      .trim(),
  )
}

/**
 * Plain ASCII addresses without quotes, commas or comments: the part of RFC 5321 that every mail server and
 * spreadsheet agrees on.
 */
function emailAddress(): RegExp {
  return /^(?=.{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/
}
