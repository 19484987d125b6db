import type { MailPayload, WorkshopSchedule } from '../../db/schema.ts'
import type { Deps } from '../../domain/deps.ts'
import { type Broadcast, fillPlaceholders, type PlaceholderValues } from '../../domain/mails/broadcasts.ts'
import type { DeliverableMail, Mail } from '../../domain/mails/outbox.ts'
import { localStartDate } from '../../domain/mails/reminders.ts'
import type { Organiser } from '../../domain/organisers/organisers.ts'
import type { PendingSignUp } from '../../domain/registrations/pending-sign-ups.ts'
import { missingItems } from '../../domain/registrations/readiness.ts'
import type { Registration } from '../../domain/registrations/registrations.ts'
import { holdsSeat } from '../../domain/registrations/status.ts'
import { createSignInCode } from '../../domain/tickets/signed-tokens.ts'
import type { Item, Workshop } from '../../domain/workshops/workshops.ts'
import { absoluteUrl, paths, withQuery } from '../../http/links.ts'
import { emailEn } from '../../i18n/en/email.ts'
import {
  formatDateRange,
  formatDeadline,
  formatPlace,
  joinLocalized,
  localize,
  signInLinkCommand,
} from '../../i18n/format.ts'
import { type ItemTag, itemTag } from '../../i18n/item-tags.ts'
import { publicMessages } from '../../i18n/public.ts'
import { type EmailKind, type EmailMessages, emailZhCN, type RecipientStatus } from '../../i18n/zh-CN/email.ts'
import type { Locale } from '../../lib/config.ts'
import { localDate } from '../../lib/time-zones.ts'
import { type LinkedText, linkUrls, renderPlainText } from '../../lib/urls.ts'

/*
 * 480 lines, because one type is built for all kinds of mails: split by kind, the parts would share most helpers.
 */

/** Content of a mail, for the HTML and the plain-text renderer. */
export type EmailContent = {
  locale: Locale
  messages: EmailMessages
  to: { name: string; address: string }
  subject: string
  headline: string
  greeting: string
  lead: LinkedText
  sections: EmailSection[]
  /** Why this mail was sent, whom to contact, and FOOTER. */
  footer: string[]
  privacy: EmailLink
}

/** Section about one registration or pending sign-up. */
export type EmailSection = {
  registration: Registration | undefined
  title: string
  details: { label: string; lines: string[] }[]
  /** URL of the check-in QR code and the name of its file; only with a confirmed seat. */
  qr: { url: string; file: string } | undefined
  ticket: EmailLink | undefined
  /** Link that completes a pending sign-up, with its validity. */
  confirm: (EmailLink & { hint: string }) | undefined
  checklist: { tag: ItemTag; label: string; text: string; url: string | null }[]
  checklistHeading: string
  nextSteps: ({ text: string } & Partial<{ link: EmailLink }>)[]
}

export type EmailLink = { label: string; url: string }

/**
 * Builds the content of a mail in the language of its recipient.
 * @param signInLink false replaces an organiser's sign-in link by the command that prints one
 */
export function buildEmail(deps: Deps, mail: DeliverableMail, { signInLink = true } = {}): EmailContent {
  if (mail.organiser && mail.kind === 'message') return testEmail(deps, mail.written, mail.organiser)
  if (mail.organiser) return magicLinkEmail(deps, mail, mail.organiser, signInLink)
  return mail.held
    ? confirmSignUpEmail(deps, mail.held)
    : registrationEmail(deps, mail, mail.registration as Registration)
}

