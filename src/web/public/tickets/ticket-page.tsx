import type { Context } from 'hono'
import { findPublicCampaign } from '../../../domain/campaigns/campaigns.ts'
import { isOfferExpired, type Registration } from '../../../domain/registrations/registrations.ts'
import type { MoveRefusal, OfferRefusal } from '../../../domain/registrations/seats.ts'
import { type ChatGroup, findChatGroup, isChatGroupOpen } from '../../../domain/workshops/chat-groups.ts'
import { seatsLeft, type Workshop } from '../../../domain/workshops/workshops.ts'
import type { App } from '../../../http/context.ts'
import { absoluteUrl, paths } from '../../../http/links.ts'
import { formatDeadline, localize } from '../../../i18n/format.ts'
import { type PublicMessages, publicMessages } from '../../../i18n/public.ts'
import { readinessMessages } from '../../../i18n/readiness.ts'
import { ErrorAlert, Flash } from '../../ui/notices.tsx'
import { isWeChat, renderPage } from '../layout.tsx'
import { OtherCities, WorkshopSummary } from '../workshop-summary.tsx'
import { ErrorSummary, Field } from '../workshops/sign-up-form.tsx'
import { PostEvent } from './post-event.tsx'
import { AttendanceConfirmation, EntryInstructions, Preparation } from './preparation.tsx'

/** A failed action of the attendee, to be shown on the ticket. */
export type TicketError =
  | { action: 'cancel'; status: 409 }
  | { action: 'accept_offer'; status: 409; refusal: OfferRefusal }
  | { action: 'update_readiness'; status: 409 }
  | { action: 'confirm_attendance'; status: 409; refusal: 'too_late' | 'no_seat' }
  | { action: 'correct_email'; status: 409 | 422; email: string; problem: string }

export async function ticketPage(c: Context<App>, registration: Registration, error?: TicketError) {
  const { locale } = c.var
  const t = publicMessages(locale)
  const { workshop, ticket, status } = registration
  const isActive =
    status !== 'cancelled' && workshop.status !== 'over' && !isOfferExpired(registration, c.env.deps.now())
  const canMove = canCancel(registration, c.env.deps.now()) && (await openAlternatives(c, workshop)).length > 0
  const group = isActive ? await findChatGroup(c.env.deps, workshop) : undefined
  const title = localize(workshop.title, locale)
  return renderPage(
    c,
    {
      title: `${t.ticket.title} · ${title} · ${localize(workshop.city, locale)}`,
      back: { href: paths.workshop(workshop.slug), text: t.ticket.toWorkshop },
      canonicalPath: paths.ticket(ticket),
      scripts: ['copy', 'ready'],
      status: error?.status,
    },
    <>
      <FlashMessage done={c.req.query('done')} email={registration.email} t={t} />
      {error?.action === 'cancel' && (
        <ErrorAlert title={t.form.errorTitle}>
          <p>{t.ticket.cancelTooLate}</p>
        </ErrorAlert>
      )}
      {error?.action === 'accept_offer' && (
        <ErrorAlert title={t.form.errorTitle}>
          <p>{t.offerRefusals[error.refusal]}</p>
        </ErrorAlert>
      )}
      {error?.action === 'update_readiness' && (
        <ErrorAlert title={t.form.errorTitle}>
          <p>{readinessMessages(locale).ticket.tooLate}</p>
        </ErrorAlert>
      )}
      {error?.action === 'confirm_attendance' && (
        <ErrorAlert title={t.form.errorTitle}>
          <p>{readinessMessages(locale).ticket.coming.refused[error.refusal]}</p>
        </ErrorAlert>
      )}
      <h1>{title}</h1>
      <WorkshopSummary workshop={workshop} locale={locale} />
      <StatusCard c={c} registration={registration} t={t} />
      {isActive && status === 'offered' && (
        <form method="post" action={paths.ticketConfirm(ticket)}>
          <button type="submit">{t.ticket.acceptOffer}</button>
        </form>
      )}
      <PostEvent c={c} registration={registration} />
      {status === 'cancelled' && <NextSteps c={c} registration={registration} t={t} />}
      {isActive && <AttendanceConfirmation c={c} registration={registration} />}
      {isActive && status === 'confirmed' && (
        <figure class="qr">
          <img src={paths.ticketQr(ticket)} width="248" height="248" alt={t.ticket.qrAlt} />
          <figcaption>{t.ticket.showAtDoor}</figcaption>
        </figure>
      )}
      {isActive && <EntryInstructions c={c} registration={registration} />}
      {isActive && status === 'confirmed' && <CalendarLink c={c} ticket={ticket} t={t} />}
      {isActive && group && (
        <a class="button second" href={paths.ticketGroup(ticket)}>
          {t.ticket.group}
        </a>
      )}
      {isActive && workshop.items.length > 0 && (
        <>
          <h2 id="prepare">{t.ticket.prepare}</h2>
          <Preparation c={c} registration={registration} />
        </>
      )}
      {isActive && (
        <CorrectEmail registration={registration} error={error?.action === 'correct_email' ? error : undefined} t={t} />
      )}
      {canCancel(registration, c.env.deps.now()) && (
        <>
          <h2>{t.ticket.cantCome}</h2>
          {canMove && (
            <a class="button second" href={paths.ticketMove(ticket)}>
              {t.ticket.moveLink}
            </a>
          )}
          <a class="button second" href={paths.ticketCancel(ticket)}>
            {status === 'waitlisted' ? t.ticket.leaveLink : t.ticket.cancelLink}
          </a>
        </>
      )}
      <h2>{t.ticket.data}</h2>
      <p class="links">
        {isWeChat(c) ? (
          <span>{t.ticket.wechat.data}</span>
        ) : (
          <a href={paths.ticketData(ticket)} download="">
            {t.ticket.dataCopy}
          </a>
        )}
        <a href={paths.ticketErase(ticket)}>{t.ticket.dataErase}</a>
      </p>
      {isActive && <p class="note">{t.ticket.keep}</p>}
    </>,
  )
}

