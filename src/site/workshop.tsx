import { type Context, Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { type App, limitRange } from '../context.ts'
import { findPublicCampaign } from '../domain/campaigns.ts'
import { guardOf, readGuard, shortestLook } from '../domain/guards.ts'
import { holdSignUp } from '../domain/held-sign-ups.ts'
import { isProven } from '../domain/proofs.ts'
import { parseSignUp } from '../domain/registrations.ts'
import { register } from '../domain/seats.ts'
import { findPublicWorkshop, findWorkshop, seatsLeft, type Workshop } from '../domain/workshops.ts'
import { paths, withQuery } from '../links.ts'
import { messagesFor } from '../messages/messages.ts'
import { pick, placeOf, when } from '../messages/text.ts'
import { drawBadge } from './badge.tsx'
import { errorPage } from './error-page.tsx'
import { Checklist, Elsewhere, Facts, Seats } from './facts.tsx'
import { readFormBody } from './form-body.ts'
import { heldPage } from './held-sign-up.tsx'
import { Alert, page } from './layout.tsx'
import { emptyForm, inputOf, type Mistake, readForm, SignUpForm, type Typed } from './sign-up-form.tsx'

/** One workshop with its form. */
export const workshopPages = new Hono<App>()

workshopPages.get('/w/:workshop', async (c) => {
  const { deps } = c.env
  const workshop = await findPublicWorkshop(deps, c.req.param('workshop'))
  if (!workshop) return errorPage(c, 404)
  const key = keyOf(c)
  const guard = guardOf(deps, workshop.slug, key, deps.now())
  return workshopPage(c, workshop, emptyForm(key, guard, c.req.query('via')))
})

workshopPages.post('/w/:workshop', async (c) => {
  const { deps } = c.env
  await limitRange(c, 'register')
  const workshop = await findPublicWorkshop(deps, c.req.param('workshop'))
  if (!workshop) return errorPage(c, 404)
  const sent = readForm(await readFormBody(c), deps.newId)
  const shownAt = readGuard(deps, workshop.slug, sent.key, sent.guard)
  // A form that comes back keeps the time when it was first shown: who corrects a slip is quick.
  const guarded = (key: string) => ({ key, guard: guardOf(deps, workshop.slug, key, shownAt ?? deps.now()) })
  const typed = { ...sent, ...guarded(sent.key) }
  const parsed = parseSignUp(inputOf(typed), workshop, c.var.locale)
  if ('problems' in parsed) return workshopPage(c, workshop, typed, { problems: parsed.problems })
  if (sent.trap) return workshopPage(c, workshop, typed, { again: 'trapped' })
  if (!shownAt || deps.now().getTime() - shownAt.getTime() < shortestLook) {
    return workshopPage(c, workshop, typed, { again: 'too_soon' })
  }
  const proven = !workshop.proofOfWork || (await isProven(deps, workshop.slug, sent.key, sent.proof))
  const outcome = await (proven ? register : holdSignUp)(deps, workshop, parsed.signUp, typed.key)
  if (outcome.kind !== 'refused') deleteCookie(c, 'key', { path: c.req.path })
  if (outcome.kind === 'held') return heldPage(c, workshop, parsed.signUp.email)
  if (outcome.kind === 'registered') {
    c.header('Cache-Control', 'no-store')
    return c.redirect(paths.ticket(outcome.ticket), 303)
  }
  if (outcome.refusal === 'not_found') return errorPage(c, 404)
  // What the page was drawn from may be a second old; the refusal knows better.
  const asItIs = (await findWorkshop(deps, workshop.slug)) ?? workshop
  const key = outcome.refusal === 'idempotency_mismatch' ? newKey(c) : typed.key
  return workshopPage(c, asItIs, { ...typed, ...guarded(key) }, { refusal: outcome.refusal })
})

workshopPages.get('/w/:workshop/badge.svg', async (c) => {
  const workshop = await findPublicWorkshop(c.env.deps, c.req.param('workshop'))
  if (!workshop) return errorPage(c, 404)
  return c.body(drawBadge(workshop, c.var.locale), 200, {
    'Content-Type': 'image/svg+xml; charset=utf-8',
    'Cache-Control': 'public, max-age=1',
    Vary: 'Accept-Language, Cookie',
  })
})

/**
 * The idempotency key of the form, remembered until the sign-up is answered: if the answer is lost on a poor network and
 * the page is opened again, sending the same once more is the same sign-up and leads to its ticket.
 */
function keyOf(c: Context<App>): string {
  const remembered = getCookie(c, 'key')
  return remembered && /^[0-9a-f-]{36}$/.test(remembered) ? remembered : newKey(c)
}

function newKey(c: Context<App>): string {
  const key = c.env.deps.newId()
  const secure = c.env.deps.config.baseUrl.startsWith('https:')
  setCookie(c, 'key', key, { path: c.req.path, maxAge: 3600, sameSite: 'Lax', httpOnly: true, secure })
  return key
}

async function workshopPage(c: Context<App>, workshop: Workshop, typed: Typed, mistake?: Mistake) {
  const { locale } = c.var
  const t = messagesFor(locale)
  const campaign = workshop.campaign ? await findPublicCampaign(c.env.deps, workshop.campaign.slug) : undefined
  const title = pick(workshop.title, locale)
  const city = pick(workshop.city, locale)
  const summary = pick(campaign?.summary ?? {}, locale)
  const { date, weekday, time } = when(workshop, locale)
  const elsewhere = <Elsewhere campaign={campaign} than={workshop} via={typed.via} locale={locale} />
  const form = takesSignUps(workshop, mistake) && (
    <SignUpForm
      workshop={workshop}
      typed={typed}
      mistake={mistake}
      elsewhere={elsewhere}
      config={c.env.deps.config}
      locale={locale}
    />
  )
  return page(
    c,
    {
      title: `${mistake ? `${t.form.errorTitle} · ` : ''}${title} · ${city}`,
      description: [t.workshop.description(`${date} ${weekday} ${time}`, placeOf(workshop, locale)), summary]
        .filter(Boolean)
        .join(' · '),
      back: campaign && {
        href: withQuery(paths.campaign(campaign.slug), { via: typed.via }),
        text: campaignTitle(pick(campaign.title, locale), title, t.campaign.allCities),
      },
      here: withQuery(paths.workshop(workshop.slug), { via: typed.via }),
      scripts: form && workshop.proofOfWork ? ['seats', 'proof'] : ['seats'],
      status: mistake ? ('refusal' in mistake ? 409 : 422) : 200,
    },
    mistake ? (
      // Someone who just pressed the button wants to know what is wrong with the form, and has read the rest.
      <>
        <h1>{title}</h1>
        <Facts workshop={workshop} locale={locale} />
        {form || (
          <Alert title={t.workshopStatuses[workshop.status]}>
            {'refusal' in mistake && <p>{t.refusals[mistake.refusal]}</p>}
            {elsewhere}
          </Alert>
        )}
      </>
    ) : (
      <div data-availability={paths.availability(workshop.slug)} data-status={workshop.status}>
        <h1>{title}</h1>
        {summary && <p class="lead">{summary}</p>}
        <Facts workshop={workshop} locale={locale} />
        <Seats workshop={workshop} elsewhere={elsewhere} locale={locale} />
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
                <Go workshop={workshop} t={t} />
              </a>
            </p>
            {form}
          </>
        )}
        <p class="note">
          <a href={paths.find()}>{t.workshop.findTicket}</a>
        </p>
      </div>
    ),
  )
}

/** A refused form stays as long as sending it again may help. */
function takesSignUps({ status }: Workshop, mistake: Mistake | undefined): boolean {
  if (status === 'open' || status === 'waitlist') return true
  return mistake !== undefined && (status === 'full' || status === 'upcoming')
}

function Go({ workshop, t }: { workshop: Workshop; t: ReturnType<typeof messagesFor> }) {
  if (workshop.status !== 'open') return <>{t.workshop.goQueue}</>
  return (
    <>
      {t.workshop.go.before}
      <span data-seats-left="">{seatsLeft(workshop)}</span>
      {t.workshop.go.after}
    </>
  )
}

/** The way back to a campaign is named by its title, save where that is what the page is called already. */
function campaignTitle(campaign: string, workshop: string, allCities: string): string {
  return campaign === workshop ? allCities : campaign
}
