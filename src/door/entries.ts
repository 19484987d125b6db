import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { z } from 'zod'
import type { App } from '../context.ts'
import { boardLimits } from '../domain/board-serials.ts'
import { atMost } from '../domain/bounds.ts'
import {
  checkIn,
  countDoor,
  findDoorPerson,
  type InEntry,
  listDoorPeople,
  type UndoEntry,
  undoCheckIns,
} from '../domain/check-ins.ts'
import type { DoorActor } from '../domain/door-sessions.ts'
import { doorBoards, lendBoard, returnBoard } from '../domain/loans.ts'
import { isoIn } from '../domain/time-zones.ts'
import { parseWalkIn, seatStanding, walkIn } from '../domain/walk-ins.ts'
import type { Workshop } from '../domain/workshops.ts'
import { sentId } from '../form-body.ts'
import { pick } from '../messages/text.ts'
import { type Door, doorOf } from './session.ts'

/** What the script on a helper's phone reads and sends. */
export const entryRoutes = new Hono<App>()

/** No more of them at once: a phone that has more sends them one lot after another. */
const mostEntries = 500

entryRoutes.get('/door/list.json', async (c) => {
  const { deps } = c.env
  const { session, workshop } = await doorOf(c)
  const [people, counts, boards] = await Promise.all([
    listDoorPeople(deps, workshop),
    countDoor(deps, workshop),
    doorBoards(deps, workshop.id),
  ])
  const { locale } = c.var
  c.header('Cache-Control', 'no-store')
  return c.json({
    session: { id: session.id, name: session.name, expiresAt: session.expiresAt },
    now: deps.now(),
    workshop: {
      slug: workshop.slug,
      title: pick(workshop.title, locale),
      city: pick(workshop.city, locale),
      startsAt: isoIn(workshop.startsAt, workshop.timeZone),
      endsAt: isoIn(workshop.endsAt, workshop.timeZone),
      timeZone: workshop.timeZone,
      capacity: workshop.capacity,
      taken: workshop.taken,
      graceMinutes: workshop.graceMinutes,
    },
    counts,
    people,
    boards,
  })
})

entryRoutes.post('/door/entries', async (c) => {
  const { deps } = c.env
  const door = await doorOf(c)
  const body = await readEntries(c)
  if (!body) throw new HTTPException(400)
  const { workshop, entries } = body
  // Scanned at the door of another workshop, by a phone that is this one's door now: they wait until it is that one's again.
  if (workshop !== undefined && workshop !== door.workshop.slug) return c.json({ code: 'other_workshop' }, 409)
  const results = await performAll(c, door, entries)
  await seatStanding(deps, door.actor)
  c.header('Cache-Control', 'no-store')
  return c.json({ now: deps.now(), results, counts: await countDoor(deps, door.workshop) })
})

const id = sentId
const at = z.iso.datetime({ offset: true }).transform((text) => new Date(text))

const entry = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('in'), id, registration: id, at }),
  z.object({ kind: z.literal('undo'), id, checkIn: id, at }),
  z.object({ kind: z.literal('lend'), id, board: id, registration: id, at }),
  z.object({
    kind: z.literal('return'),
    id,
    board: id,
    at,
    broken: z.boolean().optional(),
    note: z.string().max(boardLimits.note).optional(),
  }),
  // What is typed is judged on its own, so that a bad name does not fail its neighbours.
  z.object({ kind: z.literal('walk_in'), id, name: z.unknown(), phone: z.unknown(), at }),
])
type Entry = z.output<typeof entry>

/** `workshop`: the slug of the one at whose door they were made. */
const sent = z.object({ workshop: z.string().optional(), entries: atMost(mostEntries, z.array(entry)) })

/**
 * The entries of a body, or undefined where they cannot be parsed. The origin is not checked here: `refuseForeignForms` in
 * app.tsx has done so for every POST, and a second, stricter check refused what the pages themselves were allowed to send.
 * A request with neither Origin nor Sec-Fetch-Site passes, as with other forms. It gains another site nothing: browsers
 * that leave both out still preflight application/json, send no Lax cookie from elsewhere, and no form has this type.
 * @throws {HTTPException} 415 for another content type, 400 for no JSON
 */
async function readEntries(c: Context<App>): Promise<z.output<typeof sent> | undefined> {
  if (!/^application\/json\s*(;|$)/i.test(c.req.header('content-type') ?? '')) throw new HTTPException(415)
  const body: unknown = await c.req.json().catch(() => {
    throw new HTTPException(400)
  })
  return sent.safeParse(body).data
}

type Result = { id: string; outcome: string } & Record<string, unknown>

/** In the order in which they were made. Those of one kind that follow each other go in one statement. */
async function performAll(c: Context<App>, door: Door, entries: readonly Entry[]): Promise<Result[]> {
  const results: Result[] = []
  for (let from = 0; from < entries.length; ) {
    const { kind } = entries[from] as Entry
    const rest = entries.slice(from).findIndex((other) => other.kind !== kind)
    const run = entries.slice(from, rest === -1 ? undefined : from + rest)
    results.push(...(await perform(c, door, kind, run)))
    from += run.length
  }
  return results
}

async function perform(c: Context<App>, door: Door, kind: Entry['kind'], run: readonly Entry[]): Promise<Result[]> {
  const { deps } = c.env
  const { actor, workshop } = door
  switch (kind) {
    case 'in':
      return (await checkIn(deps, actor, run as readonly InEntry[])).map((result) =>
        result.outcome === 'elsewhere' ? { ...result, workshop: toldOf(c, result.workshop) } : result,
      )
    case 'undo':
      return undoCheckIns(deps, actor, run as readonly UndoEntry[])
    case 'lend': {
      const results: Result[] = []
      for (const { id, board, registration, at } of run as readonly (Entry & { kind: 'lend' })[]) {
        const loan = { id, boardId: board, registrationId: registration, workshopId: workshop.id, at }
        results.push({ id, ...(await lendBoard(deps, actor, loan)) })
      }
      return results
    }
    case 'return': {
      const results: Result[] = []
      for (const { id, board, at, broken, note } of run as readonly (Entry & { kind: 'return' })[]) {
        const { outcome } = await returnBoard(deps, actor, { id, boardId: board, at, broken, note })
        results.push({ id, outcome })
      }
      return results
    }
    case 'walk_in': {
      const results: Result[] = []
      for (const one of run as readonly (Entry & { kind: 'walk_in' })[])
        results.push(await letWalkIn(c, actor, workshop, one))
      return results
    }
  }
}

async function letWalkIn(
  c: Context<App>,
  actor: DoorActor,
  workshop: Workshop,
  { id, name, phone, at }: Entry & { kind: 'walk_in' },
): Promise<Result> {
  const { deps } = c.env
  const parsed = parseWalkIn({ name, phone: phone ?? undefined }, workshop)
  if ('problems' in parsed) return { id, outcome: 'invalid', fields: parsed.problems }
  const result = await walkIn(deps, actor, parsed.walkIn, id, at)
  if (!('registration' in result)) return { id, ...result }
  const { registration, ...more } = result
  return { id, ...more, person: (await findDoorPerson(deps, workshop, registration)) ?? null }
}

/** Which workshop a ticket is for, in the helper's language. */
function toldOf(
  c: Context<App>,
  { title, city, startsAt, timeZone }: Pick<Workshop, 'title' | 'city' | 'startsAt' | 'timeZone'>,
) {
  const { locale } = c.var
  return { title: pick(title, locale), city: pick(city, locale), startsAt: isoIn(startsAt, timeZone), timeZone }
}
