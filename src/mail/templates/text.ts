import { plainText } from '../../domain/web-addresses.ts'
import type { MailMessages } from '../../messages/mail.zh-CN.ts'
import type { Entry, Letter } from './letter.ts'

/** The letter as plain text: complete, for whoever reads no HTML. */
export function textOf({ messages, headline, greeting, lead, entries, closing, privacy }: Letter): string {
  return `${[
    headline,
    greeting,
    plainText(lead),
    ...entries.map((entry) => entryText(entry, messages)),
    ['-- ', ...closing, messages.labelled(privacy.label), privacy.url].join('\n'),
  ].join('\n\n')}\n`
}

function entryText(
  { title, facts, door, ticket, confirm, checklist, prepare, next }: Entry,
  messages: MailMessages,
): string {
  const width = Math.max(...facts.map(({ label }) => label.length))
  return [
    [title, ...facts.map(({ label, lines }) => `${label.padEnd(width)}  ${lines.join(`\n${indent(label, width)}`)}`)],
    door ? [messages.qrAttached(door.file)] : [],
    ticket ? [messages.labelled(ticket.label), ticket.url, messages.keep] : [],
    confirm ? [messages.labelled(confirm.label), confirm.url, confirm.hint] : [],
    checklist.length > 0 ? [messages.labelled(prepare), ...checklist.map(itemText)] : [],
    // An address stands in a line of its own, so that no punctuation is taken for a part of it.
    ...next.map(({ text, link }) => (link ? [text, messages.labelled(link.label), link.url] : [text])),
  ]
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')
}

const itemText = ({ label, text, url }: Entry['checklist'][number]) => `- [${label}] ${text}${url ? `\n  ${url}` : ''}`

/** Spaces as wide as a label, where a Chinese character is as wide as two of them. */
function indent(label: string, width: number): string {
  const wide = label.match(/\p{Script=Han}/gu)?.length ?? 0
  return ' '.repeat(width + wide + 2)
}
