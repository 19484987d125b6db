import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { redactError } from '../../src/db/database.ts'
import { createWorld, type World } from '../support/world.ts'

describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('redactError of an error from $where', ({ postgres }) => {
  const catchError = async (world: World, statement: ReturnType<typeof sql>) =>
    redactError(
      await world.db.execute(statement).then(
        () => undefined,
        (error: unknown) => error,
      ),
    )

  test('contains SQLSTATE, constraint and location', async () => {
    await using world = await createWorld({ postgres })
    const workshop = await world.workshop()
    const redacted = await catchError(world, sql`update workshops set boards = -1 where id = ${workshop.id}::uuid`)
    expect(redacted.reason).toMatch(/^23514 workshops_boards: new row for relation …$/)
    expect(redacted.stack).toMatch(/^ {4}at .*:\d+:\d+\)?$/m)
    expect(redacted.stack).not.toContain(workshop.id)
  })

  test('contains neither parameters nor values quoted by the database', async () => {
    await using world = await createWorld({ postgres })
    for (const input of ['wang "the" man', 'wang\n    at wang@example.com', '"wang']) {
      for (const type of ['uuid', 'jsonb', 'timestamptz', 'integer']) {
        const redacted = await catchError(world, sql`select ${input}::text::${sql.raw(type)}`)
        expect(redacted.reason).toMatch(/^22\w{3}: invalid input syntax for type /)
        expect(JSON.stringify(redacted)).not.toContain('wang')
      }
    }
    const workshop = await world.workshop()
    await world.register(workshop, { email: 'wang@example.com' })
    const redacted = await catchError(
      world,
      sql`insert into registration_links (code, channel, created_at) values ('wang', 'wang', now())`,
    )
    expect(redacted.reason).toMatch(/^23514 registration_links_target: /)
    expect(JSON.stringify(redacted)).not.toContain('wang')
  })
})

test('redactError of any other error contains its message without quoted values, and its stack', () => {
  const error = (() => {
    try {
      return JSON.parse('wang@example.com')
    } catch (thrown) {
      return thrown
    }
  })()
  expect(redactError(error)).toEqual({
    reason: expect.stringMatching(/^Unexpected token .* is not valid JSON$/),
    stack: expect.stringContaining('database.test.ts'),
  })
  expect(JSON.stringify(redactError(error))).not.toContain('wang')
  expect(redactError('wang')).toEqual({ reason: 'a value that is not an Error was thrown', stack: '' })
})