function registrationEmail(deps: Deps, mail: Mail, recipient: Registration): EmailContent {
  const { baseUrl } = deps.config
  const locale = recipientLocale(recipient)
  const messages = emailMessages(locale)
  const kind = emailKind(mail, recipient)
  const registrations = kind === 'found' ? mail.tickets : [recipient]
  const { workshop, status } = recipient
  // Broadcasts after a cancellation or after the workshop, and requests to return a board, have no ticket and no
  // checklist.
  const isPast =
    kind === 'board_due' || (kind === 'written' && (status === 'cancelled' || workshop.endsAt <= deps.now()))
  const isThankYou = kind === 'afterwards'
  // An attendee moved to another workshop since borrowing: name the board only, not the workshop still to come.
  const lentForOtherWorkshop = kind === 'board_due' && (mail.payload.from ?? workshop.id) !== workshop.id
  const event = lentForOtherWorkshop
    ? boardName(mail.payload.board)
    : `${workshopTitle(recipient, locale)} · ${messages.day(formatDateRange(workshop, locale))}`
  const recipientStatus = registrationStatus(recipient, locale, deps.now())
  const { subject, headline, lead } =
    kind === 'written' ? broadcastTexts(recipient, mail.written, locale, baseUrl) : messages.kinds[kind]
  return {
    locale,
    messages,
    to: { name: recipient.name, address: recipient.email },
    subject: subject(event, recipientStatus),
    headline,
    greeting: messages.greeting(recipient.name),
    lead: [lead(recipientStatus)].flat(),
    sections: isPast
      ? [
          {
            ...basicSection(workshop, messages, locale, mail.payload),
            ...(lentForOtherWorkshop && { title: event, details: [] }),
          },
        ]
      : isThankYou
        ? [postEventSection(recipient, mail.payload.materials ?? false, messages, locale, baseUrl)]
        : registrations.map((registration) => registrationSection(registration, kind, locale, baseUrl, mail.payload)),
    ...emailFooter(
      deps,
      messages,
      messages.why[
        kind === 'found' ? 'found' : isPast || isThankYou || status === 'cancelled' ? 'cancelled' : 'registered'
      ],
    ),
  }
}

function confirmSignUpEmail(deps: Deps, { workshop, signUp, code }: PendingSignUp): EmailContent {
  const { baseUrl } = deps.config
  const locale = recipientLocale(signUp)
  const messages = emailMessages(locale)
  const { subject, headline, lead } = messages.kinds.held
  const title = workshopTitle({ workshop }, locale)
  return {
    locale,
    messages,
    to: { name: signUp.name, address: signUp.email },
    subject: subject(`${title} · ${messages.day(formatDateRange(workshop, locale))}`),
    headline,
    greeting: messages.greeting(signUp.name),
    lead: [lead()],
    sections: [
      {
        ...basicSection(workshop, messages, locale),
        confirm: { ...messages.confirm, url: absoluteUrl(baseUrl, paths.confirmSignUp(workshop.slug, code)) },
      },
    ],
    ...emailFooter(deps, messages, messages.why.held),
  }
}

/** Fills the placeholders of a broadcast. */
function broadcastTexts(registration: Registration, broadcast: Broadcast | undefined, locale: Locale, baseUrl: string) {
  const { subject = '', body = '' } = broadcast ?? {}
  const fill = (text: string) => fillPlaceholders(text, attendeePlaceholders(registration, locale, baseUrl))
  const title = renderPlainText(fill(subject))
  return { subject: () => title, headline: title, lead: () => fill(body) }
}

function attendeePlaceholders(registration: Registration, locale: Locale, baseUrl: string): PlaceholderValues {
  return placeholderValues(registration.workshop, registration.name, buildTicketUrl(baseUrl, registration), locale)
}

function placeholderValues(workshop: Workshop, name: string, ticket: string, locale: Locale): PlaceholderValues {
  const { fullDate, time } = formatDateRange(workshop, locale)
  return {
    name,
    workshop: localize(workshop.title, locale),
    city: localize(workshop.city, locale),
    date: fullDate,
    time,
    place: placeLines(workshop, locale).join(locale === 'en' ? ', ' : '，'),
    ticket,
  }
}

/**
 * Test of a broadcast, to its author, in the default locale. Links to the workshop's page in place of a ticket.
 */
