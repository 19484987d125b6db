import { type Context, Hono } from 'hono'
import { raw } from 'hono/html'
import { type App, limitRange } from '../context.ts'
import { inGroups, readNumber, type Verified, verifyCertificate } from '../domain/certificates.ts'
import type { Workshop } from '../domain/workshops.ts'
import { paths, urlOf } from '../links.ts'
import { afterwardsMessagesFor } from '../messages/afterwards.ts'
import { messagesFor } from '../messages/messages.ts'
import { pick, when } from '../messages/text.ts'
import { qrPng } from '../qr.ts'
import { isWeChat, page } from './layout.tsx'

/** Anyone with the number of a certificate may see whether it is genuine, and print it. */
export const certificatePages = new Hono<App>()

certificatePages.use('/certificate/*', async (c, next) => {
  await next()
  c.header('Cache-Control', 'no-store')
  c.header('X-Robots-Tag', 'noindex')
})

/** A form without JavaScript sends the number as `?number=`; it becomes an address to keep. */
certificatePages.get('/certificate', async (c) => {
  const typed = c.req.query('number')
  if (typed === undefined) return verifyPage(c)
  const number = readNumber(typed)
  return number ? c.redirect(paths.certificate(inGroups(number)), 302) : unknownPage(c, typed)
})

certificatePages.get('/certificate/:number', async (c) => {
  const found = await verified(c)
  return found ? genuinePage(c, found) : unknownPage(c)
})

certificatePages.get('/certificate/:number/print', async (c) => {
  const found = await verified(c)
  if (!found) return unknownPage(c)
  return found.valid ? sheet(c, found) : genuinePage(c, found)
})

/** Whoever tries out numbers is slowed down. */
async function verified(c: Context<App>): Promise<Verified | undefined> {
  await limitRange(c, 'certificate')
  const number = readNumber(c.req.param('number') ?? '')
  return number === undefined ? undefined : verifyCertificate(c.env.deps, number)
}

function verifyPage(c: Context<App>) {
  const t = afterwardsMessagesFor(c.var.locale).certificate
  return page(
    c,
    { title: t.verify, description: t.verifyLead },
    <>
      <h1>{t.verify}</h1>
      <p class="lead">{t.verifyLead}</p>
      <NumberForm c={c} typed="" />
    </>,
  )
}

function unknownPage(c: Context<App>, typed = '') {
  const t = afterwardsMessagesFor(c.var.locale).certificate
  return page(
    c,
    { title: t.unknown, here: paths.verifyCertificate(), status: 404 },
    <>
      <h1>{t.unknown}</h1>
      <p class="lead">{t.unknownText}</p>
      <NumberForm c={c} typed={typed.slice(0, 40)} />
    </>,
  )
}

function NumberForm({ c, typed }: { c: Context<App>; typed: string }) {
  const t = afterwardsMessagesFor(c.var.locale).certificate
  return (
    <form method="get" action={paths.verifyCertificate()}>
      <div class="field">
        <label for="number">{t.number}</label>
        <input
          id="number"
          name="number"
          type="text"
          required
          value={typed}
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

/** What a certificate says, and whether that still holds. */
function genuinePage(c: Context<App>, { number, name, valid, issuedAt, workshop }: Verified) {
  const { locale } = c.var
  const t = afterwardsMessagesFor(locale).certificate
  const { date } = when(workshop, locale)
  const facts: [string, string][] = [
    [t.number, inGroups(number)],
    [t.person, name ?? t.noName],
    [t.workshop, pick(workshop.title, locale)],
    [t.place, pick(workshop.city, locale)],
    [t.date, date],
    [t.hours, hoursOf(workshop, c)],
    [t.issued, dateOf(issuedAt, workshop, c)],
  ]
  return page(
    c,
    { title: valid ? t.genuine : t.withdrawn, here: paths.certificate(inGroups(number)), status: valid ? 200 : 410 },
    <>
      <h1>{t.title}</h1>
      <div class={`seats words ${valid ? 'good' : 'none'}`}>
        <b>{valid ? t.genuine : t.withdrawn}</b>
        {!valid && <div>{t.withdrawnText}</div>}
      </div>
      {valid && (
        <>
          <dl class="certified">
            {facts.map(([label, said]) => (
              <div>
                <dt>{label}</dt>
                <dd>{said}</dd>
              </div>
            ))}
          </dl>
          <a class="button second" href={paths.certificateSheet(inGroups(number))}>
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

/** The certificate on A4 landscape, with the QR of where it is verified. */
function sheet(c: Context<App>, { number, name, issuedAt, workshop }: Verified) {
  const { locale } = c.var
  const t = afterwardsMessagesFor(locale).certificate
  const { lang, otherLanguage } = messagesFor(locale)
  const { date } = when(workshop, locale)
  const url = urlOf(c.env.deps.config.baseUrl, paths.certificate(inGroups(number)))
  const qr = Buffer.from(qrPng(url, { scale: 6 })).toString('base64')
  return c.html(
    <>
      {raw('<!doctype html>')}
      <html lang={lang}>
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="robots" content="noindex" />
          <title>{`${t.title} ${inGroups(number)}`}</title>
          <link rel="icon" href={paths.asset('favicon.svg')} type="image/svg+xml" />
          <link rel="stylesheet" href={paths.asset('sheets.css')} />
        </head>
        <body class="landscape">
          <header class="no-print">
            <a href={paths.certificate(inGroups(number))}>{t.verify}</a>{' '}
            <a
              href={`${paths.certificateSheet(inGroups(number))}?lang=${otherLanguage.locale}`}
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
            <p class="what">{pick(workshop.title, locale)}</p>
            <p>
              {pick(workshop.city, locale)} · {date} · {hoursOf(workshop, c)}
            </p>
            <footer>
              <p>
                {t.number} <b>{inGroups(number)}</b>
                <br />
                {t.issued} {dateOf(issuedAt, workshop, c)}
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

/** 09:30 – 17:00（7.5 小时）; of several days the hours are not known. */
function hoursOf(workshop: Workshop, c: Context<App>): string {
  const { time } = when(workshop, c.var.locale)
  const hours = Math.round((workshop.endsAt.getTime() - workshop.startsAt.getTime()) / 1_800_000) / 2
  return hours <= 14 ? afterwardsMessagesFor(c.var.locale).certificate.hoursLong(time, hours) : time
}

function dateOf(at: Date, { timeZone }: Workshop, c: Context<App>): string {
  return when({ startsAt: at, endsAt: at, timeZone }, c.var.locale).date
}
