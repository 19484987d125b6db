import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { JSONParsed } from 'hono/utils/types'
import { z } from 'zod'
import {
  type LendResult,
  lendBoard,
  listDoorBoards,
  type ReturnResult,
  returnBoard,
} from '../../domain/boards/loans.ts'
import { boardLimits } from '../../domain/boards/serials.ts'
import {
  type CheckInEntry,
  type CheckInResult,
  checkIn,
  countDoorPeople,
  type DoorPerson,
  findDoorPerson,
  listDoorPeople,
  type UndoEntry,
  type UndoResult,
  undoCheckIns,
} from '../../domain/door/check-ins.ts'
import type { DoorActor } from '../../domain/door/sessions.ts'
import { admitWalkIn, parseWalkIn, seatDoorQueue } from '../../domain/door/walk-ins.ts'
import type { FieldProblem } from '../../domain/registrations/registrations.ts'
import type { Workshop } from '../../domain/workshops/workshops.ts'
import type { App } from '../../http/context.ts'
import { uuidField } from '../../http/form-body.ts'
import { localize } from '../../i18n/format.ts'
import { limitSize } from '../../lib/input-limits.ts'
import { formatIso } from '../../lib/time-zones.ts'
import { type DoorContext, requireDoorSession } from './session.ts'

/** Endpoints of the door script: the list of people, and the queued entries of a phone. */
export const doorSyncRoutes = new Hono<App>()

/** Entries per request. Phones send longer queues in several requests. */
const maxEntries = 500

doorSyncRoutes.get('/door/list.json', async (c) => {
  const list = await loadDoorList(c, await requireDoorSession(c))
  c.header('Cache-Control', 'no-store')
  return c.json(list)
})

/** Response of GET /door/list.json, as the phone's script reads it. */
export type DoorList = JSONParsed<Awaited<ReturnType<typeof loadDoorList>>>

async function loadDoorList(c: Context<App>, { session, workshop }: DoorContext) {
  const { deps } = c.env
  const { locale } = c.var
  const [people, counts, boards] = await Promise.all([
    listDoorPeople(deps, workshop),
    countDoorPeople(deps, workshop),
    listDoorBoards(deps, workshop.id),
  ])
  return {
    session: { id: session.id, name: session.name, expiresAt: session.expiresAt },
    now: deps.now(),
    workshop: {
      slug: workshop.slug,
      title: localize(workshop.title, locale),
      city: localize(workshop.city, locale),
      startsAt: formatIso(workshop.startsAt, workshop.timeZone),
      endsAt: formatIso(workshop.endsAt, workshop.timeZone),
      timeZone: workshop.timeZone,
      capacity: workshop.capacity,
      taken: workshop.taken,
      graceMinutes: workshop.graceMinutes,
    },
    counts,
    people,
    boards,
  }
}

doorSyncRoutes.post('/door/entries', async (c) => {
  const { deps } = c.env
  const door = await requireDoorSession(c)
  const body = await parseEntries(c)
  if (!body) throw new HTTPException(400)
  const { workshop, entries } = body
  // Scanned in a previous session at another workshop. The phone keeps them until it joins that workshop again.
  if (workshop !== undefined && workshop !== door.workshop.slug) return c.json({ code: 'other_workshop' }, 409)
  const results = await applyEntries(c, door, entries)
  await seatDoorQueue(deps, door.actor)
  c.header('Cache-Control', 'no-store')
  return c.json({ now: deps.now(), results, counts: await countDoorPeople(deps, door.workshop) })
})

const id = uuidField
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
  // Validated separately, so that an invalid name does not reject the whole batch.
  z.object({ kind: z.literal('walk_in'), id, name: z.unknown(), phone: z.unknown(), at }),
])
type Entry = z.output<typeof entry>

/** An entry as the phone's script sends it. */
export type DoorEntry = z.input<typeof entry>

/** `workshop`: slug of the workshop at whose door the entries were made. */
const entriesBody = z.object({ workshop: z.string().optional(), entries: limitSize(maxEntries, z.array(entry)) })

/**
 * Parses the entries of a request body; undefined if they are invalid. The origin is not checked here: the `csrf` middleware
 * of http/middleware/csrf.ts has done so for every POST. A second, stricter check rejected requests of our own pages. Requests with
 * neither Origin nor Sec-Fetch-Site pass, as with forms. This is safe: browsers that send neither still preflight
 * application/json, send no SameSite=Lax cookie with cross-site POSTs, and no form can have this content type.
 * @throws {HTTPException} 415 for another content type, 400 for invalid JSON
 */
