import type { Context } from 'hono'
import { seatsLeft, type Workshop } from '../../../domain/workshops/workshops.ts'
import type { App } from '../../../http/context.ts'
import { publicMessages } from '../../../i18n/public.ts'
import type { RegistrationMessages } from '../../../i18n/registrations.ts'
import { normalizeLine } from '../../../lib/text.ts'
import { stringField } from '../ui/fields.tsx'
import { workshopLabel } from '../ui/workshop-labels.ts'

/** Radio buttons of the workshops a person can be moved to, with their free seats. */
export function MoveTargets({
  c,
  workshops,
  t,
}: {
  c: Context<App>
  workshops: readonly Workshop[]
  t: RegistrationMessages
}) {
  const { workshopStatuses } = publicMessages(c.var.locale)
  const acceptsRegistrations = ({ status }: Workshop) => status === 'open' || status === 'waitlist'
  const first = workshops.find(acceptsRegistrations)
  return (
    <div class="targets">
      {workshops.map((workshop) => (
        <label class="check">
          <input
            type="radio"
            name="to"
            value={workshop.slug}
            checked={workshop === first}
            disabled={!acceptsRegistrations(workshop)}
            required
          />
          <span>
            {workshopLabel(workshop, c)}
            <small>
              {!acceptsRegistrations(workshop)
                ? workshopStatuses[workshop.status]
                : workshop.status === 'open'
                  ? t.move.seats(seatsLeft(workshop))
                  : t.move.waiting(workshop.waitlisted)}
            </small>
          </span>
        </label>
      ))}
    </div>
  )
}

export type PromotionFormValues = {
  reason: string
  addSeat: boolean
  problem: 'reasonMissing' | 'reasonTooLong' | undefined
}

/** Parses the form that promotes a waitlisted person out of turn. */
export function parsePromotionForm(body: Record<string, unknown>): PromotionFormValues {
  const reason = normalizeLine(stringField(body, 'reason'), maxReasonLength)
  const addSeat = body.addSeat === 'yes'
  if (reason === undefined) return { reason: stringField(body, 'reason'), addSeat, problem: 'reasonTooLong' }
  return { reason, addSeat, problem: reason ? undefined : 'reasonMissing' }
}

const maxReasonLength = 500

/** The reason of a promotion, and whether the capacity may grow by a seat. */
export function PromotionFields({
  reason = '',
  addSeat = false,
  label,
  t,
}: {
  reason?: string | undefined
  addSeat?: boolean | undefined
  label: string
  t: RegistrationMessages
}) {
  return (
    <>
      <div class="field">
        <label for="reason">{t.promote.reason}</label>
        <p class="hint" id="reason-hint">
          {t.promote.reasonHint}
        </p>
        <input
          id="reason"
          name="reason"
          type="text"
          value={reason}
          maxlength={maxReasonLength}
          required
          aria-describedby="reason-hint"
        />
      </div>
      <div class="field">
        <label class="check">
          <input type="checkbox" name="addSeat" value="yes" checked={addSeat} /> <span>{label}</span>
        </label>
      </div>
    </>
  )
}
