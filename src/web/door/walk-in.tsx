import { Hono } from 'hono'
import { admitWalkIn, parseWalkIn, seatDoorQueue } from '../../domain/door/walk-ins.ts'
import type { App } from '../../http/context.ts'
import { parseFormBody, uuidField } from '../../http/form-body.ts'
import { paths, withQuery } from '../../http/links.ts'
import { doorListPage } from './list.tsx'
import { requireDoorSession } from './session.ts'

/** Who comes without having signed up. */
export const walkInPages = new Hono<App>()

walkInPages.post('/door/walk-in', async (c) => {
  const { deps } = c.env
  const { actor, workshop } = await requireDoorSession(c)
  const { id, name, phone } = await parseFormBody(c)
  const values = { name: asString(name), phone: asString(phone) }
  const parsed = parseWalkIn(values, workshop)
  if ('problems' in parsed) return doorListPage(c, { values, problems: parsed.problems })
  const nonce = uuidField.safeParse(id).data ?? deps.newId()
  await seatDoorQueue(deps, actor)
  const result = await admitWalkIn(deps, actor, parsed.walkIn, nonce, deps.now())
  if (!('registration' in result)) return doorListPage(c, { values, refusal: result.outcome })
  await seatDoorQueue(deps, actor)
  return c.redirect(withQuery(paths.doorPage(), { person: result.registration, scan: nonce }), 303)
})

const asString = (value: unknown) => (typeof value === 'string' ? value : '')
