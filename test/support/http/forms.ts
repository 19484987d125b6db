import type { World } from '../world.ts'

/** The field of those forms of the console that take effect at once. */
export const confirmField = { sure: 'yes' }

/** Sends a form as a browser without JavaScript does. */
export function postForm(world: World, path: string, fields: Record<string, string>): Promise<Response> {
  return world.request(path, {
    method: 'POST',
    headers: { Origin: 'http://localhost', 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  })
}

/** Opens the sign-up form at a path and takes as long as people do over it. Gives what its inputs hold. */
export async function openForm(world: World, path: string, init?: RequestInit): Promise<Record<string, string>> {
  const form = formValues(await (await world.request(path, init)).text())
  world.clock.advance({ seconds: 20 })
  return form
}

/** Opens the sign-up form at a path, fills in these fields and sends it. */
export async function submitForm(world: World, path: string, fields: Record<string, string>): Promise<Response> {
  return postForm(world, path, { ...(await openForm(world, path)), ...fields })
}

/**
 * What the inputs of a page hold, by their names: hidden ones and filled ones, ticked boxes and chosen radio buttons. The
 * button to sign out, which stands beside the content of a console page, is a form of its own.
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

/** The text of a page as it is read, without what its head says. */
export function visibleText(html: string): string {
  return html
    .replace(/<head>.*<\/head>/s, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/[\s\u00a0]+/g, ' ')
}
