import type { Locale } from '../config.ts'
import type { DoorCounts } from '../domain/check-ins.ts'
import type { FieldProblem } from '../domain/registrations.ts'
import { mayWalkIn } from '../domain/walk-ins.ts'
import { seatsLeft, type Workshop } from '../domain/workshops.ts'
import { paths } from '../links.ts'
import { doorMessagesFor } from '../messages/door.ts'
import { messagesFor } from '../messages/messages.ts'
import { sentences } from '../messages/text.ts'

/** What was typed for somebody who came without having signed up, and why it could not be taken. */
export type WalkInMistake = {
  typed: { name: string; phone: string }
  problems?: FieldProblem[]
  refusal?: 'full' | 'cancelled' | 'not_found'
}

/** Two fields for who comes without having signed up. */
export function WalkInForm({
  workshop,
  counts,
  now,
  nonce,
  name,
  mistake,
  locale,
}: {
  workshop: Workshop
  counts: DoorCounts
  now: Date
  nonce: string
  /** Of somebody who is known already. */
  name: string
  mistake: WalkInMistake | undefined
  locale: Locale
}) {
  const { walkIn: t } = doorMessagesFor(locale)
  const free = mayWalkIn(workshop, counts, now)
  const stands = !free && workshop.graceMinutes !== null
  const lead = free ? t.lead.free(seatsLeft(workshop)) : seatsLeft(workshop) > 0 ? t.lead.waiting : t.lead.full
  return (
    <section class="walk-in" id="walk-in">
      <h2>{t.title}</h2>
      <p class="lead">{sentences(lead, !free && (stands ? t.standing : t.noGrace))}</p>
      {mistake?.refusal && (
        <div class="alert" role="alert">
          <p>{t.refusals[mistake.refusal]}</p>
        </div>
      )}
      {(free || stands || mistake) && (
        <form method="post" action={paths.doorWalkIn()} novalidate>
          <input type="hidden" name="id" value={nonce} />
          <Typed name="name" label={t.name} value={mistake?.typed.name ?? name} mistake={mistake} locale={locale} />
          {workshop.phone !== 'no' && (
            <Typed
              name="phone"
              label={workshop.phone === 'required' ? t.phone : t.phone + t.optional}
              value={mistake?.typed.phone ?? ''}
              mistake={mistake}
              locale={locale}
            />
          )}
          <p class="hint">{t.consent}</p>
          <button type="submit">{free ? t.submit : t.submitStanding}</button>
        </form>
      )}
    </section>
  )
}

function Typed({
  name,
  label,
  value,
  mistake,
  locale,
}: {
  name: 'name' | 'phone'
  label: string
  value: string
  mistake: WalkInMistake | undefined
  locale: Locale
}) {
  const { fields, fieldProblems } = messagesFor(locale)
  const problems = mistake?.problems?.filter(({ field }) => field === name) ?? []
  const wrong = problems.length > 0
  return (
    <div class="field">
      <label for={`walk-in-${name}`}>{label}</label>
      {wrong && (
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
        autofocus={wrong && mistake?.problems?.[0]?.field === name}
        aria-describedby={wrong ? `walk-in-${name}-problem` : undefined}
        aria-invalid={wrong ? 'true' : undefined}
      />
    </div>
  )
}
