import type { DoorCounts } from '../../domain/door/check-ins.ts'
import { canAdmitWalkIn } from '../../domain/door/walk-ins.ts'
import type { FieldProblem } from '../../domain/registrations/registrations.ts'
import { seatsLeft, type Workshop } from '../../domain/workshops/workshops.ts'
import { paths } from '../../http/links.ts'
import { doorMessages } from '../../i18n/door.ts'
import { joinSentences } from '../../i18n/format.ts'
import { publicMessages } from '../../i18n/public.ts'
import type { Locale } from '../../lib/config.ts'
import { RefusalNotice } from '../ui/notices.tsx'

/** A rejected walk-in form with its submitted values. */
export type RejectedWalkIn = {
  values: { name: string; phone: string }
  problems?: FieldProblem[]
  refusal?: 'full' | 'cancelled' | 'not_found'
}

export function WalkInForm({
  workshop,
  counts,
  now,
  nonce,
  name,
  rejected,
  locale,
}: {
  workshop: Workshop
  counts: DoorCounts
  now: Date
  nonce: string
  /** Prefilled, for a person with a cancelled registration. */
  name: string
  rejected: RejectedWalkIn | undefined
  locale: Locale
}) {
  const { walkIn: t } = doorMessages(locale)
  const seatAvailable = canAdmitWalkIn(workshop, counts, now)
  const canQueue = !seatAvailable && workshop.graceMinutes !== null
  const lead = seatAvailable ? t.lead.free(seatsLeft(workshop)) : seatsLeft(workshop) > 0 ? t.lead.waiting : t.lead.full
  return (
    <section class="walk-in" id="walk-in">
      <h2>{t.title}</h2>
      <p class="lead">{joinSentences(lead, !seatAvailable && (canQueue ? t.standing : t.noGrace))}</p>
      {rejected?.refusal && <RefusalNotice>{t.refusals[rejected.refusal]}</RefusalNotice>}
      {(seatAvailable || canQueue || rejected) && (
        <form method="post" action={paths.doorWalkIn()} novalidate>
          <input type="hidden" name="id" value={nonce} />
          <WalkInField
            name="name"
            label={t.name}
            value={rejected?.values.name ?? name}
            rejected={rejected}
            locale={locale}
          />
          {workshop.phone !== 'no' && (
            <WalkInField
              name="phone"
              label={workshop.phone === 'required' ? t.phone : t.phone + t.optional}
              value={rejected?.values.phone ?? ''}
              rejected={rejected}
              locale={locale}
            />
          )}
          <p class="hint">{t.consent}</p>
          <button type="submit">{seatAvailable ? t.submit : t.submitStanding}</button>
        </form>
      )}
    </section>
  )
}

function WalkInField({
  name,
  label,
  value,
  rejected,
  locale,
}: {
  name: 'name' | 'phone'
  label: string
  value: string
  rejected: RejectedWalkIn | undefined
  locale: Locale
}) {
  const { fields, fieldProblems } = publicMessages(locale)
  const problems = rejected?.problems?.filter(({ field }) => field === name) ?? []
  const isInvalid = problems.length > 0
  return (
    <div class="field">
      <label for={`walk-in-${name}`}>{label}</label>
      {isInvalid && (
        <p class="problem" id={`walk-in-${name}-problem`}>
          {problems.map(({ code }) => fieldProblems[code](fields[name] ?? label)).join(' ')}
        </p>
      )}
      <input
        id={`walk-in-${name}`}
        name={name}
        type={name === 'phone' ? 'tel' : 'text'}
        value={value}
        autocomplete="off"
        required={name === 'name'}
        autofocus={isInvalid && rejected?.problems?.[0]?.field === name}
        aria-describedby={isInvalid ? `walk-in-${name}-problem` : undefined}
        aria-invalid={isInvalid ? 'true' : undefined}
      />
    </div>
  )
}
