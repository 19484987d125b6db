import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { checkIn, findDoorPerson, findScan, undoCheckIns } from '../../domain/door/check-ins.ts'
import { joinDoorQueue, leaveDoorQueue, seatDoorQueue } from '../../domain/door/walk-ins.ts'
import { findRegistration } from '../../domain/registrations/registrations.ts'
import { verifyCheckInCode } from '../../domain/tickets/signed-tokens.ts'
import type { App } from '../../http/context.ts'
import { parseFormBody, uuidField } from '../../http/form-body.ts'
import { paths, withQuery } from '../../http/links.ts'
import { doorMessages } from '../../i18n/door.ts'
import { doorPage, sessionRequiredPage } from './layout.tsx'
import { requireDoorSession } from './session.ts'
import { otherWorkshopStatus, personStatus, type StatusMessage, unknownCodeStatus } from './status-panel.tsx'

/** What the QR of a ticket leads to, and the buttons that do something with one person. */
export const checkInPages = new Hono<App>()

/** What the QR on a ticket says. Only a door may do more with it than see which workshop it is for. */
checkInPages.get('/in/:code', async (c) => {
  const { deps } = c.env
  const registration = await findRegistration(deps, verifyCheckInCode(deps.config.secret, c.req.param('code')))
  c.header('Cache-Control', 'no-store')
  if (c.get('doorSessionExpired')) return sessionRequiredPage(c)
  if (!c.get('door')) return registration ? c.redirect(paths.workshop(registration.workshop.slug), 302) : c.notFound()
  const door = await requireDoorSession(c)
  if (!registration) return statusPage(c, unknownCodeStatus(c), 404)
  if (registration.workshop.id !== door.workshop.id)
    return statusPage(c, otherWorkshopStatus(c, registration.workshop), 409)
  const person = await findDoorPerson(deps, door.workshop, registration.id)
  return person ? statusPage(c, await personStatus(c, door, person)) : statusPage(c, unknownCodeStatus(c), 404)
})

checkInPages.post('/door/check-in', async (c) => {
  const { deps } = c.env
  const door = await requireDoorSession(c)
  const asked = scanForm.safeParse(await parseFormBody(c)).data
  if (!asked) return statusPage(c, unknownCodeStatus(c), 404)
  const { id = deps.newId(), registration } = asked
  const [result] = await checkIn(deps, door.actor, [{ id, registration, at: deps.now() }])
  await seatDoorQueue(deps, door.actor)
  if (result?.outcome === 'elsewhere') return statusPage(c, otherWorkshopStatus(c, result.workshop), 409)
  if (!result || result.outcome === 'not_found') return statusPage(c, unknownCodeStatus(c), 404)
  return c.redirect(withQuery(paths.doorPage(), { person: registration, scan: id }), 303)
})

checkInPages.post('/door/undo', async (c) => {
  const { deps } = c.env
  const door = await requireDoorSession(c)
  const asked = undoForm.safeParse(await parseFormBody(c)).data
  const scan = asked && (await findScan(deps, door.workshop, asked.checkIn))
  if (!asked || !scan) return statusPage(c, unknownCodeStatus(c), 404)
  const [result] = await undoCheckIns(deps, door.actor, [{ id: deps.newId(), checkIn: asked.checkIn, at: deps.now() }])
  await seatDoorQueue(deps, door.actor)
  return c.redirect(withQuery(paths.doorPage(), { person: scan.registration, done: result?.outcome }), 303)
})

checkInPages.post('/door/stand', async (c) => {
  const { deps } = c.env
  const door = await requireDoorSession(c)
  const asked = scanForm.safeParse(await parseFormBody(c)).data
  const result = asked && (await joinDoorQueue(deps, door.actor, asked.registration))
  if (!asked || !result || result.outcome === 'not_found') return statusPage(c, unknownCodeStatus(c), 404)
  await seatDoorQueue(deps, door.actor)
  const done = result.outcome === 'not_waiting' ? 'not_waiting' : undefined
  return c.redirect(withQuery(paths.doorPage(), { person: asked.registration, done }), 303)
})

checkInPages.post('/door/leave', async (c) => {
  const { deps } = c.env
  const door = await requireDoorSession(c)
  const asked = scanForm.safeParse(await parseFormBody(c)).data
  const result = asked && (await leaveDoorQueue(deps, door.actor, asked.registration))
  if (!asked || !result || result.outcome === 'not_found') return statusPage(c, unknownCodeStatus(c), 404)
  return c.redirect(withQuery(paths.doorPage(), { person: asked.registration, done: result.outcome }), 303)
})

/** Seats go by themselves whenever a door sends something; this is for who does not want to wait for that. */
checkInPages.post('/door/seat', async (c) => {
  const door = await requireDoorSession(c)
  const seated = await seatDoorQueue(c.env.deps, door.actor)
  const done = seated.length > 0 ? { done: 'seated', people: String(seated.length) } : { done: 'nobody_seated' }
  return c.redirect(withQuery(paths.doorPage(), done), 303)
})

const scanForm = z.object({ id: uuidField.optional(), registration: uuidField })
const undoForm = z.object({ checkIn: uuidField })

function statusPage(
  c: Context<App>,
  { severity, panel }: StatusMessage,
  status: 200 | 404 | 409 = 200,
): Promise<Response> {
  return doorPage(c, { title: doorMessages(c.var.locale).title, severity, status }, panel)
}