function testEmail(deps: Deps, broadcast: Broadcast | undefined, organiser: Organiser): EmailContent {
  const { baseUrl, defaultLocale: locale } = deps.config
  const messages = emailMessages(locale)
  const { subject = '', body = '', workshop } = broadcast ?? {}
  const name = organiser.name || organiser.email
  const fill = (text: string) =>
    workshop
      ? fillPlaceholders(
          text,
          placeholderValues(workshop, name, absoluteUrl(baseUrl, paths.workshop(workshop.slug)), locale),
        )
      : linkUrls(text)
  const title = renderPlainText(fill(subject))
  return {
    locale,
    messages,
    to: { name: organiser.name, address: organiser.email },
    subject: messages.test.subject(title),
    headline: title,
    greeting: messages.greeting(name),
    lead: fill(body),
    sections: workshop
      ? [{ ...basicSection(workshop, messages, locale), nextSteps: [{ text: messages.test.rest }] }]
      : [],
    ...emailFooter(deps, messages, messages.test.why),
  }
}

/** Sign-in link or invitation for an organiser, in the default locale. */
function magicLinkEmail(deps: Deps, { uid, payload }: Mail, organiser: Organiser, signInLink: boolean): EmailContent {
  const { baseUrl, secret, defaultLocale: locale } = deps.config
  const messages = emailMessages(locale)
  const { subject, headline, lead, hint } = messages.signIn[payload.invited ? 'invited' : 'requested']
  const { host } = new URL(baseUrl)
  // An invitation links to the sign-in page, where a link can be requested, and signs nobody in.
  const showsLink = signInLink || payload.invited
  const path = payload.invited
    ? withQuery(paths.signIn(), { email: organiser.email })
    : paths.magicLink(createSignInCode(secret, uid))
  return {
    locale,
    messages,
    to: { name: organiser.name, address: organiser.email },
    subject: subject(host),
    headline,
    greeting: messages.greeting(organiser.name),
    lead: [lead(host)],
    sections: [
      {
        registration: undefined,
        title: messages.signIn.console,
        details: [],
        qr: undefined,
        ticket: undefined,
        confirm: showsLink ? { label: messages.signIn.button, hint, url: absoluteUrl(baseUrl, path) } : undefined,
        checklist: [],
        checklistHeading: messages.prepare,
        nextSteps: showsLink ? [] : [{ text: messages.signIn.linkFromCommand(signInLinkCommand(organiser.email)) }],
      },
    ],
    ...emailFooter(deps, messages, messages.signIn.why),
  }
}

function emailFooter({ config }: Deps, messages: EmailMessages, why: string): Pick<EmailContent, 'footer' | 'privacy'> {
  const { baseUrl, privacyContact, footer } = config
  return {
    footer: [why, privacyContact ? messages.contact(privacyContact) : messages.reply, ...(footer ? [footer] : [])],
    privacy: { label: messages.privacy, url: absoluteUrl(baseUrl, paths.privacy()) },
  }
}

const recipientLocale = ({ locale }: { locale: string }): Locale => (locale === 'en' ? 'en' : 'zh-CN')

export const buildTicketUrl = (baseUrl: string, { ticket }: Registration) => absoluteUrl(baseUrl, paths.ticket(ticket))

/** Key of the texts of a mail to an attendee. `written`: a broadcast, which has its own text. */
function emailKind({ kind, payload }: Mail, { cancelledBy }: Registration): EmailKind | 'written' {
  if (kind === 'cancelled') return cancellationKinds[payload.by ?? cancelledBy ?? 'organiser']
  if (kind === 'message' || kind === 'sign_in') return 'written'
  return payload.corrected ? 'corrected' : kind
}

const cancellationKinds = {
  attendee: 'cancelledByAttendee',
  organiser: 'cancelledByOrganiser',
  workshop: 'workshopCancelled',
  deadline: 'offerExpired',
  absence: 'seatPassedOn',
} as const

function registrationStatus(registration: Registration, locale: Locale, now: Date): RecipientStatus {
  const { position, workshop } = registration
  return {
    place: position,
    until: offerDeadline(registration, locale),
    hours: workshop.confirmHours,
    days: daysUntil(workshop, now),
  }
}

