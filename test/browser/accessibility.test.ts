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

/** What differs by width or colours does not by language. */
const screens: [PageOptions['locale'], number, PageOptions['colorScheme']][] = [
  ['zh-CN', 1280, 'light'],
  ['en', 360, 'dark'],
]

/** Swagger UI, which we can only take as it is. What it shows stands in the description itself, as text. */
const thirdPartyPages = ['GET /api/docs']

test.concurrent.each(screens)(
  'no page keeps anyone out: in %s at %i px, %s',
  async (locale, width, colorScheme) => {
    await using world = await createWorld({ env: { RATE_LIMIT: 'off' } })
    await using server = await serveWorld(world)
    const { Cookie, doorCookie, pages: opened, doorPages, submissions } = await seedEveryPage(world)
    const routes = Object.keys(access).filter((route) => !isApiRoute(route))
    const named = new Set([opened, doorPages, submissions].flatMap(Object.keys))
    expect([...named].toSorted()).toEqual(routes.toSorted())

    const found: string[] = []
    const seen = new Set<string>()
    let pages = 0
    let looked = 0
    const visit = async (cookie: string) => {
      const page = await openPage({ locale, width, colorScheme, baseURL: server.url })
      await page.context().addCookies([parseCookie(cookie, server.url)])
      const mistakes = await installAxe(page)
      const look = async (route: string, answer: PageResponse | null) => {
        pages++
        // axe takes a second a page, and most pages differ from another in their words alone.
        const places = (await page.evaluate(elementSignatures)).filter((place) => !seen.has(place))
        if (places.length === 0) return
        for (const place of places) seen.add(place)
        looked++
        for (const mistake of await mistakes()) found.push(`${route} ${answer?.status()} ${answer?.url()}: ${mistake}`)
      }
      return { page, look, [Symbol.asyncDispose]: () => page[Symbol.asyncDispose]() }
    }
    await using owner = await visit(Cookie)
    await using anyone = await visit(mailPreviewCookie(world))
    await using helper = await visit(doorCookie)
    // What a door is without its script, which draws over all of it.
    await helper.page.route('**/assets/door.js', (asked) => asked.abort())

    const open = async ({ page, look }: PageVisitor, route: string, addresses: string[]) => {
      for (const [n, path] of addresses.entries()) {
        const answer = await page.goto(path).catch(ignoreDownload)
        if (n === 0) expect([route, answer?.status() ?? 200]).toEqual([route, expect.toBeOneOf([200, 410])])
        // What leads on is looked at where it leads, and files are no pages.
        if (!answer || answer.request().redirectedFrom() || !isHtml(answer.headers()['content-type'] ?? null)) continue
        // A mail is shown where no script runs, ours neither.
        if (route === 'GET /mailbox/:id/html') {
          const mail = await answer.text()
          await page.goto('about:blank')
          await page.setContent(mail)
        }
        await look(route, answer)
      }
    }
    await using phone = await visit(doorCookie)

    const visitorOf = (route: string) => (isOrganiserRoute(route) ? owner : isDoorRoute(route) ? helper : anyone)
    await Promise.all([
      ...[owner, anyone, helper].map(async (visitor) => {
        for (const [route, addresses] of Object.entries(visitor === helper ? doorPages : opened)) {
          if (thirdPartyPages.includes(route) || (visitor !== helper && visitorOf(route) !== visitor)) continue
          await open(visitor, route, addresses)
        }
      }),
      exerciseDoorApp(phone, doorPages['GET /in/:code'] ?? []),
    ])
    for (const [route, forms] of Object.entries(submissions)) {
      const { page, look } = visitorOf(route)
      for (const form of forms) {
        const answer = await submitForm(page, form)
        if (!answer?.request().redirectedFrom()) await look(route, answer)
      }
    }
    expect(found).toEqual([])
    expect(pages).toBeGreaterThan(270)
    expect(looked).toBeGreaterThan(80)
  },
  600_000,
)

test('nor does an installation that has no owner yet, nor a page that is not there', async () => {
  await using world = await createWorld()
  await using server = await serveWorld(world)
  await using page = await openPage({ locale: 'en', baseURL: server.url })
  const mistakes = await installAxe(page)
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
    expect([path, await mistakes()]).toEqual([path, []])
  }
  expect((await submitForm(page, { path: first, fields: { name: '' } }))?.status()).toBe(422)
  expect(await mistakes()).toEqual([])
})

/** A door whose script runs: its list, the card of who is in, of who is in already and of whose ticket it is not, its end. */
async function exerciseDoorApp({ page, look }: PageVisitor, codes: string[]): Promise<void> {
  const waitAndCheck = (selector: string, response: PageResponse | null) =>
    page.waitForSelector(selector).then(() => look(selector, response))
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

type PageVisitor = { page: Page; look(route: string, answer: PageResponse | null): Promise<void> }

/** A file that is kept is no page, and no mistake. */
function ignoreDownload(error: Error): null {
  if (/Download is starting/.test(error.message)) return null
  throw error
}

type PageResponse = NonNullable<Awaited<ReturnType<Page['goto']>>>

/**
 * Runs on the page. The kinds of elements that it has and where: an element's name, attributes and whether it has a text,
 * below those of its parent. A page with no place that others did not have is of a template that was looked at.
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

/** Brings axe along to every page that is opened there. Gives what looks at the one that is open: a line for each mistake. */
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

/** Half as much to read on each page as the other one in the package. */
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Runs on the page itself, so that what is no mistake need not leave it. */
function formatViolations({ violations }: AxeResults): string[] {
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id} · ${html.slice(0, 160)} · ${failureSummary}`),
    )
}

/** WCAG 2.2 AA, and what axe thinks wise besides. */
const axeTags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** Sends a form as it is typed, whatever the page it stands on would say first. Gives what it is answered with. */
async function submitForm(page: Page, { path, fields }: FormSubmission): Promise<PageResponse | null> {
  // Anything of the same origin.
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
