import { type Context, Hono } from 'hono'
import { raw } from 'hono/html'
import {
  formatCertificateNumber,
  parseCertificateNumber,
  type VerifiedCertificate,
  verifyCertificate,
} from '../../../domain/attendance/certificates.ts'
import type { Workshop } from '../../../domain/workshops/workshops.ts'
import { type App, rateLimitByIp } from '../../../http/context.ts'
import { absoluteUrl, paths } from '../../../http/links.ts'
import { formatDateRange, localize } from '../../../i18n/format.ts'
import { postEventMessages } from '../../../i18n/post-event.ts'
import { publicMessages } from '../../../i18n/public.ts'
import { qrPng } from '../../../lib/qr.ts'
import { isWeChat, renderPage } from '../layout.tsx'

/** Verification and printing of certificates, for anyone with the number. */
export const certificatePages = new Hono<App>()

certificatePages.use('/certificate/*', async (c, next) => {
  await next()
  c.header('Cache-Control', 'no-store')
  c.header('X-Robots-Tag', 'noindex')
})

/** The form sends the number as `?number=`; redirects to the permanent URL. */
certificatePages.get('/certificate', async (c) => {
  const input = c.req.query('number')
  if (input === undefined) return verifyPage(c)
  const number = parseCertificateNumber(input)
  return number ? c.redirect(paths.certificate(formatCertificateNumber(number)), 302) : unknownNumberPage(c, input)
})

certificatePages.get('/certificate/:number', async (c) => {
  const certificate = await loadCertificate(c)
  return certificate ? certificatePage(c, certificate) : unknownNumberPage(c)
})

certificatePages.get('/certificate/:number/print', async (c) => {
  const certificate = await loadCertificate(c)
  if (!certificate) return unknownNumberPage(c)
  return certificate.valid ? printPage(c, certificate) : certificatePage(c, certificate)
})

/** Rate-limited, against guessing numbers. */
async function loadCertificate(c: Context<App>): Promise<VerifiedCertificate | undefined> {
  await rateLimitByIp(c, 'certificate')
  const number = parseCertificateNumber(c.req.param('number') ?? '')
  return number === undefined ? undefined : verifyCertificate(c.env.deps, number)
}

function verifyPage(c: Context<App>) {
  const t = postEventMessages(c.var.locale).certificate
  return renderPage(
    c,
    { title: t.verify, description: t.verifyLead },
    <>
      <h1>{t.verify}</h1>
      <p class="lead">{t.verifyLead}</p>
      <NumberForm c={c} value="" />
    </>,
  )
}

function unknownNumberPage(c: Context<App>, input = '') {
  const t = postEventMessages(c.var.locale).certificate
  return renderPage(
    c,
    { title: t.unknown, canonicalPath: paths.verifyCertificate(), status: 404 },
    <>
      <h1>{t.unknown}</h1>
      <p class="lead">{t.unknownText}</p>
      <NumberForm c={c} value={input.slice(0, 40)} />
    </>,
  )
}

function NumberForm({ c, value }: { c: Context<App>; value: string }) {
  const t = postEventMessages(c.var.locale).certificate
  return (
    <form method="get" action={paths.verifyCertificate()}>
      <div class="field">
        <label for="number">{t.number}</label>
        <input
          id="number"
          name="number"
          type="text"
          required
          value={value}
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
          aria-describedby="number-hint"
        />
        <p class="hint" id="number-hint">
          {t.verifyHint}
        </p>
      </div>
      <button type="submit">{t.verifyButton}</button>
    </form>
  )
}

