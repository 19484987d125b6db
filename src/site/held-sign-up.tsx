import { type Context, Hono } from 'hono'
import type { Locale } from '../config.ts'
import { type App, limitRange } from '../context.ts'
import { findHeldSignUp, type Held, registerHeld } from '../domain/held-sign-ups.ts'
import type { Refusal } from '../domain/seats.ts'
import { findPublicWorkshop, type Workshop } from '../domain/workshops.ts'
import { paths } from '../links.ts'
import { messagesFor } from '../messages/messages.ts'
import { pick } from '../messages/text.ts'
import { errorPage } from './error-page.tsx'
import { Facts, Seats } from './facts.tsx'
import { Alert, page } from './layout.tsx'

/** The link that is mailed to whoever signed up from a browser that could not work for it. */
export const heldSignUpPages = new Hono<App>()

heldSignUpPages.use('/w/:workshop/confirm/:code', async (c, next) => {
  await next()
  c.header('Cache-Control', 'no-store')
  c.header('X-Robots-Tag', 'noindex')
})

heldSignUpPages.get('/w/:workshop/confirm/:code', async (c) => {
  const held = await heldOf(c)
  return held ? confirmationPage(c, held) : gonePage(c)
})

heldSignUpPages.post('/w/:workshop/confirm/:code', async (c) => {
  await limitRange(c, 'register')
  const held = await heldOf(c)
  if (!held) return gonePage(c)
  const outcome = await registerHeld(c.env.deps, held)
  if (outcome.kind === 'registered') return c.redirect(paths.ticket(outcome.ticket), 303)
  // What the link was read with may be outdated; the refusal knows better.
  return confirmationPage(c, (await heldOf(c)) ?? held, outcome.refusal)
})

/** Says that a mail is on its way, and that nothing is registered yet. */
export function heldPage(c: Context<App>, workshop: Workshop, email: string) {
  const { locale } = c.var
  const { held: t } = messagesFor(locale)
  return page(
    c,
    { title: t.title, status: 202, here: paths.workshop(workshop.slug) },
    <>
      <h1>{t.title}</h1>
      <p class="lead">{t.mailed(email)}</p>
      <Facts workshop={workshop} locale={locale} />
      <p>{t.noSeatYet}</p>
      <a class="button second" href={paths.workshop(workshop.slug)}>
        {t.otherAddress}
      </a>
    </>,
  )
}

async function heldOf(c: Context<App>): Promise<Held | undefined> {
  const held = await findHeldSignUp(c.env.deps, c.req.param('code') ?? '')
  if (held?.workshop.state === 'draft' || held?.workshop.slug !== c.req.param('workshop')) return undefined
  return held
}

/** What will be registered, with one button. */
function confirmationPage(c: Context<App>, { workshop, signUp, code }: Held, refusal?: Refusal) {
  const { locale } = c.var
  const t = messagesFor(locale)
  const { status } = workshop
  const goesOn = status !== 'cancelled' && status !== 'over'
  return page(
    c,
    {
      title: `${refusal ? t.form.refused : t.held.confirmTitle} · ${pick(workshop.title, locale)}`,
      status: refusal && 409,
      here: paths.confirm(workshop.slug, code),
    },
    <>
      <h1>{t.held.confirmTitle}</h1>
      {refusal && (
        <Alert title={t.form.refused}>
          <p>{t.refusals[refusal]}</p>
        </Alert>
      )}
      <p class="lead">{pick(workshop.title, locale)}</p>
      <Facts workshop={workshop} locale={locale} />
      <Seats workshop={workshop} elsewhere={null} locale={locale} />
      <Typed workshop={workshop} signUp={signUp} locale={locale} />
      {goesOn && (
        <form class="confirm" method="post" action={paths.confirm(workshop.slug, code)}>
          <button type="submit">{status === 'waitlist' ? t.form.submitQueue : t.form.submit}</button>
          <p class="note">{t.held.notYou}</p>
        </form>
      )}
    </>,
  )
}

function Typed({ workshop, signUp, locale }: Pick<Held, 'workshop' | 'signUp'> & { locale: Locale }) {
  const t = messagesFor(locale)
  const fields = ['name', 'email', 'phone', 'company'] as const
  return (
    <>
      <h2>{t.held.typed}</h2>
      <ul class="list">
        {fields.map((field) =>
          signUp[field] ? (
            <li>
              <span class="tag">{t.fields[field]}</span>
              <span>{signUp[field]}</span>
            </li>
          ) : null,
        )}
        {workshop.items
          .filter(({ id }) => signUp.ready[id] !== undefined)
          .map(({ id, text }) => (
            <li>
              <span class={signUp.ready[id] ? 'tag' : 'tag yours'}>
                {signUp.ready[id] ? t.form.ready : t.form.notYet}
              </span>
              <span>{pick(text, locale)}</span>
            </li>
          ))}
      </ul>
    </>
  )
}

/** The same for a link that is too old, forged, or of somebody who was erased. */
async function gonePage(c: Context<App>) {
  const { deps } = c.env
  const t = messagesFor(c.var.locale).held
  const workshop = await findPublicWorkshop(deps, c.req.param('workshop') ?? '')
  if (!workshop) return errorPage(c, 404)
  return page(
    c,
    { title: t.gone, status: 410, here: paths.workshop(workshop.slug) },
    <>
      <h1>{t.gone}</h1>
      <p class="lead">{t.goneHint}</p>
      <a class="button" href={paths.workshop(workshop.slug)}>
        {t.again}
      </a>
    </>,
  )
}
