import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { expect, onTestFinished, test } from 'vitest'
import { DatabaseTooNewError, migrate } from '../../src/db/migrate.ts'
import { mailReasons } from '../../src/db/schema.ts'
import { claimDueMails, listMails } from '../../src/domain/mails/outbox.ts'
import { findViolations } from '../../src/domain/reports/doctor.ts'
import { openTestPostgres } from '../support/databases/databases.ts'
import {
  dumpedReleases,
  type ReleaseDump,
  readReleaseDump,
  readTables,
  restoreRelease,
} from '../support/databases/release-dumps.ts'
import { postForm } from '../support/http/forms.ts'
import { root } from '../support/processes/processes.ts'
import { createWorld } from '../support/world.ts'

test.each(dumpedReleases)(
  'a database of %s keeps every row, in the terms of this release',
  async (commit) => {
    const dump = readReleaseDump(commit)
    await using database = await openTestPostgres({ migrated: false })
    await restoreRelease(database.db, dump)
    const before = await readTables(database.db)
    await migrate(database.db, join(root, 'drizzle'))
    const after = await readTables(database.db)

    for (const [name, rows] of Object.entries(before)) {
      const expected = rows.map((row) => upgraded(name, row))
      const keys = Object.keys(expected[0] ?? {})
      const stored = after[tables[name] ?? name]?.map((row) => Object.fromEntries(keys.map((key) => [key, row[key]])))
      expect(sorted(stored ?? []), name).toEqual(sorted(expected))
    }
    expect(new Set(after.registrations?.map(({ source }) => source))).toEqual(new Set([null, 'walk_in', 'organiser']))
    expect(new Set(after.mails?.map(({ reason }) => reason))).toEqual(new Set([null, ...mailReasons]))
  },
  120_000,
)

