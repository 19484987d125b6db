import { type Context, Hono } from 'hono'
import { deleteCookie, generateCookie, getCookie } from 'hono/cookie'
import type { Child } from 'hono/jsx'
import { findPublicCampaign } from '../../../domain/campaigns/campaigns.ts'
import { signFormTimestamp, verifyFormTimestamp } from '../../../domain/registrations/form-timing.ts'
import { signUp } from '../../../domain/registrations/sign-up.ts'
import { findPublicWorkshop, findWorkshop, seatsLeft, type Workshop } from '../../../domain/workshops/workshops.ts'
import { type App, rateLimitByIp } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { allowFraming, rawResponse } from '../../../http/responses.ts'
import { formatDateRange, formatPlace, localize } from '../../../i18n/format.ts'
import { publicMessages } from '../../../i18n/public.ts'
import { compileTemplate, type PageTemplate, renderTemplate, renderTemplateGzip } from '../../../lib/page-template.ts'
import { ErrorAlert } from '../../ui/notices.tsx'
import { errorPage } from '../error-page.tsx'
import { type PageOptions, renderPage, renderPageHtml } from '../layout.tsx'
import { Checklist, OtherCities, SeatStatus, WorkshopSummary } from '../workshop-summary.tsx'
import { renderBadge } from './badge.tsx'
import { signUpPendingPage } from './pending-sign-up.tsx'
import {
  emptyFormValues,
  parseSignUpForm,
  parseVia,
  SignUpForm,
  type SignUpFormError,
  type SignUpFormValues,
  toSignUpInput,
} from './sign-up-form.tsx'

/** The workshop page with its sign-up form. */
export const workshopPages = new Hono<App>()

/*
 * Thousands open this page within a minute after a newsletter. So it is rendered once a second as a template, into
 * which each visitor's idempotency key and form timestamp are filled.
 */
workshopPages.get('/w/:workshop', async (c) => {
  const { deps } = c.env
  const template = await deps.cache(cacheKey(c), async () => {
    const workshop = await findPublicWorkshop(deps, c.req.param('workshop'))
    if (!workshop) return undefined
    const { view, content } = await buildWorkshopPage(
      c,
      workshop,
      emptyFormValues(keyPlaceholder, timestampPlaceholder, sourceLink(c)),
    )
    return compileTemplate(await renderPageHtml(c, view, content), [keyPlaceholder, timestampPlaceholder])
  })
  return template ? sendTemplate(c, template) : errorPage(c, 404)
})

/** The workshop page, if its template is cached. For the fast path. */
export function cachedWorkshopPage(c: Context<App, '/w/:workshop'>): Response | undefined {
  const template = c.env.deps.cache.peek<PageTemplate>(cacheKey(c))
  return template && sendTemplate(c, template)
}

const keyPlaceholder = '00000000-0000-0000-0000-000000000000'
const timestampPlaceholder = '00000000.guard'

const sourceLink = (c: Context<App>) => parseVia(c.req.query('via'))
const cacheKey = (c: Context<App, '/w/:workshop'>) =>
  `page ${c.get('locale')} ${c.req.param('workshop')} ${sourceLink(c) ?? ''}`

/** Fills in the visitor's idempotency key and form timestamp. */
function sendTemplate(c: Context<App, '/w/:workshop'>, template: PageTemplate): Response {
  const { deps } = c.env
  const savedKey = savedIdempotencyKey(c)
  const key = savedKey ?? deps.newId()
  const values = {
    [keyPlaceholder]: key,
    [timestampPlaceholder]: signFormTimestamp(deps, c.req.param('workshop'), key, deps.now()),
  }
  const gzip = deps.compressResponses && c.req.header('accept-encoding')?.includes('gzip')
  return rawResponse(c, gzip ? renderTemplateGzip(template, values) : renderTemplate(template, values), 200, {
    'Content-Type': 'text/html; charset=UTF-8',
    'Cache-Control': 'private, no-cache',
    Vary: 'Accept-Encoding',
    ...(gzip && { 'Content-Encoding': 'gzip' }),
    ...(savedKey === undefined && { 'Set-Cookie': idempotencyKeyCookie(c, key) }),
  })
}

