import axe, { type AxeResults, type RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { access } from '../../src/access.ts'
import { firstOwnerCodeOf } from '../../src/domain/tickets.ts'
import { paths } from '../../src/links.ts'
import { openPage, type PageOptions, serve } from '../support/browser.ts'
import { furnish, isForOwners, isForPrograms, type Sent } from '../support/pages.ts'
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
    const { Cookie, opened, sent } = await furnish(world)
    const routes = Object.keys(access).filter((route) => !isForPrograms(route))
    expect([...Object.keys(opened), ...Object.keys(sent)].toSorted()).toEqual(routes.toSorted())

    const found: string[] = []
    let looked = 0
    await using ours = await openPage({ locale, width, colorScheme, baseURL: server.url })
    await ours.context().addCookies([cookieOf(Cookie, server.url)])
    await using anyones = await openPage({ locale, width, colorScheme, baseURL: server.url })
    const mistakesOn = new Map([
      [ours, await bring(ours)],
      [anyones, await bring(anyones)],
    ])
    const pageFor = (route: string) => (isForOwners(route) ? ours : anyones)
    const look = async (route: string, answer: PageAnswer | null) => {
      looked++
      for (const mistake of (await mistakesOn.get(pageFor(route))?.()) ?? []) {
        found.push(`${route} ${answer?.status()} ${answer?.url()}: ${mistake}`)
      }
    }

    for (const [route, addresses] of Object.entries(opened)) {
      if (foreign.includes(route)) continue
      for (const [n, path] of addresses.entries()) {
        const { status, headers } = await world.request(path, { headers: isForOwners(route) ? { Cookie } : {} })
        if (n === 0) expect([route, status]).toEqual([route, expect.toBeOneOf([200, 302, 410])])
        // What leads on is looked at where it leads, and files are no pages.
        if (status === 302 || !isHtml(headers.get('content-type'))) continue
        const answer = await pageFor(route).goto(path)
        // A mail is shown where no script runs, ours neither.
        const mail = route === 'GET /mailbox/:id/html' && (await answer?.text())
        if (mail) {
          await pageFor(route).goto('about:blank')
          await pageFor(route).setContent(mail)
        }
        await look(route, answer)
      }
    }
    for (const [route, forms] of Object.entries(sent)) {
      for (const form of forms) {
        const answer = await send(pageFor(route), form)
        if (!answer?.request().redirectedFrom()) await look(route, answer)
      }
    }
    expect(found).toEqual([])
    expect(looked).toBeGreaterThan(150)
  },
  180_000,
)

test('nor does an installation that has no owner yet, nor a page that is not there', async () => {
  await using world = await createWorld()
  await using server = await serve(world)
  await using page = await openPage({ locale: 'en', baseURL: server.url })
  const mistakes = await bring(page)
  const first = paths.firstOwner(firstOwnerCodeOf(world.deps.config.secret))
  for (const [path, status] of [
    [first, 200],
    ['/', 200],
    ['/mailbox', 200],
    ['/nowhere', 404],
    ['/console/nowhere', 404],
  ] as const) {
    expect((await page.goto(path))?.status()).toBe(status)
    expect([path, await mistakes()]).toEqual([path, []])
  }
  expect((await send(page, { path: first, fields: { name: '' } }))?.status()).toBe(422)
  expect(await mistakes()).toEqual([])
})

type PageAnswer = NonNullable<Awaited<ReturnType<Page['goto']>>>

/** Brings axe along to every page that is opened there. Gives what looks at the one that is open: a line for each mistake. */
async function bring(page: Page): Promise<() => Promise<string[]>> {
  // Outside of the page's Content-Security-Policy, which stays in force.
  const devtools = await page.context().newCDPSession(page)
  const options: RunOptions = { runOnly: tags, resultTypes: ['violations'], iframes: false }
  const expression = `${axe.source}; axe.run(document, ${JSON.stringify(options)})`
  return async () => {
    const { result } = await devtools.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    return (result.value as AxeResults).violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id} · ${html.slice(0, 160)} · ${failureSummary}`),
      )
  }
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
