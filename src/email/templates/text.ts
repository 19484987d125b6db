import type { EmailMessages } from '../../i18n/zh-CN/email.ts'
import { renderPlainText } from '../../lib/urls.ts'
import type { EmailContent, EmailSection } from './content.ts'

/** Renders the plain-text part, with everything that the HTML part has. */
export function renderText({ messages, headline, greeting, lead, sections, footer, privacy }: EmailContent): string {
  return `${[
    headline,
    greeting,
    renderPlainText(lead),
    ...sections.map((section) => sectionText(section, messages)),
    ['-- ', ...footer, messages.withColon(privacy.label), privacy.url].join('\n'),
  ].join('\n\n')}\n`
}

function sectionText(
  { title, details, qr, ticket, confirm, checklist, checklistHeading, nextSteps }: EmailSection,
  messages: EmailMessages,
): string {
  const width = Math.max(...details.map(({ label }) => label.length))
  return [
    [title, ...details.map(({ label, lines }) => `${label.padEnd(width)}  ${lines.join(`\n${indent(label, width)}`)}`)],
    qr ? [messages.qrAttached(qr.file)] : [],
    ticket ? [messages.withColon(ticket.label), ticket.url, messages.keep] : [],
    confirm ? [messages.withColon(confirm.label), confirm.url, confirm.hint] : [],
    checklist.length > 0 ? [messages.withColon(checklistHeading), ...checklist.map(itemText)] : [],
    // URLs are on separate lines, so that mail programs do not include punctuation in the link.
    ...nextSteps.map(({ text, link }) => (link ? [text, messages.withColon(link.label), link.url] : [text])),
  ]
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')
}

const itemText = ({ label, text, url }: EmailSection['checklist'][number]) =>
  `- [${label}] ${text}${url ? `\n  ${url}` : ''}`

/** Indentation of the label column. A Chinese character is as wide as two spaces. */
function indent(label: string, width: number): string {
  const wide = label.match(/\p{Script=Han}/gu)?.length ?? 0
  return ' '.repeat(width + wide + 2)
}