test.each(dumpedReleases)(
  'what people have from %s is still valid',
  async (commit) => {
    const dump = readReleaseDump(commit)
    const { promises, answers } = dump
    await using database = await openTestPostgres({ migrated: false })
    await restoreRelease(database.db, dump)
    // better-auth compares these with the real time, in which the dump grows old.
    for (const table of ['sessions', 'verifications'])
      await database.db.execute(sql`update ${sql.identifier(table)} set expires_at = now() + interval '1 hour'`)
    await migrate(database.db, join(root, 'drizzle'))
    const env = { RATE_LIMIT: 'off', SECRET: promises.secret, SMTP_URL: 'smtp://localhost', MAIL_FROM: 'w@example.com' }
    await using world = await createWorld({ database, env })
    const { deps } = world
    world.clock.set(promises.now)
    deps.newId = () => crypto.randomUUID()
    const get = async (path: string, headers = {}) => (await world.request(path, { headers })).status
    const sendJson = (path: string, body: object, headers: Record<string, string>) =>
      world.request(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
    expect(await findViolations(deps)).toEqual([])

    // Pending mails and the scans of an offline phone, as that release would have gone on.
    const claimed = await claimDueMails(deps, 1000, 120)
    expect(claimed.mails.map(({ id, kind }) => [id, kind])).toEqual(answers.claimed)
    const scanned = await sendJson('/door/entries', promises.scans, { Cookie: promises.door })
    expect((await scanned.json()).results.map(({ outcome }: { outcome: string }) => outcome)).toEqual(answers.scans)
    const mails = await listMails(deps, { limit: 1000 })
    expect(mails.map(({ id, state, reason }) => [id, state, reason])).toEqual(answers.mails)

    for (const ticket of promises.tickets) expect(await get(ticket), ticket).toBe(200)
    for (const code of promises.checkIn) expect(await get(code), code).toBeLessThan(400)
    expect(await get(promises.links[0] as string)).toBe(302)
    expect((await postForm(world, promises.offered, {})).status).toBe(303)
    expect((await postForm(world, promises.held, {})).status).toBe(303)
    expect(await get(promises.join)).toBe(200)
    expect((await postForm(world, promises.join, { name: '南门' })).headers.getSetCookie().join()).toContain('door=')
    expect(await get('/door', { Cookie: promises.door })).toBe(200)
    expect((await postForm(world, promises.signIn, {})).headers.getSetCookie().join()).toContain('session')
    expect(await get('/console', { Cookie: promises.cookie })).toBe(200)
    expect(await get('/api/v1/mails', { Authorization: `Bearer ${promises.apiToken}` })).toBe(200)

    const person = { name: '赵六', email: 'open-form@example.com', consent: 'yes' }
    expect((await postForm(world, '/w/fixture', { ...promises.openForm, ...person })).status).toBe(303)
    const { fields, location } = promises.filledForm
    expect((await postForm(world, '/w/fixture', fields)).headers.get('location')).toBe(location)
    const { body, key, answer } = promises.api
    const replayed = await sendJson('/api/v1/workshops/fixture/registrations', body, { 'Idempotency-Key': key })
    expect(replayed.status).toBe(201)
    expect(await replayed.json()).toEqual(answer)
    expect(await findViolations(deps)).toEqual([])
  },
  120_000,
)

test.each(dumpedReleases)('a server of %s does not start on a database of this release', async (commit) => {
  await using database = await openTestPostgres()
  await expect(migrate(database.db, drizzleFolder(readReleaseDump(commit)))).rejects.toThrow(
    /^the database has \d+ migrations, this release knows \d+: start the newer release$/,
  )
  await expect(migrate(database.db, drizzleFolder(readReleaseDump(commit)))).rejects.toThrow(DatabaseTooNewError)
})

const tables: Record<string, string> = {
  held_sign_ups: 'pending_sign_ups',
  messages: 'broadcasts',
  mail_pace: 'mail_rate_window',
}

const columns: Record<string, Record<string, string>> = {
  registrations: {
    name_initials: 'name_search',
    out_of_turn: 'promoted_manually',
    told_apart: 'not_duplicates',
    coming_on: 'attendance_confirmed_for',
    calendar_raise: 'calendar_sequence_offset',
  },
  workshops: { door_version: 'join_code_version' },
  mails: { held_id: 'pending_sign_up_id', written_id: 'broadcast_id', facts: 'payload', dated_at: 'message_date' },
  mail_pace: { only: 'singleton', tries: 'attempts' },
  content_refusals: { written_id: 'broadcast_id', reason: 'last_error' },
  audit_entries: { facts: 'payload', personal: 'pii' },
  boards: { packed_for: 'allocated_to' },
}

/** A row as this release stores it. */
function upgraded(table: string, row: Record<string, unknown>): Record<string, unknown> {
  const renamed = Object.fromEntries(
    Object.entries(row).map(([name, value]) => [columns[table]?.[name] ?? name, value]),
  )
  if (table === 'mails') return { ...renamed, ...reasonOf(renamed.reason as string | null) }
  if (table === 'registrations') return { ...renamed, source: sourceOf(renamed.consent_version as string) }
  return renamed
}

function sourceOf(consentVersion: string): string | null {
  if (consentVersion.endsWith('-door')) return 'walk_in'
  return consentVersion.endsWith(', by word of an organiser') ? 'organiser' : null
}

function reasonOf(text: string | null): { reason: string | null; last_error: string | null } {
  const [, retried] = /^given up after 24 hours: (.*)$/.exec(text ?? '') ?? []
  if ((retried ?? text) === 'the mail could not be written') return { reason: 'render_failed', last_error: null }
  if (retried !== undefined) return { reason: 'retries_exhausted', last_error: retried }
  const reason = codes[text ?? ''] ?? null
  return { reason, last_error: reason ? null : text }
}

const codes: Record<string, string> = {
  'its link is good no longer': 'link_expired',
  'the person was erased': 'person_erased',
  'no ticket is left to send': 'no_ticket',
  'the workshop is over': 'workshop_over',
  'the registration was cancelled since': 'registration_cancelled',
  'promoted since': 'promoted',
  'taken since': 'offer_accepted',
  'not taken in time': 'offer_expired',
  'opened again since': 'reopened',
  'closed again since': 'reclosed',
  'changed again since': 'changed_again',
  'moved again since': 'moved_again',
  'superseded by a corrected address': 'address_corrected',
  'superseded by a move': 'moved',
  'the board came back since': 'board_returned',
  'its time is another since': 'rescheduled',
  'too late for it': 'too_late',
  'ready since': 'already_ready',
  'said so since': 'already_confirmed',
  'switched off since': 'reminder_disabled',
  'did not come after all': 'did_not_attend',
  'came after all': 'attended',
}

/** So that the order of rows and of keys in JSON does not matter. */
const sorted = (rows: readonly Record<string, unknown>[]) =>
  [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

/** The folder `drizzle/` of a release. */
function drizzleFolder({ migrations, functions }: ReleaseDump): string {
  const folder = mkdtempSync(join(tmpdir(), 'baoming-drizzle-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  cpSync(join(root, 'drizzle'), folder, { recursive: true })
  const file = join(folder, 'meta/_journal.json')
  const journal = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, JSON.stringify({ ...journal, entries: journal.entries.slice(0, migrations) }))
  for (const name of readdirSync(join(folder, 'functions'))) rmSync(join(folder, 'functions', name))
  for (const [name, text] of Object.entries(functions)) writeFileSync(join(folder, 'functions', `${name}.sql`), text)
  return folder
}
