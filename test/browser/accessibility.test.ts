import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { createFirstOwnerCode, createMailboxKey } from '../../src/domain/tickets/signed-tokens.ts'
import { access } from '../../src/http/access.ts'
import { paths, withQuery } from '../../src/http/links.ts'
import { openPage, type PageOptions, serveWorld } from '../support/browser/browser.ts'
import { mailPreviewCookie } from '../support/mail/mail-preview.ts'
import {
  type FormSubmission,
  isApiRoute,
  isDoorRoute,
  isOrganiserRoute,
  seedEveryPage,
} from '../support/seeds/every-page.ts'
import { createWorld } from '../support/world.ts'

/** One screen per language: what depends on width or colour scheme does not depend on language. */
const screens: [PageOptions['locale'], number, PageOptions['colorScheme']][] = [
  ['zh-CN', 1280, 'light'],
  ['en', 360, 'dark'],
]

/** Swagger UI, a third-party page. The OpenAPI document has the same content as text. */
const thirdPartyPages = ['GET /api/docs']

test.concurrent.each(screens)(
  'pages have no serious accessibility violations in %s at %i px, %s',
  async (locale, width, colorScheme) => {
    await using world = await createWorld({ env: { RATE_LIMIT: 'off' } })
    await using server = await serveWorld(world)
    const { Cookie, doorCookie, pages: allPages, doorPages, submissions } = await seedEveryPage(world)
    const routes = Object.keys(access).filter((route) => !isApiRoute(route))
    const covered = new Set([allPages, doorPages, submissions].flatMap(Object.keys))
    expect([...covered].toSorted()).toEqual(routes.toSorted())

    const violations: string[] = []
    const seen = new Set<string>()
    let pageCount = 0
    let checkedCount = 0
    const visit = async (cookie: string) => {
      const page = await openPage({ locale, width, colorScheme, baseURL: server.url })
      await page.context().addCookies([parseCookie(cookie, server.url)])
      const runAxe = await installAxe(page)
      const check = async (route: string, response: PageResponse | null) => {
        pageCount++
        // axe takes a second per page, and most pages differ from others only in their text.
        const signatures = (await page.evaluate(elementSignatures)).filter((signature) => !seen.has(signature))
        if (signatures.length === 0) return
        for (const signature of signatures) seen.add(signature)
        checkedCount++
        for (const violation of await runAxe())
          violations.push(`${route} ${response?.status()} ${response?.url()}: ${violation}`)
      }
      return { page, check, [Symbol.asyncDispose]: () => page[Symbol.asyncDispose]() }
    }
    await using owner = await visit(Cookie)
    await using anonymous = await visit(mailPreviewCookie(world))
    await using helper = await visit(doorCookie)
    // Shows the door page without its script, which replaces the content.
    await helper.page.route('**/assets/door.js', (route) => route.abort())

    const open = async ({ page, check }: PageVisitor, route: string, urls: string[]) => {
      for (const [n, path] of urls.entries()) {
        const response = await page.goto(path).catch(ignoreDownload)
        if (n === 0) expect([route, response?.status() ?? 200]).toEqual([route, expect.toBeOneOf([200, 410])])
        // Redirects are checked at their target, and downloads are not pages.
        if (!response || response.request().redirectedFrom() || !isHtml(response.headers()['content-type'] ?? null))
          continue
        // The mail page runs no scripts, so axe checks its HTML in a blank page.
        if (route === 'GET /mailbox/:id/html') {
          const mail = await response.text()
          await page.goto('about:blank')
          await page.setContent(mail)
        }
        await check(route, response)
      }
    }
    await using phone = await visit(doorCookie)

    const visitorFor = (route: string) => (isOrganiserRoute(route) ? owner : isDoorRoute(route) ? helper : anonymous)
    await Promise.all([
      ...[owner, anonymous, helper].map(async (visitor) => {
        for (const [route, urls] of Object.entries(visitor === helper ? doorPages : allPages)) {
          if (thirdPartyPages.includes(route) || (visitor !== helper && visitorFor(route) !== visitor)) continue
          await open(visitor, route, urls)
        }
      }),
      exerciseDoorApp(phone, doorPages['GET /in/:code'] ?? []),
    ])
    for (const [route, forms] of Object.entries(submissions)) {
      const { page, check } = visitorFor(route)
      for (const form of forms) {
        const response = await submitForm(page, form)
        if (!response?.request().redirectedFrom()) await check(route, response)
      }
    }
    expect(violations).toEqual([])
    expect(pageCount).toBeGreaterThan(270)
    expect(checkedCount).toBeGreaterThan(80)
  },
  600_000,
)