async function parseEntries(c: Context<App>): Promise<z.output<typeof entriesBody> | undefined> {
  if (!/^application\/json\s*(;|$)/i.test(c.req.header('content-type') ?? '')) throw new HTTPException(415)
  const body: unknown = await c.req.json().catch(() => {
    throw new HTTPException(400)
  })
  return entriesBody.safeParse(body).data
}

/** The results of entries, by their kind. */
type ResultByKind = {
  in:
    | Exclude<CheckInResult, { outcome: 'elsewhere' }>
    | { id: string; outcome: 'elsewhere'; workshop: ReturnType<typeof serializeOtherWorkshop> }
  undo: UndoResult
  lend: { id: string } & LendResult
  return: { id: string; outcome: ReturnResult['outcome'] }
  walk_in: { id: string } & WalkInEntryResult
}
type EntryResult = ResultByKind[Entry['kind']]

type WalkInEntryResult =
  | { outcome: 'in'; checkIn: string; person: DoorPerson | null }
  | { outcome: 'standing'; place: number; person: DoorPerson | null }
  | { outcome: 'full' | 'cancelled' | 'not_found' }
  | { outcome: 'invalid'; fields: FieldProblem[] }

/** Results in a response of POST /door/entries, as the phone's script reads them, by the kind of the entry. */
export type DoorEntryResults = JSONParsed<ResultByKind>

/** Applies the entries in order. Consecutive check-ins and undos share a statement. */
async function applyEntries(c: Context<App>, door: DoorContext, entries: readonly Entry[]): Promise<EntryResult[]> {
  const results: EntryResult[] = []
  for (let from = 0; from < entries.length; ) {
    const { kind } = entries[from] as Entry
    const runLength = entries.slice(from).findIndex((other) => other.kind !== kind)
    const run = entries.slice(from, runLength === -1 ? undefined : from + runLength)
    results.push(...(await applyEntryRun(c, door, kind, run)))
    from += run.length
  }
  return results
}

async function applyEntryRun(
  c: Context<App>,
  door: DoorContext,
  kind: Entry['kind'],
  run: readonly Entry[],
): Promise<EntryResult[]> {
  const { deps } = c.env
  const { actor, workshop } = door
  switch (kind) {
    case 'in':
      return (await checkIn(deps, actor, run as readonly CheckInEntry[])).map((result) =>
        result.outcome === 'elsewhere' ? { ...result, workshop: serializeOtherWorkshop(c, result.workshop) } : result,
      )
    case 'undo':
      return undoCheckIns(deps, actor, run as readonly UndoEntry[])
    case 'lend': {
      const results: EntryResult[] = []
      for (const { id, board, registration, at } of run as readonly (Entry & { kind: 'lend' })[]) {
        const loan = { id, boardId: board, registrationId: registration, workshopId: workshop.id, at }
        results.push({ id, ...(await lendBoard(deps, actor, loan)) })
      }
      return results
    }
    case 'return': {
      const results: EntryResult[] = []
      for (const { id, board, at, broken, note } of run as readonly (Entry & { kind: 'return' })[]) {
        const { outcome } = await returnBoard(deps, actor, { id, boardId: board, at, broken, note })
        results.push({ id, outcome })
      }
      return results
    }
    case 'walk_in': {
      const results: EntryResult[] = []
      for (const walkInEntry of run as readonly (Entry & { kind: 'walk_in' })[])
        results.push(await registerWalkIn(c, actor, workshop, walkInEntry))
      return results
    }
  }
}

async function registerWalkIn(
  c: Context<App>,
  actor: DoorActor,
  workshop: Workshop,
  { id, name, phone, at }: Entry & { kind: 'walk_in' },
): Promise<ResultByKind['walk_in']> {
  const { deps } = c.env
  const parsed = parseWalkIn({ name, phone: phone ?? undefined }, workshop)
  if ('problems' in parsed) return { id, outcome: 'invalid', fields: parsed.problems }
  const result = await admitWalkIn(deps, actor, parsed.walkIn, id, at)
  if (!('registration' in result)) return { id, ...result }
  const { registration, ...rest } = result
  return { id, ...rest, person: (await findDoorPerson(deps, workshop, registration)) ?? null }
}

function serializeOtherWorkshop(
  c: Context<App>,
  { title, city, startsAt, timeZone }: Pick<Workshop, 'title' | 'city' | 'startsAt' | 'timeZone'>,
) {
  const { locale } = c.var
  return {
    title: localize(title, locale),
    city: localize(city, locale),
    startsAt: formatIso(startsAt, timeZone),
    timeZone,
  }
}
