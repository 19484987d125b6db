import { Hono } from 'hono'
import type { App } from '../context.ts'
import { parseWalkIn, seatStanding, walkIn } from '../domain/walk-ins.ts'
import { readFormBody, sentId } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { listPage } from './list.tsx'
import { doorOf } from './session.ts'

/** Who comes without having signed up. */
export const walkInPages = new Hono<App>()

walkInPages.post('/door/walk-in', async (c) => {
  const { deps } = c.env
  const { actor, workshop } = await doorOf(c)
  const { id, name, phone } = await readFormBody(c)
  const typed = { name: textOf(name), phone: textOf(phone) }
  const parsed = parseWalkIn(typed, workshop)
  if ('problems' in parsed) return listPage(c, { typed, problems: parsed.problems })
  const nonce = sentId.safeParse(id).data ?? deps.newId()
  await seatStanding(deps, actor)
  const result = await walkIn(deps, actor, parsed.walkIn, nonce, deps.now())
  if (!('registration' in result)) return listPage(c, { typed, refusal: result.outcome })
  await seatStanding(deps, actor)
  return c.redirect(withQuery(paths.doorPage(), { person: result.registration, scan: nonce }), 303)
})

const textOf = (value: unknown) => (typeof value === 'string' ? value : '')
