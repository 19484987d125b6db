import type { FC, PropsWithChildren } from 'hono/jsx'
import type { EmailMessages } from '../../i18n/zh-CN/email.ts'
import type { LinkedText } from '../../lib/urls.ts'
import type { EmailContent, EmailLink, EmailSection } from './content.ts'

/**
 * Renders HTML for mail programs of the last twenty years: tables, inline styles, 600 px. Programs that support style
 * sheets and prefer dark colours get them.
 * @param resolveImage source and width of the image of a section's check-in code
 */
export function renderHtml(content: EmailContent, resolveImage: ResolveImage): string {
  return `<!doctype html>${(<Page content={content} resolveImage={resolveImage} />).toString()}`
}

type ResolveImage = (section: EmailSection) => { url: string; width: number }

const Page: FC<{ content: EmailContent; resolveImage: ResolveImage }> = ({ content, resolveImage }) => (
  <html lang={content.locale}>
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="supported-color-schemes" content="light dark" />
      <title>{content.subject}</title>
      <style>{dark}</style>
    </head>
    <body class="paper" style={`margin:0;padding:0;background:${paper};-webkit-text-size-adjust:100%`}>
      <Table class="paper" style={`background:${paper}`}>
        <tr>
          <td align="center" style="padding:24px 12px">
            <table
              role="presentation"
              class="card"
              width="600"
              cellpadding="0"
              cellspacing="0"
              style={`width:100%;max-width:600px;background:${card};border:1px solid ${line};border-radius:14px;border-collapse:separate`}
            >
              <tr>
                <td class="ink" style={`padding:28px 24px 8px;${text};color:${ink}`}>
                  <h1 class="ink" style={`margin:0 0 16px;font-size:26px;line-height:1.3;font-weight:600;color:${ink}`}>
                    {content.headline}
                  </h1>
                  <p style="margin:0 0 4px">{content.greeting}</p>
                  {splitParagraphs(content.lead).map((lines) => (
                    <p style="margin:0 0 8px">
                      {lines.map((line, n) => [n > 0 && <br />, <LinkedLine line={line} />])}
                    </p>
                  ))}
                </td>
              </tr>
              {content.sections.map((section) => (
                <SectionRows section={section} messages={content.messages} resolveImage={resolveImage} />
              ))}
              <tr>
                <td
                  class="soft line"
                  style={`padding:16px 24px 24px;border-top:1px solid ${line};font:14px/1.65 ${fonts};color:${soft}`}
                >
                  {content.footer.map((sentence) => (
                    <p style="margin:0 0 4px">{sentence}</p>
                  ))}
                  <p style="margin:0">
                    <a class="accent" href={content.privacy.url} style={link}>
                      {content.privacy.label}
                    </a>
                  </p>
                </td>
              </tr>
            </table>
          </td>
        </tr>
      </Table>
    </body>
  </html>
)

const SectionRows: FC<{ section: EmailSection; messages: EmailMessages; resolveImage: ResolveImage }> = ({
  section,
  messages,
  resolveImage,
}) => (
  <tr>
    <td class="ink line" style={`padding:20px 24px;border-top:1px solid ${line};${text};color:${ink}`}>
      <h2 class="ink" style={`margin:0 0 12px;font-size:16px;line-height:1.65;font-weight:600;color:${ink}`}>
        {section.title}
      </h2>
      {section.details.length > 0 && <DetailTable details={section.details} />}
      {section.qr && <CheckInQr messages={messages} {...resolveImage(section)} />}
      {section.ticket && <Button link={section.ticket} hint={messages.keep} />}
      {section.confirm && <Button link={section.confirm} hint={section.confirm.hint} />}
      {section.checklist.length > 0 && <Checklist heading={section.checklistHeading} items={section.checklist} />}
      {section.nextSteps.map((step) => (
        <p style="margin:16px 0 0">
          {step.text}{' '}
          {step.link && (
            <a class="accent" href={step.link.url} style={`${link};display:inline-block`}>
              {step.link.label}
            </a>
          )}
        </p>
      ))}
    </td>
  </tr>
)

const DetailTable: FC<{ details: EmailSection['details'] }> = ({ details }) => (
  <Table>
    {details.map(({ label, lines }) => (
      <tr>
        <td
          class="soft"
          width="56"
          valign="top"
          style={`padding:0 12px 8px 0;white-space:nowrap;${text};color:${soft}`}
        >
          {label}
        </td>
        <td class="ink" valign="top" style={`padding:0 0 8px;${text};color:${ink}`}>
          {lines.map((sentence, n) => [n > 0 && <br />, sentence])}
        </td>
      </tr>
    ))}
  </Table>
)

