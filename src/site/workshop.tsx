import { type Context, Hono } from 'hono'
import { deleteCookie, generateCookie, getCookie } from 'hono/cookie'
import type { Child } from 'hono/jsx'
import { letBeFramed, wholeAnswer } from '../answer.ts'
import { type App, limitRange } from '../context.ts'
import { findPublicCampaign } from '../domain/campaigns.ts'
import { guardOf, readGuard, shortestLook } from '../domain/guards.ts'
import { holdSignUp } from '../domain/held-sign-ups.ts'
import { isProven } from '../domain/proofs.ts'
import { parseSignUp } from '../domain/registrations.ts'
import { register } from '../domain/seats.ts'
import { findPublicWorkshop, findWorkshop, seatsLeft, type Workshop } from '../domain/workshops.ts'
import { readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { messagesFor } from '../messages/messages.ts'
import { pick, placeOf, when } from '../messages/text.ts'
import { drawBadge } from './badge.tsx'
import { type DrawnPage, fillIn, fillInPacked, takeApart } from './drawn-page.ts'
import { errorPage } from './error-page.tsx'
import { Checklist, Elsewhere, Facts, Seats } from './facts.tsx'
import { heldPage } from './held-sign-up.tsx'
import { Alert, drawPage, page, type View } from './layout.tsx'
import { emptyForm, inputOf, type Mistake, readForm, readVia, SignUpForm, type Typed } from './sign-up-form.tsx'

/** One workshop with its form. */
export const workshopPages = new Hono<App>()

/*
 * After a newsletter thousands open this page within a minute, so that it is drawn once a second, and the key and guard
 * of each visitor's form put in.
 */
workshopPages.get('/w/:workshop', async (c) => {
  const { deps } = c.env
  const drawn = await deps.fresh(drawnAs(c), async () => {
    const workshop = await findPublicWorkshop(deps, c.req.param('workshop'))
    if (!workshop) return undefined
    const { view, content } = await workshopPage(c, workshop, emptyForm(anyKey, anyGuard, viaOf(c)))
    return takeApart(await drawPage(c, view, content), [anyKey, anyGuard])
  })
  return drawn ? answerDrawn(c, drawn) : errorPage(c, 404)
})

/** The workshop page, if it was drawn within the last second. */
export function workshopPageAtHand(c: Context<App, '/w/:workshop'>): Response | undefined {
  const drawn = c.env.deps.fresh.atHand<DrawnPage>(drawnAs(c))
  return drawn && answerDrawn(c, drawn)
}

/** What stands in a drawn form where a visitor's own key and guard go. */
const anyKey = '00000000-0000-0000-0000-000000000000'
const anyGuard = '00000000.guard'

const viaOf = (c: Context<App>) => readVia(c.req.query('via'))
const drawnAs = (c: Context<App, '/w/:workshop'>) =>
  `page ${c.get('locale')} ${c.req.param('workshop')} ${viaOf(c) ?? ''}`

/** A drawn page with a key and guard of this visitor's own. */
function answerDrawn(c: Context<App, '/w/:workshop'>, drawn: DrawnPage): Response {
  const { deps } = c.env
  const remembered = rememberedKey(c)
  const key = remembered ?? deps.newId()
  const own = { [anyKey]: key, [anyGuard]: guardOf(deps, c.req.param('workshop'), key, deps.now()) }
  const packed = deps.compresses && c.req.header('accept-encoding')?.includes('gzip')
  return wholeAnswer(c, packed ? fillInPacked(drawn, own) : fillIn(drawn, own), 200, {
    'Content-Type': 'text/html; charset=UTF-8',
    'Cache-Control': 'private, no-cache',
    Vary: 'Accept-Encoding',
    ...(packed && { 'Content-Encoding': 'gzip' }),
    ...(remembered === undefined && { 'Set-Cookie': keyCookie(c, key) }),
  })
}

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
  const formAgain = async (workshop: Workshop, typed: Typed, mistake: Mistake) => {
    const { view, content } = await workshopPage(c, workshop, typed, mistake)
    return page(c, view, content)
  }
  if ('problems' in parsed) return formAgain(workshop, typed, { problems: parsed.problems })
  if (sent.trap) return formAgain(workshop, typed, { again: 'trapped' })
  if (!shownAt || deps.now().getTime() - shownAt.getTime() < shortestLook) {
    return formAgain(workshop, typed, { again: 'too_soon' })
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
  if (outcome.refusal !== 'idempotency_mismatch') return formAgain(asItIs, typed, { refusal: outcome.refusal })
  const key = deps.newId()
  c.header('Set-Cookie', keyCookie(c, key), { append: true })
  return formAgain(asItIs, { ...typed, ...guarded(key) }, { refusal: outcome.refusal })
})

/** The page as people will see it, a draft too, for the frame in which organisers look at it. */
workshopPages.get('/console/workshops/:slug/preview/page', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return errorPage(c, 404)
  const { view, content } = await workshopPage(c, workshop, emptyForm(anyKey, anyGuard, undefined))
  letBeFramed(c, "'self'")
  c.header('X-Frame-Options', 'SAMEORIGIN')
  return page(c, view, content)
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
function rememberedKey(c: Context<App>): string | undefined {
  const remembered = getCookie(c, 'key')
  return remembered && /^[0-9a-f-]{36}$/.test(remembered) ? remembered : undefined
}

function keyCookie(c: Context<App>, key: string): string {
  const secure = c.env.deps.config.baseUrl.startsWith('https:')
  return generateCookie('key', key, { path: c.req.path, maxAge: 3600, sameSite: 'Lax', httpOnly: true, secure })
}

async function workshopPage(
  c: Context<App>,
  workshop: Workshop,
  typed: Typed,
  mistake?: Mistake,
): Promise<{ view: View; content: Child }> {
  const locale = c.get('locale')
  const t = messagesFor(locale)
  const campaign = workshop.campaign ? await findPublicCampaign(c.env.deps, workshop.campaign.slug) : undefined
  const title = pick(workshop.title, locale)
  const city = pick(workshop.city, locale)
  const summary = pick(campaign?.summary ?? {}, locale)
  const { fullDate, time } = when(workshop, locale)
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
  return {
    view: {
      title: `${mistake ? `${t.form.errorTitle} · ` : ''}${title} · ${city}`,
      description: [t.workshop.description(`${fullDate} ${time}`, placeOf(workshop, locale)), summary]
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
    content: mistake ? (
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
  }
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
