import type { Locale } from '../../config.ts'
import type { MailFacts, WorkshopBefore } from '../../db/schema.ts'
import type { Deps } from '../../deps.ts'
import type { Held } from '../../domain/held-sign-ups.ts'
import type { Mail, MailToSomeone } from '../../domain/mails.ts'
import { fillPlaceholders, type PlaceholderValues, type Written } from '../../domain/messages.ts'
import type { Organiser } from '../../domain/organisers.ts'
import { missingOf } from '../../domain/readiness.ts'
import { holdsSeat, type Registration } from '../../domain/registrations.ts'
import { dayOf } from '../../domain/reminders.ts'
import { signInCodeOf } from '../../domain/tickets.ts'
import { dateIn } from '../../domain/time-zones.ts'
import { type LinkedText, linkWebAddresses, plainText } from '../../domain/web-addresses.ts'
import type { Item, Workshop } from '../../domain/workshops.ts'
import { paths, urlOf, withQuery } from '../../links.ts'
import { type ItemTag, tagOf } from '../../messages/items.ts'
import { mailEn } from '../../messages/mail.en.ts'
import { type MailMessages, mailZhCN, type News, type Standing } from '../../messages/mail.zh-CN.ts'
import { messagesFor } from '../../messages/messages.ts'
import { deadline, pick, pickAll, placeOf, signInLinkCommand, when } from '../../messages/text.ts'

/** What a mail says, before it is HTML or plain text. */
export type Letter = {
  locale: Locale
  messages: MailMessages
  to: { name: string; address: string }
  subject: string
  headline: string
  greeting: string
  lead: LinkedText
  entries: Entry[]
  /** Why this mail was sent, whom to ask, what the installation adds. */
  closing: string[]
  privacy: Link
}

/** One registration as a mail shows it, or a sign-up that is to become one. */
export type Entry = {
  registration: Registration | undefined
  title: string
  facts: { label: string; lines: string[] }[]
  /** What the QR for the door says, and the name of the file with it; undefined for those whose seat is not confirmed. */
  door: { url: string; file: string } | undefined
  ticket: Link | undefined
  /** What completes a held sign-up, and for how long. */
  confirm: (Link & { hint: string }) | undefined
  checklist: { tag: ItemTag; label: string; text: string; url: string | null }[]
  /** What stands above the checklist. */
  prepare: string
  /** What else one may do now. */
  next: ({ text: string } & Partial<{ link: Link }>)[]
}

export type Link = { label: string; url: string }

/**
 * Writes a mail in the language of its recipient.
 * @param signInLink false puts the command that prints a link in the place of one that signs in
 */
export function letterOf(deps: Deps, mail: MailToSomeone, { signInLink = true } = {}): Letter {
  if (mail.organiser && mail.kind === 'message') return letterToTry(deps, mail.written, mail.organiser)
  if (mail.organiser) return letterToSignIn(deps, mail, mail.organiser, signInLink)
  return mail.held ? letterToConfirm(deps, mail.held) : letterAbout(deps, mail, mail.registration as Registration)
}

function letterAbout(deps: Deps, mail: Mail, recipient: Registration): Letter {
  const { baseUrl } = deps.config
  const locale = localeOf(recipient)
  const messages = mailMessagesFor(locale)
  const news = newsOf(mail, recipient)
  const shown = news === 'found' ? mail.tickets : [recipient]
  const { workshop, status } = recipient
  // To those who cancelled, and after the workshop, a message tells of no ticket and nothing to bring; nor does a mail that
  // asks for a board.
  const bygone =
    news === 'board_due' || (news === 'written' && (status === 'cancelled' || workshop.endsAt <= deps.now()))
  const thanks = news === 'afterwards'
  // Who was lent a board and moved after that is asked for it, and not told of a workshop that they have still to come to.
  const lentElsewhere = news === 'board_due' && (mail.facts.from ?? workshop.id) !== workshop.id
  const event = lentElsewhere
    ? nameOf(mail.facts.board)
    : `${titleOf(recipient, locale)} · ${messages.day(when(workshop, locale))}`
  const standing = standingOf(recipient, locale, deps.now())
  const { subject, headline, lead } =
    news === 'written' ? writtenTo(recipient, mail.written, locale, baseUrl) : messages.news[news]
  return {
    locale,
    messages,
    to: { name: recipient.name, address: recipient.email },
    subject: subject(event, standing),
    headline,
    greeting: messages.greeting(recipient.name),
    lead: [lead(standing)].flat(),
    entries: bygone
      ? [{ ...plainEntry(workshop, messages, locale, mail.facts), ...(lentElsewhere && { title: event, facts: [] }) }]
      : thanks
        ? [entryAfterwards(recipient, mail.facts.materials ?? false, messages, locale, baseUrl)]
        : shown.map((registration) => entryOf(registration, news, locale, baseUrl, mail.facts)),
    ...footOf(
      deps,
      messages,
      messages.why[
        news === 'found' ? 'found' : bygone || thanks || status === 'cancelled' ? 'cancelled' : 'registered'
      ],
    ),
  }
}