/** Calendar days until the workshop, in its time zone. */
function daysUntil(workshop: Workshop, now: Date): number {
  const today = localDate(now, workshop.timeZone)
  return Math.round((Date.parse(localStartDate(workshop)) - Date.parse(today)) / 86_400_000)
}

const offerDeadline = ({ offeredUntil, workshop }: Registration, locale: Locale) =>
  offeredUntil && formatDeadline(offeredUntil, workshop.timeZone, locale)

function registrationSection(
  registration: Registration,
  kind: EmailKind | 'written',
  locale: Locale,
  baseUrl: string,
  { before, board }: MailPayload,
): EmailSection {
  const messages = emailMessages(locale)
  const { workshop, doorCode, ticket, position, status } = registration
  const confirmed = status === 'confirmed'
  // Mails that ask a question have no check-in code, so that the question is not overlooked.
  const showsQr = confirmed && kind !== 'get_ready' && kind !== 'coming'
  const isActive = status !== 'cancelled'
  const missing = kind === 'get_ready' || kind === 'coming' ? missingItems(registration, workshop) : []
  const until = offerDeadline(registration, locale)
  return {
    registration,
    title: workshopTitle(registration, locale),
    details: [
      ...(kind === 'found'
        ? [
            {
              label: messages.labels.state,
              lines: [
                position === null
                  ? publicMessages(locale).registrationStatuses[status]
                  : messages.waitlistPosition(position),
              ],
            },
          ]
        : []),
      ...(until ? [{ label: messages.labels.until, lines: [messages.until(until)] }] : []),
      ...boardDetail(board, messages),
      ...dateAndPlace(workshop, messages, locale),
      ...(showsQr && localize(workshop.entry, locale)
        ? [{ label: messages.labels.entry, lines: localize(workshop.entry, locale).split('\n') }]
        : []),
      ...(before ? [previousValues(before, workshop, messages, locale)] : []),
    ],
    qr: showsQr
      ? { url: absoluteUrl(baseUrl, paths.checkIn(doorCode)), file: `ticket-${workshop.slug}.png` }
      : undefined,
    ticket: isActive ? primaryLink(registration, kind, messages, baseUrl) : undefined,
    confirm: undefined,
    checklist:
      isActive && kind !== 'found' ? renderChecklist(missing.length > 0 ? missing : workshop.items, locale) : [],
    checklistHeading: missing.length > 0 ? messages.missingItems : messages.prepare,
    nextSteps: isActive
      ? [
          ...(confirmed ? [{ text: messages.calendarOn }] : []),
          kind === 'coming'
            ? withLink(messages.releaseSeat, absoluteUrl(baseUrl, paths.ticketAttendance(ticket)))
            : withLink(
                holdsSeat(registration) ? messages.cancel : messages.leaveWaitlist,
                absoluteUrl(baseUrl, paths.ticketCancel(ticket)),
              ),
        ]
      : cancellationSteps(registration, kind, messages, baseUrl),
  }
}

/** Link to the ticket, or to the question that the mail asks. */
function primaryLink(
  registration: Registration,
  kind: EmailKind | 'written',
  messages: EmailMessages,
  baseUrl: string,
): EmailLink {
  const url = buildTicketUrl(baseUrl, registration)
  if (registration.offeredUntil) return { label: messages.acceptOffer, url }
  if (kind === 'coming')
    return { label: messages.coming, url: absoluteUrl(baseUrl, paths.ticketAttendance(registration.ticket)) }
  return kind === 'get_ready'
    ? { label: messages.updateReadiness, url: `${url}#prepare` }
    : { label: messages.ticket, url }
}

/** Section about a workshop without a ticket. */
function basicSection(
  workshop: Workshop,
  messages: EmailMessages,
  locale: Locale,
  { board }: MailPayload = {},
): EmailSection {
  return {
    registration: undefined,
    title: workshopTitle({ workshop }, locale),
    details: [...boardDetail(board, messages), ...dateAndPlace(workshop, messages, locale)],
    qr: undefined,
    ticket: undefined,
    confirm: undefined,
    checklist: [],
    checklistHeading: messages.prepare,
    nextSteps: [],
  }
}

