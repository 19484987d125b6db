import { calendarFor } from '../calendar.ts'
import type { Deps } from '../deps.ts'
import type { Mail, MailToSomeone } from '../domain/mails.ts'
import type { Registration } from '../domain/registrations.ts'
import { doorMask, qrPng } from '../qr.ts'
import { htmlOf } from './templates/html.tsx'
import { type Letter, letterOf, ticketUrlOf } from './templates/letter.ts'
import { textOf } from './templates/text.ts'

/** A message as it goes to the mail server, to exactly one recipient. */
export type Message = {
  from: Mailbox
  to: Mailbox
  replyTo?: string
  subject: string
  text: string
  html: string
  date: Date
  messageId: string
  headers: Record<string, string>
  attachments: Attachment[]
}

export type Mailbox = { name: string; address: string }

export type Attachment = {
  filename: string
  contentType: string
  content: Buffer
  contentDisposition: 'inline' | 'attachment'
  /** Under which the HTML shows it (RFC 2392). */
  cid?: string
}

/**
 * Writes a mail as it would be sent now: in the recipient's language, with the QR for the door and the calendar file.
 * @param signInLink false leaves out the link that signs an organiser in, for /mailbox
 */
export function messageOf(deps: Deps, mail: MailToSomeone, { signInLink = true } = {}): Message {
  const { mailFrom, privacyContact } = deps.config
  const letter = letterOf(deps, mail, { signInLink })
  const doors = letter.entries.flatMap((entry, n) =>
    entry.door
      ? [
          {
            entry,
            file: entry.door.file,
            cid: `door-${n + 1}.${mail.id}@baoming`,
            png: Buffer.from(qrPng(entry.door.url, { scale: 8, mask: doorMask })),
          },
        ]
      : [],
  )
  return {
    from: mailboxOf(mailFrom),
    to: letter.to,
    ...(privacyContact && /^\S+@\S+$/.test(privacyContact) && { replyTo: privacyContact }),
    subject: letter.subject.replace(/\s+/g, ' '),
    text: textOf(letter),
    html: htmlOf(letter, (entry) => {
      const door = doors.find((door) => door.entry === entry)
      return { url: `cid:${door?.cid}`, width: door ? sideOf(door.png) / 2 : 0 }
    }),
    // Both are fixed by the first attempt, so that a repeated one is the same message.
    date: mail.datedAt ?? deps.now(),
    messageId: `<${mail.messageId ?? `mail-${mail.id}@baoming`}>`,
    // RFC 3834: no vacation notice shall answer this.
    headers: { 'Auto-Submitted': 'auto-generated' },
    attachments: [
      ...doors.map(({ file, png, cid }) => picture(file, png, cid)),
      ...doors.map(({ file, png }) => picture(file, png)),
      ...calendarOf(deps, letter),
    ],
  }
}

/** What a mail that nobody is owed yet would say to an attendee. */
export function draftOf(
  deps: Deps,
  { kind, facts, written }: Pick<Mail, 'kind' | 'facts'> & Partial<Pick<Mail, 'written'>>,
  registration: Registration,
): { subject: string; text: string } {
  const letter = letterOf(deps, {
    ...{ id: 0, uid: '', createdAt: deps.now(), messageId: null, datedAt: null, tickets: [] },
    ...{ kind, facts, written, registration, held: undefined, organiser: undefined },
  })
  return { subject: letter.subject, text: textOf(letter) }
}

/** The subject that a mail has, or would have if it were sent now. */
export function subjectOf(deps: Deps, mail: MailToSomeone): string {
  return letterOf(deps, mail).subject.replace(/\s+/g, ' ')
}

/** `Name <address>` or an address alone, as MAIL_FROM is checked to be. */
function mailboxOf(text: string): Mailbox {
  const [, name = '', address = text] = /^([^<]*)<([^>]+)>$/.exec(text) ?? []
  return { name: name.trim(), address: address.trim() }
}

function picture(filename: string, content: Buffer, cid?: string): Attachment {
  return {
    filename,
    contentType: 'image/png',
    content,
    contentDisposition: cid ? 'inline' : 'attachment',
    ...(cid && { cid }),
  }
}

/** The confirmed seats as a calendar file; after a cancellation, what takes the entry out again. */
function calendarOf(deps: Deps, { entries, locale }: Letter): Attachment[] {
  const events = entries
    .flatMap(({ registration }) => registration ?? [])
    .filter(({ status, seatedAt }) => status === 'confirmed' || (status === 'cancelled' && seatedAt))
    .map((registration) => ({ registration, ticketUrl: ticketUrlOf(deps.config.baseUrl, registration) }))
  if (events.length === 0) return []
  const calendar = calendarFor(events, locale, deps.now())
  const method = /^METHOD:(\w+)/m.exec(calendar)?.[1] ?? 'PUBLISH'
  return [
    {
      filename: 'workshop.ics',
      contentType: `text/calendar; charset=utf-8; method=${method}`,
      content: Buffer.from(calendar),
      contentDisposition: 'attachment',
    },
  ]
}

/** Pixels a side: the first number in a PNG's header. Shown at half of them, the picture is sharp on every screen. */
const sideOf = (png: Buffer) => png.readUInt32BE(16)