/** Details of a certificate, and whether it is valid. */
function certificatePage(c: Context<App>, { number, name, valid, issuedAt, workshop }: VerifiedCertificate) {
  const { locale } = c.var
  const t = postEventMessages(locale).certificate
  const { date } = formatDateRange(workshop, locale)
  const details: [string, string][] = [
    [t.number, formatCertificateNumber(number)],
    [t.person, name ?? t.noName],
    [t.workshop, localize(workshop.title, locale)],
    [t.place, localize(workshop.city, locale)],
    [t.date, date],
    [t.hours, formatHours(workshop, c)],
    [t.issued, formatDate(issuedAt, workshop, c)],
  ]
  return renderPage(
    c,
    {
      title: valid ? t.genuine : t.withdrawn,
      canonicalPath: paths.certificate(formatCertificateNumber(number)),
      status: valid ? 200 : 410,
    },
    <>
      <h1>{t.title}</h1>
      <div class={`seats words ${valid ? 'good' : 'none'}`}>
        <b>{valid ? t.genuine : t.withdrawn}</b>
        {!valid && <div>{t.withdrawnText}</div>}
      </div>
      {valid && (
        <>
          <dl class="certified">
            {details.map(([label, value]) => (
              <div>
                <dt>{label}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          <a class="button second" href={paths.certificatePrint(formatCertificateNumber(number))}>
            {t.print}
          </a>
        </>
      )}
      <p>
        <a class="quiet" href={paths.verifyCertificate()}>
          {t.verify}
        </a>
      </p>
    </>,
  )
}

/** The certificate for A4 landscape, with the QR code of its verification page. */
function printPage(c: Context<App>, { number, name, issuedAt, workshop }: VerifiedCertificate) {
  const { locale } = c.var
  const t = postEventMessages(locale).certificate
  const { lang, otherLanguage } = publicMessages(locale)
  const { date } = formatDateRange(workshop, locale)
  const url = absoluteUrl(c.env.deps.config.baseUrl, paths.certificate(formatCertificateNumber(number)))
  const qr = Buffer.from(qrPng(url, { scale: 6 })).toString('base64')
  return c.html(
    <>
      {raw('<!doctype html>')}
      <html lang={lang}>
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="robots" content="noindex" />
          <title>{`${t.title} ${formatCertificateNumber(number)}`}</title>
          <link rel="icon" href={paths.asset('favicon.svg')} type="image/svg+xml" />
          <link rel="stylesheet" href={paths.asset('sheets.css')} />
        </head>
        <body class="landscape">
          <header class="no-print">
            <a href={paths.certificate(formatCertificateNumber(number))}>{t.verify}</a>{' '}
            <a
              href={`${paths.certificatePrint(formatCertificateNumber(number))}?lang=${otherLanguage.locale}`}
              lang={otherLanguage.locale}
            >
              {otherLanguage.name}
            </a>
            <p>{isWeChat(c) ? t.printWeChat : t.printHint}</p>
          </header>
          <main class="certificate">
            <h1>{t.title}</h1>
            <p>{t.certifies}</p>
            <p class="who">{name ?? t.someone}</p>
            <p>{t.took}</p>
            <p class="what">{localize(workshop.title, locale)}</p>
            <p>
              {localize(workshop.city, locale)} · {date} · {formatHours(workshop, c)}
            </p>
            <footer>
              <p>
                {t.number} <b>{formatCertificateNumber(number)}</b>
                <br />
                {t.issued} {formatDate(issuedAt, workshop, c)}
                <br />
                <small>{url}</small>
              </p>
              <figure>
                <img src={`data:image/png;base64,${qr}`} alt={t.qrAlt} />
                <figcaption>{t.scan}</figcaption>
              </figure>
            </footer>
          </main>
        </body>
      </html>
    </>,
  )
}

/** E.g. 09:30 – 17:00（7.5 小时）; without the duration if it spans several days. */
function formatHours(workshop: Workshop, c: Context<App>): string {
  const { time } = formatDateRange(workshop, c.var.locale)
  const hours = Math.round((workshop.endsAt.getTime() - workshop.startsAt.getTime()) / 1_800_000) / 2
  return hours <= 14 ? postEventMessages(c.var.locale).certificate.hoursLong(time, hours) : time
}

function formatDate(at: Date, { timeZone }: Workshop, c: Context<App>): string {
  return formatDateRange({ startsAt: at, endsAt: at, timeZone }, c.var.locale).date
}
