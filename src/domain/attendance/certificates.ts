import { randomInt } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { databaseError, query, timestamptz } from '../../db/database.ts'
import { normalizeUnicode } from '../../lib/text.ts'
import type { Deps } from '../deps.ts'
import { type FieldProblem, fieldProblems, type Registration, signUpSchema } from '../registrations/registrations.ts'
import { findWorkshopById, type Workshop } from '../workshops/workshops.ts'
import { checkInJoin, effectiveEnd } from './attendance.ts'

/*
 * Certificates of attendance, which anyone can verify by number. If the check-in is undone, the number is shown as invalid; a
 * later check-in makes it valid again.
 */

export type Certificate = {
  /** Ten characters, as stored. `formatCertificateNumber` prints it. */
  number: string
  /** Null once the person is erased, unless they chose to keep it. */
  name: string | null
  /** Keep the name when the retention period of the person's other data ends. */
  keepName: boolean
  issuedAt: Date
}

/** Crockford's base32, without I, L, O and U (https://www.crockford.com/base32.html). */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const numberLength = 10

/** 50 random bits, so that numbers cannot be guessed. */
function generateNumber(): string {
  return Array.from({ length: numberLength }, () => alphabet[randomInt(alphabet.length)]).join('')
}

/** Formats a number for print: 7K3QM-9XB2D. */
export function formatCertificateNumber(number: string): string {
  return `${number.slice(0, 5)}-${number.slice(5)}`
}

/**
 * Parses a typed number: in any case, with spaces and hyphens anywhere, letters that look like digits, and full-width
 * characters. Undefined if invalid.
 */
export function parseCertificateNumber(input: string): string | undefined {
  if (input.length > 100) return undefined
  const plain = normalizeUnicode(input, 'NFKC')
    .toUpperCase()
    .replace(/[\s\p{Pd}\p{Cf}]/gu, '')
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1')
  return plain.length === numberLength && [...plain].every((char) => alphabet.includes(char)) ? plain : undefined
}

/** Parses the name to print, by the same rules as for a sign-up. */
export function parseCertificateName(input: unknown): { name: string } | { problems: FieldProblem[] } {
  const parsed = signUpSchema.pick({ name: true }).safeParse({ name: input })
  return parsed.success ? parsed.data : { problems: fieldProblems(parsed.error) }
}

/**
 * `too_early`: the workshop is not over. `did_not_come`: not checked in, or the check-in was undone. `not_found`: unknown or
 * erased.
 */
export type CertificateRefusal = 'too_early' | 'did_not_come' | 'not_found'

/**
 * Issues the certificate of an attendee, or updates the name on an existing one, which keeps its number and date.
 * @param generate returns a random number; called again if the number is taken
 */
export async function issueCertificate(
  deps: Deps,
  { id, workshop }: Pick<Registration, 'id' | 'workshop'>,
  { name, keepName }: { name: string; keepName: boolean },
  generate = generateNumber,
): Promise<{ kind: 'issued'; certificate: Certificate } | { kind: 'refused'; refusal: CertificateRefusal }> {
  if (deps.now() < effectiveEnd(workshop)) return { kind: 'refused', refusal: 'too_early' }
  for (let attempt = 1; ; attempt++) {
    try {
      // Locks the row against concurrent erasure, which would otherwise miss the name stored here.
      const [result] = await query<{ number: string | null; issued_at: string | Date | null }>(
        deps.db,
        sql`with person as materialized (
              select r.id, r.workshop_id from registrations r
              where r.id = ${id}::uuid and r.erased_at is null
              for share
            ),
            issued as (
              insert into certificates as mine (number, registration_id, workshop_id, name, keep_name, issued_at)
              select ${generate()}, r.id, r.workshop_id, ${name}, ${keepName}::boolean, ${timestamptz(deps.now())}
              from person r ${checkInJoin}
              where c.id is not null
              on conflict (registration_id) do update set name = excluded.name, keep_name = excluded.keep_name
              returning mine.number, mine.issued_at
            )
            select issued.number, issued.issued_at from person left join issued on true`,
      )
      if (!result) return { kind: 'refused', refusal: 'not_found' }
      const { number, issued_at } = result
      if (!number || !issued_at) return { kind: 'refused', refusal: 'did_not_come' }
      return { kind: 'issued', certificate: { number, name, keepName, issuedAt: new Date(issued_at) } }
    } catch (error) {
      // A collision of 50 random bits is rare; ten in a row are a bug.
      if (databaseError(error)?.constraint !== 'certificates_pkey' || attempt === 10) throw error
    }
  }
}

export async function findCertificate(deps: Deps, registrationId: string): Promise<Certificate | undefined> {
  const [stored] = await query<StoredCertificate>(
    deps.db,
    sql`select number, name, keep_name, issued_at from certificates where registration_id = ${registrationId}::uuid`,
  )
  return stored && parseStoredCertificate(stored)
}

/** `valid`: the attendee is checked in. */
export type VerifiedCertificate = Certificate & { workshop: Workshop; valid: boolean }

/** Finds a certificate by its number, as returned by `parseCertificateNumber`. */
export async function verifyCertificate(deps: Deps, number: string): Promise<VerifiedCertificate | undefined> {
  const [stored] = await query<StoredCertificate & { workshop_id: string; valid: boolean }>(
    deps.db,
    sql`select mine.number, mine.name, mine.keep_name, mine.issued_at, mine.workshop_id, c.id is not null as valid
        from certificates mine join registrations r on r.id = mine.registration_id ${checkInJoin}
        where mine.number = ${number}`,
  )
  if (!stored) return undefined
  const workshop = (await findWorkshopById(deps, stored.workshop_id)) as Workshop
  return { ...parseStoredCertificate(stored), workshop, valid: stored.valid }
}

type StoredCertificate = { number: string; name: string | null; keep_name: boolean; issued_at: string | Date }

function parseStoredCertificate({ number, name, keep_name, issued_at }: StoredCertificate): Certificate {
  return { number, name, keepName: keep_name, issuedAt: new Date(issued_at) }
}