/** The mail with the link that completes a held sign-up. */
function letterToConfirm(deps: Deps, { workshop, signUp, code }: Held): Letter {
  const { baseUrl } = deps.config
  const locale = localeOf(signUp)
  const messages = mailMessagesFor(locale)
  const { subject, headline, lead } = messages.news.held
  const title = titleOf({ workshop }, locale)
  return {
    locale,
    messages,
    to: { name: signUp.name, address: signUp.email },
    subject: subject(`${title} · ${messages.day(when(workshop, locale))}`),
    headline,
    greeting: messages.greeting(signUp.name),
    lead: [lead()],
    entries: [
      {
        ...plainEntry(workshop, messages, locale),
        confirm: { ...messages.confirm, url: urlOf(baseUrl, paths.confirm(workshop.slug, code)) },
      },
    ],
    ...footOf(deps, messages, messages.why.held),
  }
}

/** What an organiser wrote, with what the placeholders stand for. */
function writtenTo(registration: Registration, written: Written | undefined, locale: Locale, baseUrl: string) {
  const { subject = '', body = '' } = written ?? {}
  const fill = (text: string) => fillPlaceholders(text, placeholdersOf(registration, locale, baseUrl))
  const title = plainText(fill(subject))
  return { subject: () => title, headline: title, lead: () => fill(body) }
}

/** What may stand in a message in double braces, for one attendee. */
function placeholdersOf(registration: Registration, locale: Locale, baseUrl: string): PlaceholderValues {
  return placeholdersIn(registration.workshop, registration.name, ticketUrlOf(baseUrl, registration), locale)
}

function placeholdersIn(workshop: Workshop, name: string, ticket: string, locale: Locale): PlaceholderValues {
  const { fullDate, time } = when(workshop, locale)
  return {
    name,
    workshop: pick(workshop.title, locale),
    city: pick(workshop.city, locale),
    date: fullDate,
    time,
    place: placeLines(workshop, locale).join(locale === 'en' ? ', ' : '，'),
    ticket,
  }
}

/**
 * A test of a message, to whoever writes it, in the language of the installation. They have no ticket: in its place
 * stands the page of the workshop.
 */
function letterToTry(deps: Deps, written: Written | undefined, organiser: Organiser): Letter {
  const { baseUrl, defaultLocale: locale } = deps.config
  const messages = mailMessagesFor(locale)
  const { subject = '', body = '', workshop } = written ?? {}
  const name = organiser.name || organiser.email
  const fill = (text: string) =>
    workshop
      ? fillPlaceholders(text, placeholdersIn(workshop, name, urlOf(baseUrl, paths.workshop(workshop.slug)), locale))
      : linkWebAddresses(text)
  const title = plainText(fill(subject))
  return {
    locale,
    messages,
    to: { name: organiser.name, address: organiser.email },
    subject: messages.test.subject(title),
    headline: title,
    greeting: messages.greeting(name),
    lead: fill(body),
    entries: workshop ? [{ ...plainEntry(workshop, messages, locale), next: [{ text: messages.test.rest }] }] : [],
    ...footOf(deps, messages, messages.test.why),
  }
}

/** The mail with the link that signs an organiser in. Organisers have the language of the installation. */
function letterToSignIn(deps: Deps, { uid, facts }: Mail, organiser: Organiser, signInLink: boolean): Letter {
  const { baseUrl, secret, defaultLocale: locale } = deps.config
  const messages = mailMessagesFor(locale)
  const { subject, headline, lead, hint } = messages.signIn[facts.invited ? 'invited' : 'asked']
  const { host } = new URL(baseUrl)
  // An invitation leads to where a link can be asked for, which signs nobody in.
  const showsLink = signInLink || facts.invited
  const way = facts.invited
    ? withQuery(paths.signIn(), { email: organiser.email })
    : paths.signInWith(signInCodeOf(secret, uid))
  return {
    locale,
    messages,
    to: { name: organiser.name, address: organiser.email },
    subject: subject(host),
    headline,
    greeting: messages.greeting(organiser.name),
    lead: [lead(host)],
    entries: [
      {
        registration: undefined,
        title: messages.signIn.console,
        facts: [],
        door: undefined,
        ticket: undefined,
        confirm: showsLink ? { label: messages.signIn.button, hint, url: urlOf(baseUrl, way) } : undefined,
        checklist: [],
        prepare: messages.prepare,
        next: showsLink ? [] : [{ text: messages.signIn.linkFromCommand(signInLinkCommand(organiser.email)) }],
      },
    ],
    ...footOf(deps, messages, messages.signIn.why),
  }
}

