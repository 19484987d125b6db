import type { World } from '../world.ts'

/** The confirmation field of console forms that take effect immediately. */
export const confirmField = { sure: 'yes' }

/** Submits a form like a browser without JavaScript. */
export function postForm(world: World, path: string, fields: Record<string, string>): Promise<Response> {
  return world.request(path, {
    method: 'POST',
    headers: { Origin: 'http://localhost', 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  })
}

/** Opens the sign-up form at a path and waits longer than its minimum fill time. Returns the values of its inputs. */
export async function openForm(world: World, path: string, init?: RequestInit): Promise<Record<string, string>> {
  const form = formValues(await (await world.request(path, init)).text())
  world.clock.advance({ seconds: 20 })
  return form
}

/** Opens the sign-up form at a path, fills in these fields and submits it. */
export async function submitForm(world: World, path: string, fields: Record<string, string>): Promise<Response> {
  return postForm(world, path, { ...(await openForm(world, path)), ...fields })
}

/**
 * Values of the named inputs in a page: hidden and filled ones, ticked boxes and selected radio buttons. Excludes the
 * sign-out form, which is outside of the main element.
 */
export function formValues(html: string): Record<string, string> {
  const content = /<main.*<\/main>/s.exec(html)?.[0] ?? html
  const inputs = [...content.matchAll(/<input [^>]*>/g)].map(([tag]) => tag)
  const attribute = (tag: string, name: string) => new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1]
  return Object.fromEntries(
    inputs
      .filter((tag) => !/ type="(checkbox|radio)"/.test(tag) || attribute(tag, 'checked') !== undefined)
      .flatMap((tag) => {
        const [name, value] = [attribute(tag, 'name'), attribute(tag, 'value')]
        return name && value ? [[name, value]] : []
      }),
  )
}

/** Visible text of a page, without its head. */
export function visibleText(html: string): string {
  return html
    .replace(/<head>.*<\/head>/s, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/[\s\u00a0]+/g, ' ')
}
