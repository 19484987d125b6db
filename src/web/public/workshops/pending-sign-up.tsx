import { type Context, Hono } from 'hono'
import type { Refusal } from '../../../domain/registrations/batcher.ts'
import {
  confirmPendingSignUp,
  findPendingSignUp,
  type PendingSignUp,
} from '../../../domain/registrations/pending-sign-ups.ts'
import { findPublicWorkshop, type Workshop } from '../../../domain/workshops/workshops.ts'
import { type App, rateLimitByIp } from '../../../http/context.ts'
import { paths } from '../../../http/links.ts'
import { localize } from '../../../i18n/format.ts'
import { publicMessages } from '../../../i18n/public.ts'
import type { Locale } from '../../../lib/config.ts'
import { ErrorAlert } from '../../ui/notices.tsx'
import { errorPage } from '../error-page.tsx'
import { renderPage } from '../layout.tsx'
import { SeatStatus, WorkshopSummary } from '../workshop-summary.tsx'

/** The mailed link that completes a sign-up from a browser without the proof of work. */
export const pendingSignUpPages = new Hono<App>()

pendingSignUpPages.use('/w/:workshop/confirm/:code', async (c, next) => {
  await next()
  c.header('Cache-Control', 'no-store')
  c.header('X-Robots-Tag', 'noindex')
})

pendingSignUpPages.get('/w/:workshop/confirm/:code', async (c) => {
  const pending = await loadPendingSignUp(c)
  return pending ? confirmSignUpPage(c, pending) : expiredLinkPage(c)
})

pendingSignUpPages.post('/w/:workshop/confirm/:code', async (c) => {
  await rateLimitByIp(c, 'register')
  const pending = await loadPendingSignUp(c)
  if (!pending) return expiredLinkPage(c)
  const outcome = await confirmPendingSignUp(c.env.deps, pending)
  if (outcome.kind === 'registered') return c.redirect(paths.ticket(outcome.ticket), 303)
  // Reload, because the workshop may have changed since it was read above.
  return confirmSignUpPage(c, (await loadPendingSignUp(c)) ?? pending, outcome.refusal)
})

/** Shown after a sign-up without proof of work: nothing is registered until the mailed link is followed. */
export function signUpPendingPage(c: Context<App>, workshop: Workshop, email: string) {
  const { locale } = c.var
  const { pendingSignUp: t } = publicMessages(locale)
  return renderPage(
    c,
    { title: t.title, status: 202, canonicalPath: paths.workshop(workshop.slug) },
    <>
      <h1>{t.title}</h1>
      <p class="lead">{t.mailed(email)}</p>
      <WorkshopSummary workshop={workshop} locale={locale} />
      <p>{t.noSeatYet}</p>
      <a class="button second" href={paths.workshop(workshop.slug)}>
        {t.otherAddress}
      </a>
    </>,
  )
}

async function loadPendingSignUp(c: Context<App>): Promise<PendingSignUp | undefined> {
  const pending = await findPendingSignUp(c.env.deps, c.req.param('code') ?? '')
  if (pending?.workshop.state === 'draft' || pending?.workshop.slug !== c.req.param('workshop')) return undefined
  return pending
}

/** The submitted values, with a button to register. */
function confirmSignUpPage(c: Context<App>, { workshop, signUp, code }: PendingSignUp, refusal?: Refusal) {
  const { locale } = c.var
  const t = publicMessages(locale)
  const { status } = workshop
  const canConfirm = status !== 'cancelled' && status !== 'over'
  return renderPage(
    c,
    {
      title: `${refusal ? t.form.refused : t.pendingSignUp.confirmTitle} · ${localize(workshop.title, locale)}`,
      status: refusal && 409,
      canonicalPath: paths.confirmSignUp(workshop.slug, code),
    },
    <>
      <h1>{t.pendingSignUp.confirmTitle}</h1>
      {refusal && (
        <ErrorAlert title={t.form.refused}>
          <p>{t.refusals[refusal]}</p>
        </ErrorAlert>
      )}
      <p class="lead">{localize(workshop.title, locale)}</p>
      <WorkshopSummary workshop={workshop} locale={locale} />
      <SeatStatus workshop={workshop} otherCities={null} locale={locale} />
      <SubmittedValues workshop={workshop} signUp={signUp} locale={locale} />
      {canConfirm && (
        <form class="confirm" method="post" action={paths.confirmSignUp(workshop.slug, code)}>
          <button type="submit">{status === 'waitlist' ? t.form.submitQueue : t.form.submit}</button>
          <p class="note">{t.pendingSignUp.notYou}</p>
        </form>
      )}
    </>,
  )
}

function SubmittedValues({
  workshop,
  signUp,
  locale,
}: Pick<PendingSignUp, 'workshop' | 'signUp'> & { locale: Locale }) {
  const t = publicMessages(locale)
  const fields = ['name', 'email', 'phone', 'company'] as const
  return (
    <>
      <h2>{t.pendingSignUp.submittedValues}</h2>
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
              <span>{localize(text, locale)}</span>
            </li>
          ))}
      </ul>
    </>
  )
}

/** Shown for expired, forged or erased links alike. */
async function expiredLinkPage(c: Context<App>) {
  const { deps } = c.env
  const t = publicMessages(c.var.locale).pendingSignUp
  const workshop = await findPublicWorkshop(deps, c.req.param('workshop') ?? '')
  if (!workshop) return errorPage(c, 404)
  return renderPage(
    c,
    { title: t.expired, status: 410, canonicalPath: paths.workshop(workshop.slug) },
    <>
      <h1>{t.expired}</h1>
      <p class="lead">{t.expiredHint}</p>
      <a class="button" href={paths.workshop(workshop.slug)}>
        {t.again}
      </a>
    </>,
  )
}