/** Why a mail was sent, whom to ask, what the installation adds. */
function footOf({ config }: Deps, messages: MailMessages, why: string): Pick<Letter, 'closing' | 'privacy'> {
  const { baseUrl, privacyContact, footer } = config
  return {
    closing: [why, privacyContact ? messages.contact(privacyContact) : messages.reply, ...(footer ? [footer] : [])],
    privacy: { label: messages.privacy, url: urlOf(baseUrl, paths.privacy()) },
  }
}

const localeOf = ({ locale }: { locale: string }): Locale => (locale === 'en' ? 'en' : 'zh-CN')

export const ticketUrlOf = (baseUrl: string, { ticket }: Registration) => urlOf(baseUrl, paths.ticket(ticket))

/** What a mail to an attendee tells; one that organisers wrote says it in its own words. */
function newsOf({ kind, facts }: Mail, { cancelledBy }: Registration): News | 'written' {
  if (kind === 'cancelled') return cancellations[facts.by ?? cancelledBy ?? 'organiser']
  if (kind === 'message' || kind === 'sign_in') return 'written'
  return facts.corrected ? 'corrected' : kind
}

const cancellations = {
  attendee: 'cancelledByAttendee',
  organiser: 'cancelledByOrganiser',
  workshop: 'workshopCancelled',
  deadline: 'offerLapsed',
  absence: 'seatPassedOn',
} as const

function standingOf(registration: Registration, locale: Locale, now: Date): Standing {
  const { position, workshop } = registration
  return {
    place: position,
    until: untilOf(registration, locale),
    hours: workshop.confirmHours,
    days: daysUntil(workshop, now),
  }
}

/** How many midnights there are until a workshop, on the clocks where it is. */
function daysUntil(workshop: Workshop, now: Date): number {
  const today = dateIn(now, workshop.timeZone)
  return Math.round((Date.parse(dayOf(workshop)) - Date.parse(today)) / 86_400_000)
}

const untilOf = ({ offeredUntil, workshop }: Registration, locale: Locale) =>
  offeredUntil && deadline(offeredUntil, workshop.timeZone, locale)

function entryOf(
  registration: Registration,
  news: News | 'written',
  locale: Locale,
  baseUrl: string,
  { before, board }: MailFacts,
): Entry {
  const messages = mailMessagesFor(locale)
  const { workshop, doorCode, ticket, position, status } = registration
  const confirmed = status === 'confirmed'
  // Who is asked something is not shown what to do afterwards.
  const enters = confirmed && news !== 'get_ready' && news !== 'coming'
  const live = status !== 'cancelled'
  const missing = news === 'get_ready' || news === 'coming' ? missingOf(registration, workshop) : []
  const until = untilOf(registration, locale)
  return {
    registration,
    title: titleOf(registration, locale),
    facts: [
      ...(news === 'found'
        ? [
            {
              label: messages.labels.state,
              lines: [position === null ? messagesFor(locale).registrationStatuses[status] : messages.place(position)],
            },
          ]
        : []),
      ...(until ? [{ label: messages.labels.until, lines: [messages.until(until)] }] : []),
      ...boardFact(board, messages),
      ...whenAndWhere(workshop, messages, locale),
      ...(enters && pick(workshop.entry, locale)
        ? [{ label: messages.labels.entry, lines: pick(workshop.entry, locale).split('\n') }]
        : []),
      ...(before ? [whatItWas(before, workshop, messages, locale)] : []),
    ],
    door: enters ? { url: urlOf(baseUrl, paths.door(doorCode)), file: `ticket-${workshop.slug}.png` } : undefined,
    ticket: live ? buttonOf(registration, news, messages, baseUrl) : undefined,
    confirm: undefined,
    checklist: live && news !== 'found' ? checklistOf(missing.length > 0 ? missing : workshop.items, locale) : [],
    prepare: missing.length > 0 ? messages.missing : messages.prepare,
    next: live
      ? [
          ...(confirmed ? [{ text: messages.calendarOn }] : []),
          news === 'coming'
            ? linked(messages.giveBack, urlOf(baseUrl, paths.ticketComing(ticket)))
            : linked(
                holdsSeat(registration) ? messages.cancel : messages.leave,
                urlOf(baseUrl, paths.ticketCancel(ticket)),
              ),
        ]
      : afterwards(registration, news, messages, baseUrl),
  }
}

