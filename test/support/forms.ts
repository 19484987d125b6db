import type { World } from './world.ts'

/** Sends a form as a browser without JavaScript does. */
export function post(world: World, path: string, fields: Record<string, string>): Promise<Response> {
  return world.request(path, {
    method: 'POST',
    headers: { Origin: 'http://localhost', 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  })
}

/** What the inputs of a page hold, by their names: hidden ones and filled ones, ticked boxes and chosen radio buttons. */
export function valuesOf(html: string): Record<string, string> {
  const inputs = [...html.matchAll(/<input [^>]*>/g)].map(([tag]) => tag)
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
export function textOf(html: string): string {
  return html
    .replace(/<head>.*<\/head>/s, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/[\s\u00a0]+/g, ' ')
}
