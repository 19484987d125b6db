import type { Deps } from '../../../domain/deps.ts'
import { listAttendees } from '../../../domain/registrations/export.ts'
import { findRegistrations, type Registration } from '../../../domain/registrations/registrations.ts'
import type { Workshop } from '../../../domain/workshops/workshops.ts'

/** A registration to preview mails with: a confirmed one if there is one, else a waitlisted one. */
export async function findSampleRegistration(deps: Deps, workshop: Workshop): Promise<Registration | undefined> {
  const {
    lines: [first],
  } = await listAttendees(deps, workshop, { status: workshop.taken > 0 ? 'confirmed' : 'waitlisted', limit: 1 })
  return first && (await findRegistrations(deps, [first.id]))[0]
}