/** QR code of the workshop's chat group. */
export function chatGroupPage(c: Context<App>, { workshop, ticket }: Registration, group: ChatGroup) {
  const { locale } = c.var
  const { ticket: t } = publicMessages(locale)
  const note = localize(group.note, locale)
  return renderPage(
    c,
    { title: t.group, back: { href: paths.ticket(ticket), text: t.title } },
    <>
      <h1>{t.group}</h1>
      <p class="lead">{localize(workshop.title, locale)}</p>
      {note && <p>{note}</p>}
      {isChatGroupOpen(group, c.env.deps.now()) ? (
        <figure class="qr">
          <img class="group" src={`data:${group.mediaType};base64,${group.picture}`} alt={t.groupAlt} />
          <figcaption>{t.groupHint}</figcaption>
        </figure>
      ) : (
        <p class="alert">{t.groupExpired}</p>
      )}
    </>,
  )
}

/** Asks for confirmation before an action that cannot be undone. */
export function confirmationPage(
  c: Context<App>,
  { workshop, ticket }: Registration,
  options: {
    action: string
    title: string
    warnings: string[]
    submit: string
    back: string
    refusal?: string | undefined
  },
) {
  return renderPage(
    c,
    {
      title: options.title,
      back: { href: paths.ticket(ticket), text: publicMessages(c.var.locale).ticket.title },
      canonicalPath: options.action,
      status: options.refusal ? 409 : 200,
    },
    <>
      {options.refusal && (
        <ErrorAlert title={publicMessages(c.var.locale).form.errorTitle}>
          <p>{options.refusal}</p>
        </ErrorAlert>
      )}
      <h1>{options.title}</h1>
      <p class="lead">{localize(workshop.title, c.var.locale)}</p>
      <WorkshopSummary workshop={workshop} locale={c.var.locale} />
      {options.warnings.map((warning) => (
        <p>{warning}</p>
      ))}
      <form method="post" action={options.action}>
        <button type="submit" class="warn">
          {options.submit}
        </button>
      </form>
      <a class="button second" href={paths.ticket(ticket)}>
        {options.back}
      </a>
    </>,
  )
}

/** The other workshops of the campaign that accept registrations, each with a button. */
export async function movePage(c: Context<App>, registration: Registration, refusal?: MoveRefusal) {
  const { locale } = c.var
  const { move: t, moveRefusals, ticket: ticketTexts, form } = publicMessages(locale)
  const { workshop, ticket } = registration
  const others = await openAlternatives(c, workshop)
  return renderPage(
    c,
    {
      title: t.title,
      back: { href: paths.ticket(ticket), text: ticketTexts.title },
      canonicalPath: paths.ticketMove(ticket),
      status: refusal ? 409 : 200,
    },
    <>
      {refusal && (
        <ErrorAlert title={form.errorTitle}>
          <p>{moveRefusals[refusal]}</p>
        </ErrorAlert>
      )}
      <h1>{t.title}</h1>
      <p class="lead">{others.length > 0 ? t.lead : t.none}</p>
      {others.map((other) => {
        const city = localize(other.city, locale)
        return (
          <form method="post" action={paths.ticketMove(ticket)} class="panel">
            <WorkshopSummary workshop={other} locale={locale} />
            <p>{other.status === 'open' ? t.seats(seatsLeft(other)) : t.waiting(other.waitlisted)}</p>
            <button type="submit" name="to" value={other.slug}>
              {other.status === 'open' ? t.choose(city) : t.queue(city)}
            </button>
          </form>
        )
      })}
      <a class="button second" href={paths.ticket(ticket)}>
        {t.back}
      </a>
    </>,
  )
}

async function openAlternatives(c: Context<App>, { id, campaign }: Workshop): Promise<Workshop[]> {
  const current = campaign ? await findPublicCampaign(c.env.deps, campaign.slug) : undefined
  const others = current?.workshops.filter((other) => other.id !== id) ?? []
  return others.filter(({ status }) => status === 'open' || status === 'waitlist')
}