workshopPages.post('/w/:workshop', async (c) => {
  const { deps } = c.env
  await rateLimitByIp(c, 'register')
  const workshop = await findPublicWorkshop(deps, c.req.param('workshop'))
  if (!workshop) return errorPage(c, 404)
  const submitted = parseSignUpForm(await parseFormBody(c), deps.newId)
  const shownAt = verifyFormTimestamp(deps, workshop.slug, submitted.key, submitted.formTimestamp)
  // A form with errors keeps the time when it was first shown, because correcting one is quick.
  const signedKey = (key: string) => ({
    key,
    formTimestamp: signFormTimestamp(deps, workshop.slug, key, shownAt ?? deps.now()),
  })
  const values = { ...submitted, ...signedKey(submitted.key) }
  const rerenderForm = async (workshop: Workshop, values: SignUpFormValues, error: SignUpFormError) => {
    const { view, content } = await buildWorkshopPage(c, workshop, values, error)
    return renderPage(c, view, content)
  }
  const outcome = await signUp(deps, workshop, {
    source: 'web',
    input: toSignUpInput(values),
    locale: c.var.locale,
    idempotencyKey: values.key,
    proof: values.proof,
    shownAt,
    honeypot: values.honeypot,
  })
  if (outcome.kind === 'invalid') return rerenderForm(workshop, values, { problems: outcome.problems })
  if (outcome.kind === 'bot_suspected') return rerenderForm(workshop, values, { retry: outcome.reason })
  if (outcome.kind !== 'refused') deleteCookie(c, 'key', { path: c.req.path })
  if (outcome.kind === 'pending') return signUpPendingPage(c, workshop, outcome.email)
  if (outcome.kind === 'registered') {
    c.header('Cache-Control', 'no-store')
    return c.redirect(paths.ticket(outcome.ticket), 303)
  }
  if (outcome.refusal === 'not_found') return errorPage(c, 404)
  // Reload, because `workshop` comes from the cache and may be a second older than the refusal.
  const current = (await findWorkshop(deps, workshop.slug)) ?? workshop
  if (outcome.refusal !== 'idempotency_mismatch') return rerenderForm(current, values, { refusal: outcome.refusal })
  const key = deps.newId()
  c.header('Set-Cookie', idempotencyKeyCookie(c, key), { append: true })
  return rerenderForm(current, { ...values, ...signedKey(key) }, { refusal: outcome.refusal })
})

/** The page as attendees see it, also of a draft, for the preview frame in the console. */
workshopPages.get('/console/workshops/:slug/preview/page', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return errorPage(c, 404)
  const { view, content } = await buildWorkshopPage(
    c,
    workshop,
    emptyFormValues(keyPlaceholder, timestampPlaceholder, undefined),
  )
  allowFraming(c, "'self'")
  c.header('X-Frame-Options', 'SAMEORIGIN')
  return renderPage(c, view, content)
})

workshopPages.get('/w/:workshop/badge.svg', async (c) => {
  const workshop = await findPublicWorkshop(c.env.deps, c.req.param('workshop'))
  if (!workshop) return errorPage(c, 404)
  return c.body(renderBadge(workshop, c.var.locale), 200, {
    'Content-Type': 'image/svg+xml; charset=utf-8',
    'Cache-Control': 'public, max-age=1',
    Vary: 'Accept-Language, Cookie',
  })
})

/**
 * The form's idempotency key, kept in a cookie until the sign-up has succeeded: if the response is lost and the page is
 * opened again, the same sign-up is a retry and leads to its ticket.
 */
function savedIdempotencyKey(c: Context<App>): string | undefined {
  const key = getCookie(c, 'key')
  return key && /^[0-9a-f-]{36}$/.test(key) ? key : undefined
}