/** Where a mail leads: to the ticket, or to what it asks. */
function buttonOf(registration: Registration, news: News | 'written', messages: MailMessages, baseUrl: string): Link {
  const url = ticketUrlOf(baseUrl, registration)
  if (registration.offeredUntil) return { label: messages.take, url }
  if (news === 'coming') return { label: messages.coming, url: urlOf(baseUrl, paths.ticketComing(registration.ticket)) }
  return news === 'get_ready' ? { label: messages.tick, url: `${url}#prepare` } : { label: messages.ticket, url }
}

/** A workshop alone, for whoever has no ticket to it. */
function plainEntry(workshop: Workshop, messages: MailMessages, locale: Locale, { board }: MailFacts = {}): Entry {
  return {
    registration: undefined,
    title: titleOf({ workshop }, locale),
    facts: [...boardFact(board, messages), ...whenAndWhere(workshop, messages, locale)],
    door: undefined,
    ticket: undefined,
    confirm: undefined,
    checklist: [],
    prepare: messages.prepare,
    next: [],
  }
}

/** The workshop that somebody came to, with what they find behind their ticket now. */
function entryAfterwards(
  { workshop, ticket }: Registration,
  materials: boolean,
  messages: MailMessages,
  locale: Locale,
  baseUrl: string,
): Entry {
  const { certificate, materials: toMaterials, feedback } = messages.behindTicket
  return {
    ...plainEntry(workshop, messages, locale),
    ticket: { label: messages.ticket, url: urlOf(baseUrl, paths.ticket(ticket)) },
    next: [
      linked(certificate, urlOf(baseUrl, paths.ticketCertificate(ticket))),
      ...(materials ? [linked(toMaterials, urlOf(baseUrl, `${paths.ticket(ticket)}#materials`))] : []),
      linked(feedback, urlOf(baseUrl, paths.ticketFeedback(ticket))),
    ],
  }
}

function boardFact(board: MailFacts['board'], messages: MailMessages): Entry['facts'] {
  return board ? [{ label: messages.labels.board, lines: [nameOf(board)] }] : []
}

const nameOf = (board: MailFacts['board']) => (board ? `${board.kind} ${board.serial}` : '')

function whenAndWhere(workshop: Workshop, messages: MailMessages, locale: Locale): Entry['facts'] {
  return [
    { label: messages.labels.when, lines: messages.when(when(workshop, locale)) },
    {
      label: messages.labels.where,
      lines: placeLines(workshop, locale),
    },
  ]
}

/** Time or place as they were before a change, whichever of them changed. */
function whatItWas(before: WorkshopBefore, now: Workshop, messages: MailMessages, locale: Locale): Entry['facts'][0] {
  const then = { ...before, startsAt: new Date(before.startsAt), endsAt: new Date(before.endsAt) }
  const [time, place] = [messages.when(when(then, locale)), placeLines(then, locale)]
  const same = (some: string[], others: string[]) => some.join('\n') === others.join('\n')
  return {
    label: messages.labels.before,
    lines: [
      ...(same(time, messages.when(when(now, locale))) ? [] : time),
      ...(same(place, placeLines(now, locale)) ? [] : place),
    ],
  }
}

const placeLines = (event: Pick<Workshop, 'city' | 'venue' | 'address'>, locale: Locale) =>
  [placeOf(event, locale), pick(event.address, locale)].filter(Boolean)

function checklistOf(items: readonly Item[], locale: Locale): Entry['checklist'] {
  return items.map((item) => ({
    tag: tagOf(item),
    label: messagesFor(locale).itemTags[tagOf(item)],
    text: pick(item.text, locale),
    url: item.url,
  }))
}

/** What is left to do after a cancellation. */
function afterwards(
  registration: Registration,
  news: News | 'written',
  messages: MailMessages,
  baseUrl: string,
): Entry['next'] {
  const { workshop, seatedAt } = registration
  const { campaign } = workshop
  return [
    ...(seatedAt ? [{ text: messages.calendarOff }] : []),
    ...(news === 'cancelledByAttendee' || news === 'offerLapsed'
      ? [linked(messages.again, urlOf(baseUrl, paths.workshop(workshop.slug)))]
      : news === 'workshopCancelled'
        ? [linked(messages.others, urlOf(baseUrl, campaign ? paths.campaign(campaign.slug) : paths.home()))]
        : []),
  ]
}

const linked = ({ text, link }: { text: string; link: string }, url: string) => ({ text, link: { label: link, url } })

const titleOf = ({ workshop }: { workshop: Workshop }, locale: Locale) =>
  pickAll([workshop.title, workshop.city], locale)

export const mailMessagesFor = (locale: Locale): MailMessages => (locale === 'en' ? mailEn : mailZhCN)
