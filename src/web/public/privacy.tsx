import { Hono } from 'hono'
import { consentVersion } from '../../domain/registrations/registrations.ts'
import type { App } from '../../http/context.ts'
import { paths } from '../../http/links.ts'
import { publicMessages } from '../../i18n/public.ts'
import { Flash } from '../ui/notices.tsx'
import { renderPage } from './layout.tsx'

/** The privacy notice. */
export const privacyPages = new Hono<App>()

privacyPages.get('/privacy', (c) => {
  const { privacyContact, retentionDays } = c.env.deps.config
  const t = publicMessages(c.var.locale)
  return renderPage(
    c,
    { title: t.privacy.title, description: t.privacy.lead },
    <>
      {c.req.query('done') === 'erased' && <Flash>{t.erase.done}</Flash>}
      <h1>{t.privacy.title}</h1>
      <p class="lead">{t.privacy.lead}</p>
      {t.privacy.sections(retentionDays).map(([title, text]) => (
        <>
          <h2>{title}</h2>
          <p>{text}</p>
        </>
      ))}
      <h2>{t.privacy.contact}</h2>
      <p>{privacyContact ? <Contact contact={privacyContact} /> : t.privacy.contactReply}</p>
      <p>
        <a href={paths.findTickets()}>{t.find.title}</a>
      </p>
      <p class="note">{t.privacy.version(consentVersion)}</p>
    </>,
  )
})

/** PRIVACY_CONTACT, as a link if it is an e-mail address or a URL. */
function Contact({ contact }: { contact: string }) {
  const href = /^[^\s@]+@[^\s@]+$/.test(contact) ? `mailto:${contact}` : /^https?:/.test(contact) ? contact : undefined
  return href ? <a href={href}>{contact}</a> : <span>{contact}</span>
}
