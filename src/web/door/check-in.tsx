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

/** The page behind a ticket's QR, and the forms that check in, undo and manage the door queue. */
export const checkInPages = new Hono<App>()

/** Target of a ticket's QR. Without a door session it only redirects to the public page of the workshop. */
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
  const input = scanForm.safeParse(await parseFormBody(c)).data
  if (!input) return statusPage(c, unknownCodeStatus(c), 404)
  const { id = deps.newId(), registration } = input
  const [result] = await checkIn(deps, door.actor, [{ id, registration, at: deps.now() }])
  await seatDoorQueue(deps, door.actor)
  if (result?.outcome === 'elsewhere') return statusPage(c, otherWorkshopStatus(c, result.workshop), 409)
  if (!result || result.outcome === 'not_found') return statusPage(c, unknownCodeStatus(c), 404)
  return c.redirect(withQuery(paths.doorPage(), { person: registration, scan: id }), 303)
})

checkInPages.post('/door/undo', async (c) => {
  const { deps } = c.env
  const door = await requireDoorSession(c)
  const input = undoForm.safeParse(await parseFormBody(c)).data
  const scan = input && (await findScan(deps, door.workshop, input.checkIn))
  if (!input || !scan) return statusPage(c, unknownCodeStatus(c), 404)
  const [result] = await undoCheckIns(deps, door.actor, [{ id: deps.newId(), checkIn: input.checkIn, at: deps.now() }])
  await seatDoorQueue(deps, door.actor)
  return c.redirect(withQuery(paths.doorPage(), { person: scan.registration, done: result?.outcome }), 303)
})

checkInPages.post('/door/stand', async (c) => {
  const { deps } = c.env
  const door = await requireDoorSession(c)
  const input = scanForm.safeParse(await parseFormBody(c)).data
  const result = input && (await joinDoorQueue(deps, door.actor, input.registration))
  if (!input || !result || result.outcome === 'not_found') return statusPage(c, unknownCodeStatus(c), 404)
  await seatDoorQueue(deps, door.actor)
  const done = result.outcome === 'not_waiting' ? 'not_waiting' : undefined
  return c.redirect(withQuery(paths.doorPage(), { person: input.registration, done }), 303)
})

checkInPages.post('/door/leave', async (c) => {
  const { deps } = c.env
  const door = await requireDoorSession(c)
  const input = scanForm.safeParse(await parseFormBody(c)).data
  const result = input && (await leaveDoorQueue(deps, door.actor, input.registration))
  if (!input || !result || result.outcome === 'not_found') return statusPage(c, unknownCodeStatus(c), 404)
  return c.redirect(withQuery(paths.doorPage(), { person: input.registration, done: result.outcome }), 303)
})

/** Seats the door queue now. Check-ins, undos, walk-ins and synced entries do so as well. */
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