/** White background in every colour scheme, which scanners need. */
const CheckInQr: FC<{ messages: EmailMessages; url: string; width: number }> = ({ messages, url, width }) => (
  <Table style="margin:12px 0 0">
    <tr>
      <td class="wash" align="center" style={`padding:20px 16px 16px;background:${wash};border-radius:14px`}>
        <img
          src={url}
          width={width}
          height={width}
          alt={messages.qrAlt}
          style="display:block;margin:0 auto;background:#fff;border:0;border-radius:10px"
        />
        <p class="soft" style={`margin:12px 0 0;font:14px/1.65 ${fonts};color:${soft}`}>
          {messages.qrCaption}
        </p>
      </td>
    </tr>
  </Table>
)

const Button: FC<{ link: EmailLink; hint: string }> = ({ link, hint }) => (
  <Table style="margin:16px 0 0">
    <tr>
      <td class="button" align="center" style={`background:${accent};border-radius:12px`}>
        <a
          class="button"
          href={link.url}
          style={`display:block;padding:12px 16px;font:600 16px/1.5 ${fonts};color:#ffffff;text-decoration:none;border-radius:12px`}
        >
          {link.label}
        </a>
      </td>
    </tr>
    <tr>
      <td class="soft" align="center" style={`padding:8px 0 0;font:14px/1.65 ${fonts};color:${soft}`}>
        {hint}
      </td>
    </tr>
  </Table>
)

const Checklist: FC<{ heading: string; items: EmailSection['checklist'] }> = ({ heading, items }) => (
  <>
    <h3 class="ink" style={`margin:24px 0 8px;font-size:16px;line-height:1.65;font-weight:600;color:${ink}`}>
      {heading}
    </h3>
    <Table>
      {items.map((item) => (
        <tr>
          <td width="84" valign="top" style="padding:2px 12px 2px 0;white-space:nowrap">
            <span
              class={item.tag === 'provided' ? 'tag' : 'tag warn'}
              style={`display:inline-block;padding:0 8px;border-radius:11px;font:12px/22px ${fonts};${item.tag === 'provided' ? `background:${wash};color:${accent}` : `background:${warnWash};color:${warn}`}`}
            >
              {item.label}
            </span>
          </td>
          <td class="ink" valign="top" style={`padding:2px 0;${text};color:${ink}`}>
            {item.url ? (
              <a class="accent" href={item.url} style={link}>
                {item.text}
              </a>
            ) : (
              item.text
            )}
          </td>
        </tr>
      ))}
    </Table>
  </>
)

const Table: FC<PropsWithChildren<{ class?: string; style?: string }>> = ({ class: name, style = '', children }) => (
  <table role="presentation" class={name} width="100%" cellpadding="0" cellspacing="0" style={`width:100%;${style}`}>
    {children}
  </table>
)

const [paper, card, ink, soft, line] = ['#fbfaf7', '#ffffff', '#1b1d1f', '#5d646b', '#e6e3dc']
const [accent, wash, warn, warnWash] = ['#0b6e4f', '#e8f3ee', '#a8480f', '#fdf0e6']
/** In single quotes, for use in an attribute. */
const fonts = `system-ui,-apple-system,'PingFang SC','HarmonyOS Sans SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif`
const text = `font:16px/1.65 ${fonts}`
const link = `color:${accent};text-decoration:underline`

const dark = `
@media (prefers-color-scheme: dark) {
  .paper { background: #131516 !important }
  .card { background: #1b1e20 !important; border-color: #2d3235 !important }
  .ink { color: #eceae5 !important }
  .soft { color: #a2a8ad !important }
  .line { border-color: #2d3235 !important }
  .accent { color: #4cc79a !important }
  .wash, .tag { background: #143026 !important }
  .tag { color: #4cc79a !important }
  .warn { background: #3a2517 !important; color: #f0a36b !important }
  .button { background: #4cc79a !important; color: #06281c !important }
}
`

/** Line with URLs as links; everything else is escaped text. */
function LinkedLine({ line }: { line: LinkedText }) {
  return <>{line.map((part) => (typeof part === 'string' ? part : <a href={part.url}>{part.url}</a>))}</>
}

/** Splits a text into paragraphs of lines. */
function splitParagraphs(text: LinkedText): LinkedText[][] {
  let line: LinkedText = []
  let paragraph = [line]
  const paragraphs = [paragraph]
  for (const part of text) {
    // The capturing group keeps the line breaks as pieces.
    for (const piece of typeof part === 'string' ? part.split(/(\n+)/) : [part]) {
      if (typeof piece !== 'string' || !piece.startsWith('\n')) {
        line.push(piece)
        continue
      }
      line = []
      if (piece.length === 1) paragraph.push(line)
      else {
        paragraph = [line]
        paragraphs.push(paragraph)
      }
    }
  }
  return paragraphs
}
