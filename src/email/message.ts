import type { Deps } from '../domain/deps.ts'
import type { DeliverableMail, Mail } from '../domain/mails/outbox.ts'
import type { Registration } from '../domain/registrations/registrations.ts'
import { doorMask, qrPng } from '../lib/qr.ts'
import { registrationCalendar } from './calendar.ts'
import { buildEmail, buildTicketUrl, type EmailContent } from './templates/content.ts'
import { renderHtml } from './templates/html.tsx'
import { renderText } from './templates/text.ts'

/** A message for the mail server, to exactly one recipient. */
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
  /** Content-ID for the HTML (RFC 2392). */
  cid?: string
}

/**
 * Renders a mail as it would be sent now: in the recipient's language, with check-in QR codes and calendar file.
 * @param signInLink false omits an organiser's sign-in link, for /mailbox
 */
export function buildMessage(deps: Deps, mail: DeliverableMail, { signInLink = true } = {}): Message {
  const { mailFrom, privacyContact } = deps.config
  const content = buildEmail(deps, mail, { signInLink })
  const qrCodes = content.sections.flatMap((section, index) =>
    section.qr
      ? [
          {
            section,
            file: section.qr.file,
            cid: `door-${index + 1}.${mail.id}@baoming`,
            png: Buffer.from(qrPng(section.qr.url, { scale: 8, mask: doorMask })),
          },
        ]
      : [],
  )
  return {
    from: parseMailbox(mailFrom),
    to: content.to,
    ...(privacyContact && /^\S+@\S+$/.test(privacyContact) && { replyTo: privacyContact }),
    subject: content.subject.replace(/\s+/g, ' '),
    text: renderText(content),
    html: renderHtml(content, (section) => {
      const qrCode = qrCodes.find((qrCode) => qrCode.section === section)
      // At half of its pixels the image is sharp on every screen.
      return { url: `cid:${qrCode?.cid}`, width: qrCode ? pngWidth(qrCode.png) / 2 : 0 }
    }),
    // Date and Message-ID are fixed by the first attempt, so that a retry is the same message.
    date: mail.messageDate ?? deps.now(),
    messageId: `<${mail.messageId ?? `mail-${mail.id}@baoming`}>`,
    // RFC 3834: suppresses vacation notices.
    headers: { 'Auto-Submitted': 'auto-generated' },
    attachments: [
      ...qrCodes.map(({ file, png, cid }) => imageAttachment(file, png, cid)),
      ...qrCodes.map(({ file, png }) => imageAttachment(file, png)),
      ...calendarAttachments(deps, content),
    ],
  }
}

/** Renders a mail to an attendee that is not in the outbox yet, as a preview. */
export function previewMessage(
  deps: Deps,
  { kind, payload, written }: Pick<Mail, 'kind' | 'payload'> & Partial<Pick<Mail, 'written'>>,
  registration: Registration,
): { subject: string; text: string } {
  const content = buildEmail(deps, {
    ...{ id: 0, uid: '', createdAt: deps.now(), messageId: null, messageDate: null, tickets: [] },
    ...{ kind, payload, written, registration, held: undefined, organiser: undefined },
  })
  return { subject: content.subject, text: renderText(content) }
}

export function renderSubject(deps: Deps, mail: DeliverableMail): string {
  return buildEmail(deps, mail).subject.replace(/\s+/g, ' ')
}

/** Parses `Name <address>` or a plain address; MAIL_FROM has been validated. */
function parseMailbox(text: string): Mailbox {
  const [, name = '', address = text] = /^([^<]*)<([^>]+)>$/.exec(text) ?? []
  return { name: name.trim(), address: address.trim() }
}

function imageAttachment(filename: string, content: Buffer, cid?: string): Attachment {
  return {
    filename,
    contentType: 'image/png',
    content,
    contentDisposition: cid ? 'inline' : 'attachment',
    ...(cid && { cid }),
  }
}

/** Calendar file with the confirmed registrations, or with cancellations of seats that were confirmed. */
function calendarAttachments(deps: Deps, { sections, locale }: EmailContent): Attachment[] {
  const events = sections
    .flatMap(({ registration }) => registration ?? [])
    .filter(({ status, seatedAt }) => status === 'confirmed' || (status === 'cancelled' && seatedAt))
    .map((registration) => ({ registration, ticketUrl: buildTicketUrl(deps.config.baseUrl, registration) }))
  if (events.length === 0) return []
  const calendar = registrationCalendar(events, locale, deps.now())
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

/** Width in pixels, from the PNG header. */
const pngWidth = (png: Buffer) => png.readUInt32BE(16)
