import { randomInt } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { databaseError, query, timestamptz } from '../../db/database.ts'
import { normalizeUnicode } from '../../lib/text.ts'
import type { Deps } from '../deps.ts'
import { type FieldProblem, fieldProblems, type Registration, signUpSchema } from '../registrations/registrations.ts'
import { findWorkshopById, type Workshop } from '../workshops/workshops.ts'
import { checkInJoin, effectiveEnd } from './attendance.ts'

/*
 * A certificate says that somebody took part, to anyone who has its number. Where the check-in that it rests on is taken back
 * its number stays and is said to be not valid; a later check-in makes it valid again.
 */

export type Certificate = {
  /** As it is stored: ten signs. `inGroups` writes it for people. */
  number: string
  /** Null once the person is forgotten and had not asked for it to stay. */
  name: string | null
  /** Whether the name stays when everything else about the person is deleted. */
  keepName: boolean
  issuedAt: Date
}

/** Crockford's base32: neither I, L, O nor U (https://www.crockford.com/base32.html). */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const numberLength = 10

/** A new number: 50 random bits, so that nobody finds one by trying. */
function generateNumber(): string {
  return Array.from({ length: numberLength }, () => alphabet[randomInt(alphabet.length)]).join('')
}

/** A number as it is printed: 7K3QM-9XB2D. */
export function formatCertificateNumber(number: string): string {
  return `${number.slice(0, 5)}-${number.slice(5)}`
}

/**
 * The number that somebody typed, in any case, with spaces and hyphens anywhere, with letters that look like digits and in
 * full width; undefined for what is none.
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

/** Checks the name that is to be printed, by the rules for that of a sign-up. */
export function parseCertificateName(input: unknown): { name: string } | { problems: FieldProblem[] } {
  const parsed = signUpSchema.pick({ name: true }).safeParse({ name: input })
  return parsed.success ? parsed.data : { problems: fieldProblems(parsed.error) }
}

/**
 * `too_early`: the workshop goes on. `did_not_come`: they were not checked in, or that was taken back. `not_found`: there is
 * nobody, or no longer.
 */
export type CertificateRefusal = 'too_early' | 'did_not_come' | 'not_found'

/**
 * Issues the certificate of somebody who came, or changes what is on the one they have: its number and date stay.
 * @generate generate makes numbers; one that is taken already is made anew
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
      // The row is locked against the erasing of its person, who would find the name again.
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
      // With 50 bits it happens once in a very long time, and never often in a row.
      if (databaseError(error)?.constraint !== 'certificates_pkey' || attempt === 10) throw error
    }
  }
}

/** The certificate of a registration, undefined if none was issued. */
export async function findCertificate(deps: Deps, registrationId: string): Promise<Certificate | undefined> {
  const [found] = await query<StoredCertificate>(
    deps.db,
    sql`select number, name, keep_name, issued_at from certificates where registration_id = ${registrationId}::uuid`,
  )
  return found && parseStoredCertificate(found)
}

/** A certificate with what it says. `valid`: the check-in that it rests on stands. */
export type VerifiedCertificate = Certificate & { workshop: Workshop; valid: boolean }

/** The certificate with a number as it is stored; undefined if there is none. */
export async function verifyCertificate(deps: Deps, number: string): Promise<VerifiedCertificate | undefined> {
  const [found] = await query<StoredCertificate & { workshop_id: string; valid: boolean }>(
    deps.db,
    sql`select mine.number, mine.name, mine.keep_name, mine.issued_at, mine.workshop_id, c.id is not null as valid
        from certificates mine join registrations r on r.id = mine.registration_id ${checkInJoin}
        where mine.number = ${number}`,
  )
  if (!found) return undefined
  const workshop = (await findWorkshopById(deps, found.workshop_id)) as Workshop
  return { ...parseStoredCertificate(found), workshop, valid: found.valid }
}

type StoredCertificate = { number: string; name: string | null; keep_name: boolean; issued_at: string | Date }

function parseStoredCertificate({ number, name, keep_name, issued_at }: StoredCertificate): Certificate {
  return { number, name, keepName: keep_name, issuedAt: new Date(issued_at) }
}
