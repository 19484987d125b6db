import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { access } from '../../src/access.ts'
import { firstOwnerCodeOf, mailboxKeyOf } from '../../src/domain/tickets.ts'
import { paths, withQuery } from '../../src/links.ts'
import { openPage, type PageOptions, serve } from '../support/browser.ts'
import { mailboxCookie } from '../support/mailbox.ts'
import { furnish, isForDoors, isForOwners, isForPrograms, type Sent } from '../support/pages.ts'
import { createWorld } from '../support/world.ts'

/** What differs by width or colours does not by language. */
const screens: [PageOptions['locale'], number, PageOptions['colorScheme']][] = [
  ['zh-CN', 1280, 'light'],
  ['en', 360, 'dark'],
]

/** Swagger UI, which we can only take as it is. What it shows stands in the description itself, as text. */
const foreign = ['GET /api/docs']

test.concurrent.each(screens)(
  'no page keeps anyone out: in %s at %i px, %s',
  async (locale, width, colorScheme) => {
    await using world = await createWorld({ env: { RATE_LIMIT: 'off' } })
    await using server = await serve(world)
    const { Cookie, door, opened, atDoor, sent } = await furnish(world)
    const routes = Object.keys(access).filter((route) => !isForPrograms(route))
    const named = new Set([opened, atDoor, sent].flatMap(Object.keys))
    expect([...named].toSorted()).toEqual(routes.toSorted())

    const found: string[] = []
    const seen = new Set<string>()
    let pages = 0
    let looked = 0
    const visit = async (cookie: string) => {
      const page = await openPage({ locale, width, colorScheme, baseURL: server.url })
      await page.context().addCookies([cookieOf(cookie, server.url)])
      const mistakes = await bring(page)
      const look = async (route: string, answer: PageAnswer | null) => {
        pages++
        // axe takes a second a page, and most pages differ from another in their words alone.
        const places = (await page.evaluate(placesOf)).filter((place) => !seen.has(place))
        if (places.length === 0) return
        for (const place of places) seen.add(place)
        looked++
        for (const mistake of await mistakes()) found.push(`${route} ${answer?.status()} ${answer?.url()}: ${mistake}`)
      }
      return { page, look, [Symbol.asyncDispose]: () => page[Symbol.asyncDispose]() }
    }
    await using owner = await visit(Cookie)
    await using anyone = await visit(mailboxCookie(world))
    await using helper = await visit(door)
    // What a door is without its script, which draws over all of it.
    await helper.page.route('**/assets/door.js', (asked) => asked.abort())

    const open = async ({ page, look }: Visitor, route: string, addresses: string[]) => {
      for (const [n, path] of addresses.entries()) {
        const answer = await page.goto(path).catch(ofFile)
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
    await using phone = await visit(door)

    const visitorOf = (route: string) => (isForOwners(route) ? owner : isForDoors(route) ? helper : anyone)
    await Promise.all([
      ...[owner, anyone, helper].map(async (visitor) => {
        for (const [route, addresses] of Object.entries(visitor === helper ? atDoor : opened)) {
          if (foreign.includes(route) || (visitor !== helper && visitorOf(route) !== visitor)) continue
          await open(visitor, route, addresses)
        }
      }),
      workTheDoor(phone, atDoor['GET /in/:code'] ?? []),
    ])
    for (const [route, forms] of Object.entries(sent)) {
      const { page, look } = visitorOf(route)
      for (const form of forms) {
        const answer = await send(page, form)
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
  await using server = await serve(world)
  await using page = await openPage({ locale: 'en', baseURL: server.url })
  const mistakes = await bring(page)
  const first = paths.firstOwner(firstOwnerCodeOf(world.deps.config.secret))
  const mailbox = withQuery(paths.mailbox(), { key: mailboxKeyOf(world.deps.config.secret) })
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
  expect((await send(page, { path: first, fields: { name: '' } }))?.status()).toBe(422)
  expect(await mistakes()).toEqual([])
})

/** A door whose script runs: its list, the card of who is in, of who is in already and of whose ticket it is not, its end. */
async function workTheDoor({ page, look }: Visitor, codes: string[]): Promise<void> {
  const drawn = (selector: string, answer: PageAnswer | null) =>
    page.waitForSelector(selector).then(() => look(selector, answer))
  await drawn('#door-people button', await page.goto(paths.doorPage()))
  await page.click('.door-walk-in summary')
  await page.click('#door-people button:has(.free)')
  await drawn('#door-card.green', null)
  const [, again = '', elsewhere = ''] = codes
  await drawn('#door-card.red', await page.goto(again))
  await drawn('#door-card.amber', await page.goto(elsewhere))
  await page.context().clearCookies()
  await drawn('#door-over:not([hidden]), #door-plain:not([hidden])', await page.goto(paths.doorPage()))
}

type Visitor = { page: Page; look(route: string, answer: PageAnswer | null): Promise<void> }

/** A file that is kept is no page, and no mistake. */
function ofFile(error: Error): null {
  if (/Download is starting/.test(error.message)) return null
  throw error
}

type PageAnswer = NonNullable<Awaited<ReturnType<Page['goto']>>>

/**
 * Runs on the page. The kinds of elements that it has and where: an element's name, attributes and whether it has a text,
 * below those of its parent. A page with no place that others did not have is of a template that was looked at.
 */
function placesOf(): string[] {
  const kind = (element: Element | null) => {
    if (!element) return ''
    const attributes = [...element.attributes].map(({ name }) => name).sort()
    return `${element.localName}.${element.className} ${element.getAttribute('role')} ${element.getAttribute('type')} ${attributes} ${element.textContent?.trim() !== ''}`
  }
  const elements = [...document.querySelectorAll('html, body, body *:not(svg *)')]
  return [...new Set(elements.map((element) => `${kind(element.parentElement)} > ${kind(element)}`))]
}

/** Brings axe along to every page that is opened there. Gives what looks at the one that is open: a line for each mistake. */
async function bring(page: Page): Promise<() => Promise<string[]>> {
  // Outside of the page's Content-Security-Policy, which stays in force.
  const devtools = await page.context().newCDPSession(page)
  const options: RunOptions = { runOnly: tags, resultTypes: ['violations'], iframes: false, preload: false }
  const expression = `${axe}; axe.run(document, ${JSON.stringify(options)}).then(${mistakesOf})`
  return async () => {
    const { result } = await devtools.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    return result.value as string[]
  }
}

/** Half as much to read on each page as the other one in the package. */
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Runs on the page itself, so that what is no mistake need not leave it. */
function mistakesOf({ violations }: AxeResults): string[] {
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id} · ${html.slice(0, 160)} · ${failureSummary}`),
    )
}

/** WCAG 2.2 AA, and what axe thinks wise besides. */
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** Sends a form as it is typed, whatever the page it stands on would say first. Gives what it is answered with. */
async function send(page: Page, { path, fields }: Sent): Promise<PageAnswer | null> {
  // Anything of the same origin.
  await page.goto('/healthz')
  const answered = page.waitForNavigation()
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
  return answered
}

const isHtml = (type: string | null) => type?.startsWith('text/html') ?? false

function cookieOf(header: string, url: string): { name: string; value: string; url: string } {
  const [name = '', value = ''] = header.split(/=(.*)/)
  return { name, value, url }
}