/** Attendees can cancel until the workshop starts. An expired offer counts as cancelled. */
export function canCancel(registration: Registration, now: Date): boolean {
  const { status, workshop } = registration
  return status !== 'cancelled' && now < workshop.startsAt && !isOfferExpired(registration, now)
}

/** @param done the `done` parameter of the redirect */
function FlashMessage({ done, email, t }: { done: string | undefined; email: string; t: PublicMessages }) {
  if (done === 'corrected') return <Flash>{t.ticket.emailSaved(email)}</Flash>
  if (done === 'taken') return <Flash>{t.ticket.offerAccepted}</Flash>
  if (done === 'moved') return <Flash>{t.ticket.moved}</Flash>
  if (done === 'unchanged') return <Flash>{t.ticket.emailUnchanged}</Flash>
  return null
}

/** State of the registration, in the place of the seats on the workshop's page. */
function StatusCard({ c, registration, t }: { c: Context<App>; registration: Registration; t: PublicMessages }) {
  const { status, position, name, offeredUntil, cancelledBy, workshop } = registration
  const over = workshop.status === 'over'
  const closed = workshop.state === 'closed'
  if (status === 'cancelled') {
    return <Card tone="none" big={t.ticket.big.cancelled} text={t.ticket.cancelledBy[cancelledBy ?? 'attendee']} />
  }
  if (isOfferExpired(registration, c.env.deps.now())) {
    return <Card tone="none" big={t.ticket.offerExpired} text={t.ticket.cancelledBy.deadline} />
  }
  if (status === 'waitlisted') {
    const text = over ? t.ticket.waitingOver : closed ? t.ticket.waitingClosed : t.ticket.waiting(workshop.confirmHours)
    return <Card tone="none" big={t.ticket.place(position ?? 1)} text={text} />
  }
  if (over) return <Card tone="past" big={t.ticket.big.over} text={t.ticket.over} />
  return (
    <Card
      big={t.ticket.big[status]}
      text={
        offeredUntil
          ? t.ticket.offered(formatDeadline(offeredUntil, workshop.timeZone, c.var.locale))
          : t.ticket.greeting(name)
      }
      more={closed ? t.ticket.closed : undefined}
    />
  )
}

type Tone = 'good' | 'none' | 'past'

function Card({
  big,
  text,
  more,
  tone = 'good',
}: {
  big: string
  text: string
  more?: string | undefined
  tone?: Tone
}) {
  return (
    <div class={`seats words ${tone}`}>
      <b>{big}</b>
      <div>{text}</div>
      {more && <div>{more}</div>}
    </div>
  )
}

/** After a cancellation: register again if the workshop still accepts registrations, otherwise other cities. */
async function NextSteps({ c, registration, t }: { c: Context<App>; registration: Registration; t: PublicMessages }) {
  const { workshop } = registration
  if (workshop.status === 'open' || workshop.status === 'waitlist') {
    return (
      <a class="button" href={paths.workshop(workshop.slug)}>
        {t.ticket.again}
      </a>
    )
  }
  const campaign = workshop.campaign ? await findPublicCampaign(c.env.deps, workshop.campaign.slug) : undefined
  return <OtherCities campaign={campaign} workshop={workshop} via={undefined} locale={c.var.locale} />
}

/** In WeChat, which cannot download files, shows how to open the ticket in a browser. */
function CalendarLink({ c, ticket, t }: { c: Context<App>; ticket: string; t: PublicMessages }) {
  if (!isWeChat(c)) {
    return (
      <a class="button second" href={paths.ticketCalendar(ticket)}>
        {t.ticket.calendar}
      </a>
    )
  }
  return (
    <section class="panel">
      <h2>{t.ticket.calendar}</h2>
      <p>{t.ticket.wechat.hint}</p>
      <label for="link">{t.ticket.wechat.link}</label>
      <div class="copy">
        <input id="link" type="text" readonly value={absoluteUrl(c.env.deps.config.baseUrl, paths.ticket(ticket))} />
        <button type="button" hidden data-copy="link" data-copied={t.ticket.copied}>
          {t.ticket.copy}
        </button>
      </div>
    </section>
  )
}

function CorrectEmail({
  registration,
  error,
  t,
}: {
  registration: Registration
  error: Extract<TicketError, { action: 'correct_email' }> | undefined
  t: PublicMessages
}) {
  return (
    <>
      <h2>{t.ticket.email}</h2>
      <p class="address">{t.ticket.emailTo(registration.email)}</p>
      <details open={error !== undefined}>
        <summary>{t.ticket.emailWrong}</summary>
        {error && <ErrorSummary problems={[{ field: 'email', text: error.problem }]} t={t} />}
        <form method="post" action={paths.ticketEmail(registration.ticket)} novalidate>
          <Field
            name="email"
            type="email"
            label={t.ticket.emailLabel}
            hint={t.ticket.emailHint}
            value={error?.email ?? ''}
            problem={error?.problem}
            autocomplete="email"
            required
          />
          <button type="submit" class="second">
            {t.ticket.emailSubmit}
          </button>
        </form>
      </details>
    </>
  )
}