test('the set-up page, empty pages and 404 pages have no serious accessibility violations', async () => {
  await using world = await createWorld()
  await using server = await serveWorld(world)
  await using page = await openPage({ locale: 'en', baseURL: server.url })
  const runAxe = await installAxe(page)
  const first = paths.firstOwner(createFirstOwnerCode(world.deps.config.secret))
  const mailbox = withQuery(paths.mailbox(), { key: createMailboxKey(world.deps.config.secret) })
  for (const [path, status] of [
    [first, 200],
    ['/', 200],
    ['/mailbox', 404],
    [mailbox, 200],
    ['/nowhere', 404],
    ['/console/nowhere', 404],
  ] as const) {
    expect((await page.goto(path))?.status()).toBe(status)
    expect([path, await runAxe()]).toEqual([path, []])
  }
  expect((await submitForm(page, { path: first, fields: { name: '' } }))?.status()).toBe(422)
  expect(await runAxe()).toEqual([])
})

/**
 * The door page with its script: the list, cards for a check-in, a repeated check-in and another workshop's ticket, and
 * the ended session.
 */
async function exerciseDoorApp({ page, check }: PageVisitor, codes: string[]): Promise<void> {
  const waitAndCheck = (selector: string, response: PageResponse | null) =>
    page.waitForSelector(selector).then(() => check(selector, response))
  await waitAndCheck('#door-people button', await page.goto(paths.doorPage()))
  await page.click('.door-walk-in summary')
  await page.click('#door-people button:has(.free)')
  await waitAndCheck('#door-card.green', null)
  const [, alreadyCheckedIn = '', otherWorkshop = ''] = codes
  await waitAndCheck('#door-card.red', await page.goto(alreadyCheckedIn))
  await waitAndCheck('#door-card.amber', await page.goto(otherWorkshop))
  await page.context().clearCookies()
  await waitAndCheck('#door-over:not([hidden]), #door-plain:not([hidden])', await page.goto(paths.doorPage()))
}

type PageVisitor = { page: Page; check(route: string, response: PageResponse | null): Promise<void> }

/** A download is not a page and not an error. */
function ignoreDownload(error: Error): null {
  if (/Download is starting/.test(error.message)) return null
  throw error
}

type PageResponse = NonNullable<Awaited<ReturnType<Page['goto']>>>

/**
 * Runs in the page. Signatures of its elements: name, attributes and whether it has text, with those of the parent. A
 * page without new signatures has a template that was checked already.
 */
function elementSignatures(): string[] {
  const kind = (element: Element | null) => {
    if (!element) return ''
    const attributes = [...element.attributes].map(({ name }) => name).sort()
    return `${element.localName}.${element.className} ${element.getAttribute('role')} ${element.getAttribute('type')} ${attributes} ${element.textContent?.trim() !== ''}`
  }
  const elements = [...document.querySelectorAll('html, body, body *:not(svg *)')]
  return [...new Set(elements.map((element) => `${kind(element.parentElement)} > ${kind(element)}`))]
}

/**
 * Makes axe available to every page opened there. Returns a function that checks the open page, one line per violation.
 */
async function installAxe(page: Page): Promise<() => Promise<string[]>> {
  // Outside of the page's Content-Security-Policy, which stays in force.
  const devtools = await page.context().newCDPSession(page)
  const options: RunOptions = { runOnly: axeTags, resultTypes: ['violations'], iframes: false, preload: false }
  const expression = `${axeSource}; axe.run(document, ${JSON.stringify(options)}).then(${formatViolations})`
  return async () => {
    const { result } = await devtools.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    return result.value as string[]
  }
}

/** The minified build is half the size of the other one. */
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Runs in the page, so that only violations are transferred. */
function formatViolations({ violations }: AxeResults): string[] {
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id} · ${html.slice(0, 160)} · ${failureSummary}`),
    )
}

/** WCAG 2.2 AA and axe's best practices. */
const axeTags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** Submits a form as given, without client-side validation. Returns the response. */
async function submitForm(page: Page, { path, fields }: FormSubmission): Promise<PageResponse | null> {
  // Any page of the same origin.
  await page.goto('/healthz')
  const navigation = page.waitForNavigation()
  await page.evaluate(
    ({ path, fields }) => {
      const form = Object.assign(document.createElement('form'), { method: 'post', action: path })
      for (const [name, value] of Object.entries(fields)) {
        form.append(Object.assign(document.createElement('textarea'), { name, value }))
      }
      document.body.append(form)
      form.submit()
    },
    { path, fields },
  )
  return navigation
}

const isHtml = (type: string | null) => type?.startsWith('text/html') ?? false

function parseCookie(header: string, url: string): { name: string; value: string; url: string } {
  const [name = '', value = ''] = header.split(/=(.*)/)
  return { name, value, url }
}
