import { type Context, Hono } from 'hono'
import { z } from 'zod'
import type { App } from '../context.ts'
import { checkIn, findDoorPerson, findScan, undoCheckIns } from '../domain/check-ins.ts'
import { findRegistration } from '../domain/registrations.ts'
import { readDoorCode } from '../domain/tickets.ts'
import { leaveDoor, seatStanding, standAtDoor } from '../domain/walk-ins.ts'
import { readFormBody, sentId } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { doorMessagesFor } from '../messages/door.ts'
import { closedDoorPage, doorPage } from './layout.tsx'
import { elsewhereSaid, notFoundSaid, personSaid, type Said } from './panel.tsx'
import { doorOf } from './session.ts'

/** What the QR of a ticket leads to, and the buttons that do something with one person. */
export const checkInPages = new Hono<App>()

/** What the QR on a ticket says. Only a door may do more with it than see which workshop it is for. */
checkInPages.get('/in/:code', async (c) => {
  const { deps } = c.env
  const registration = await findRegistration(deps, readDoorCode(deps.config.secret, c.req.param('code')))
  c.header('Cache-Control', 'no-store')
  if (c.get('doorOver')) return closedDoorPage(c)
  if (!c.get('door')) return registration ? c.redirect(paths.workshop(registration.workshop.slug), 302) : c.notFound()
  const door = await doorOf(c)
  if (!registration) return saidPage(c, notFoundSaid(c), 404)
  if (registration.workshop.id !== door.workshop.id) return saidPage(c, elsewhereSaid(c, registration.workshop), 409)
  const person = await findDoorPerson(deps, door.workshop, registration.id)
  return person ? saidPage(c, await personSaid(c, door, person)) : saidPage(c, notFoundSaid(c), 404)
})

checkInPages.post('/door/check-in', async (c) => {
  const { deps } = c.env
  const door = await doorOf(c)
  const asked = scanForm.safeParse(await readFormBody(c)).data
  if (!asked) return saidPage(c, notFoundSaid(c), 404)
  const { id = deps.newId(), registration } = asked
  const [result] = await checkIn(deps, door.actor, [{ id, registration, at: deps.now() }])
  await seatStanding(deps, door.actor)
  if (result?.outcome === 'elsewhere') return saidPage(c, elsewhereSaid(c, result.workshop), 409)
  if (!result || result.outcome === 'not_found') return saidPage(c, notFoundSaid(c), 404)
  return c.redirect(withQuery(paths.doorPage(), { person: registration, scan: id }), 303)
})

checkInPages.post('/door/undo', async (c) => {
  const { deps } = c.env
  const door = await doorOf(c)
  const asked = undoForm.safeParse(await readFormBody(c)).data
  const scan = asked && (await findScan(deps, door.workshop, asked.checkIn))
  if (!asked || !scan) return saidPage(c, notFoundSaid(c), 404)
  const [result] = await undoCheckIns(deps, door.actor, [{ id: deps.newId(), checkIn: asked.checkIn, at: deps.now() }])
  await seatStanding(deps, door.actor)
  return c.redirect(withQuery(paths.doorPage(), { person: scan.registration, done: result?.outcome }), 303)
})

checkInPages.post('/door/stand', async (c) => {
  const { deps } = c.env
  const door = await doorOf(c)
  const asked = scanForm.safeParse(await readFormBody(c)).data
  const result = asked && (await standAtDoor(deps, door.actor, asked.registration))
  if (!asked || !result || result.outcome === 'not_found') return saidPage(c, notFoundSaid(c), 404)
  await seatStanding(deps, door.actor)
  const done = result.outcome === 'not_waiting' ? 'not_waiting' : undefined
  return c.redirect(withQuery(paths.doorPage(), { person: asked.registration, done }), 303)
})

checkInPages.post('/door/leave', async (c) => {
  const { deps } = c.env
  const door = await doorOf(c)
  const asked = scanForm.safeParse(await readFormBody(c)).data
  const result = asked && (await leaveDoor(deps, door.actor, asked.registration))
  if (!asked || !result || result.outcome === 'not_found') return saidPage(c, notFoundSaid(c), 404)
  return c.redirect(withQuery(paths.doorPage(), { person: asked.registration, done: result.outcome }), 303)
})

/** Seats go by themselves whenever a door sends something; this is for who does not want to wait for that. */
checkInPages.post('/door/seat', async (c) => {
  const door = await doorOf(c)
  const seated = await seatStanding(c.env.deps, door.actor)
  const done = seated.length > 0 ? { done: 'seated', people: String(seated.length) } : { done: 'nobody_seated' }
  return c.redirect(withQuery(paths.doorPage(), done), 303)
})

const scanForm = z.object({ id: sentId.optional(), registration: sentId })
const undoForm = z.object({ checkIn: sentId })

function saidPage(c: Context<App>, { tone, panel }: Said, status: 200 | 404 | 409 = 200): Promise<Response> {
  return doorPage(c, { title: doorMessagesFor(c.var.locale).title, tone, status }, panel)
}
