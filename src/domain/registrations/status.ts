import type { RegistrationStatus } from '../../db/schema.ts'

/** Whether a registration takes up a seat: a confirmed one, or one with an offer. */
export function holdsSeat({ status }: { status: RegistrationStatus }): boolean {
  return status === 'confirmed' || status === 'offered'
}