function idempotencyKeyCookie(c: Context<App>, key: string): string {
  const secure = c.env.deps.config.baseUrl.startsWith('https:')
  return generateCookie('key', key, { path: c.req.path, maxAge: 3600, sameSite: 'Lax', httpOnly: true, secure })
}

async function buildWorkshopPage(
  c: Context<App>,
  workshop: Workshop,
  values: SignUpFormValues,
  error?: SignUpFormError,
): Promise<{ view: PageOptions; content: Child }> {
  const locale = c.get('locale')
  const t = publicMessages(locale)
  const campaign = workshop.campaign ? await findPublicCampaign(c.env.deps, workshop.campaign.slug) : undefined
  const title = localize(workshop.title, locale)
  const city = localize(workshop.city, locale)
  const summary = localize(campaign?.summary ?? {}, locale)
  const { fullDate, time } = formatDateRange(workshop, locale)
  const otherCities = <OtherCities campaign={campaign} workshop={workshop} via={values.via} locale={locale} />
  const form = acceptsSignUps(workshop, error) && (
    <SignUpForm
      workshop={workshop}
      values={values}
      error={error}
      otherCities={otherCities}
      config={c.env.deps.config}
      locale={locale}
    />
  )
  return {
    view: {
      title: `${error ? `${t.form.errorTitle} · ` : ''}${title} · ${city}`,
      description: [t.workshop.description(`${fullDate} ${time}`, formatPlace(workshop, locale)), summary]
        .filter(Boolean)
        .join(' · '),
      back: campaign && {
        href: withQuery(paths.campaign(campaign.slug), { via: values.via }),
        text: campaignTitle(localize(campaign.title, locale), title, t.campaign.allCities),
      },
      canonicalPath: withQuery(paths.workshop(workshop.slug), { via: values.via }),
      scripts: form && workshop.proofOfWork ? ['seats', 'proof'] : ['seats'],
      status: error ? ('refusal' in error ? 409 : 422) : 200,
    },
    content: error ? (
      // Only the form, because the visitor has just seen the rest.
      <>
        <h1>{title}</h1>
        <WorkshopSummary workshop={workshop} locale={locale} />
        {form || (
          <ErrorAlert title={t.workshopStatuses[workshop.status]}>
            {'refusal' in error && <p>{t.refusals[error.refusal]}</p>}
            {otherCities}
          </ErrorAlert>
        )}
      </>
    ) : (
      <div data-availability={paths.availability(workshop.slug)} data-status={workshop.status}>
        <h1>{title}</h1>
        {summary && <p class="lead">{summary}</p>}
        <WorkshopSummary workshop={workshop} locale={locale} />
        <SeatStatus workshop={workshop} otherCities={otherCities} locale={locale} />
        {workshop.items.length > 0 && (
          <>
            <h2>{t.workshop.prepare}</h2>
            <Checklist items={workshop.items} locale={locale} />
          </>
        )}
        {form && (
          <>
            <p class="go" id="go" data-live="">
              <a class="button" href="#form">
                <SignUpLinkLabel workshop={workshop} t={t} />
              </a>
            </p>
            {form}
          </>
        )}
        <p class="note">
          <a href={paths.findTickets()}>{t.workshop.findTicket}</a>
        </p>
      </div>
    ),
  }
}

/** True if the form is shown. After a refusal it stays as long as a retry may succeed. */
function acceptsSignUps({ status }: Workshop, error: SignUpFormError | undefined): boolean {
  if (status === 'open' || status === 'waitlist') return true
  return error !== undefined && (status === 'full' || status === 'upcoming')
}

function SignUpLinkLabel({ workshop, t }: { workshop: Workshop; t: ReturnType<typeof publicMessages> }) {
  if (workshop.status !== 'open') return <>{t.workshop.goQueue}</>
  return (
    <>
      {t.workshop.go.before}
      <span data-seats-left="">{seatsLeft(workshop)}</span>
      {t.workshop.go.after}
    </>
  )
}

/** Text of the link to the campaign: its title, unless the workshop has the same. */
function campaignTitle(campaign: string, workshop: string, allCities: string): string {
  return campaign === workshop ? allCities : campaign
}