/** Section with the links to certificate, materials and feedback. */
function postEventSection(
  { workshop, ticket }: Registration,
  materials: boolean,
  messages: EmailMessages,
  locale: Locale,
  baseUrl: string,
): EmailSection {
  const { certificate, materials: materialsText, feedback } = messages.postEvent
  return {
    ...basicSection(workshop, messages, locale),
    ticket: { label: messages.ticket, url: absoluteUrl(baseUrl, paths.ticket(ticket)) },
    nextSteps: [
      withLink(certificate, absoluteUrl(baseUrl, paths.ticketCertificate(ticket))),
      ...(materials ? [withLink(materialsText, absoluteUrl(baseUrl, `${paths.ticket(ticket)}#materials`))] : []),
      withLink(feedback, absoluteUrl(baseUrl, paths.ticketFeedback(ticket))),
    ],
  }
}

function boardDetail(board: MailPayload['board'], messages: EmailMessages): EmailSection['details'] {
  return board ? [{ label: messages.labels.board, lines: [boardName(board)] }] : []
}

const boardName = (board: MailPayload['board']) => (board ? `${board.kind} ${board.serial}` : '')

function dateAndPlace(workshop: Workshop, messages: EmailMessages, locale: Locale): EmailSection['details'] {
  return [
    { label: messages.labels.when, lines: messages.when(formatDateRange(workshop, locale)) },
    {
      label: messages.labels.where,
      lines: placeLines(workshop, locale),
    },
  ]
}

/** Time or place before a change, whichever has changed. */
function previousValues(
  before: WorkshopSchedule,
  now: Workshop,
  messages: EmailMessages,
  locale: Locale,
): EmailSection['details'][0] {
  const previous = { ...before, startsAt: new Date(before.startsAt), endsAt: new Date(before.endsAt) }
  const [time, place] = [messages.when(formatDateRange(previous, locale)), placeLines(previous, locale)]
  const isSame = (a: string[], b: string[]) => a.join('\n') === b.join('\n')
  return {
    label: messages.labels.before,
    lines: [
      ...(isSame(time, messages.when(formatDateRange(now, locale))) ? [] : time),
      ...(isSame(place, placeLines(now, locale)) ? [] : place),
    ],
  }
}

const placeLines = (event: Pick<Workshop, 'city' | 'venue' | 'address'>, locale: Locale) =>
  [formatPlace(event, locale), localize(event.address, locale)].filter(Boolean)

function renderChecklist(items: readonly Item[], locale: Locale): EmailSection['checklist'] {
  return items.map((item) => ({
    tag: itemTag(item),
    label: publicMessages(locale).itemTags[itemTag(item)],
    text: localize(item.text, locale),
    url: item.url,
  }))
}

function cancellationSteps(
  registration: Registration,
  kind: EmailKind | 'written',
  messages: EmailMessages,
  baseUrl: string,
): EmailSection['nextSteps'] {
  const { workshop, seatedAt } = registration
  const { campaign } = workshop
  return [
    ...(seatedAt ? [{ text: messages.calendarOff }] : []),
    ...(kind === 'cancelledByAttendee' || kind === 'offerExpired'
      ? [withLink(messages.registerAgain, absoluteUrl(baseUrl, paths.workshop(workshop.slug)))]
      : kind === 'workshopCancelled'
        ? [
            withLink(
              messages.otherWorkshops,
              absoluteUrl(baseUrl, campaign ? paths.campaign(campaign.slug) : paths.home()),
            ),
          ]
        : []),
  ]
}

const withLink = ({ text, link }: { text: string; link: string }, url: string) => ({ text, link: { label: link, url } })

const workshopTitle = ({ workshop }: { workshop: Workshop }, locale: Locale) =>
  joinLocalized([workshop.title, workshop.city], locale)

export const emailMessages = (locale: Locale): EmailMessages => (locale === 'en' ? emailEn : emailZhCN)
