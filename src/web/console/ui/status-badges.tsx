import type { RegistrationStatus } from '../../../db/schema.ts'
import type { Campaign } from '../../../domain/campaigns/campaigns.ts'
import type { Workshop } from '../../../domain/workshops/workshops.ts'
import type { RegistrationMessages } from '../../../i18n/registrations.ts'
import type { ConsoleMessages } from '../../../i18n/zh-CN/console.ts'

/** State of a workshop or campaign. */
export function StatusBadge({ state, t }: { state: Workshop['state'] | Campaign['state']; t: ConsoleMessages }) {
  const modifier = { draft: 'off', published: '', closed: 'off', cancelled: 'warn' }[state]
  return <span class={`mark ${modifier}`}>{t.workshops.states[state]}</span>
}

/** Status of a registration, with the waitlist position. */
export function RegistrationStatusBadge({
  status,
  position,
  t,
}: {
  status: RegistrationStatus
  position: number | null
  t: RegistrationMessages
}) {
  return <span class={badgeClasses[status]}>{position === null ? t.statuses[status] : t.place(position)}</span>
}

const badgeClasses: Record<RegistrationStatus, string> = {
  confirmed: 'mark',
  offered: 'mark warn',
  waitlisted: 'mark warn',
  cancelled: 'mark off',
}
