import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { redactError } from '../../src/db/database.ts'
import { createWorld, type World } from '../support/world.ts'

describe.each([
  { where: 'PGlite', postgres: false },
  { where: 'Postgres', postgres: true },
])('what is logged of an error of $where', ({ postgres }) => {
  const failing = async (world: World, statement: ReturnType<typeof sql>) =>
    redactError(
      await world.db.execute(statement).then(
        () => undefined,
        (error: unknown) => error,
      ),
    )

  test('is its SQLSTATE, its constraint and where it happened', async () => {
    await using world = await createWorld({ postgres })
    const workshop = await world.workshop()
    const said = await failing(world, sql`update workshops set boards = -1 where id = ${workshop.id}::uuid`)
    expect(said.reason).toMatch(/^23514 workshops_boards: new row for relation …$/)
    expect(said.stack).toMatch(/^ {4}at .*:\d+:\d+\)?$/m)
    expect(said.stack).not.toContain(workshop.id)
  })

  test('holds neither parameters nor values that the database quotes', async () => {
    await using world = await createWorld({ postgres })
    for (const typed of ['wang "the" man', 'wang\n    at wang@example.com', '"wang']) {
      for (const type of ['uuid', 'jsonb', 'timestamptz', 'integer']) {
        const said = await failing(world, sql`select ${typed}::text::${sql.raw(type)}`)
        expect(said.reason).toMatch(/^22\w{3}: invalid input syntax for type /)
        expect(JSON.stringify(said)).not.toContain('wang')
      }
    }
    const workshop = await world.workshop()
    await world.register(workshop, { email: 'wang@example.com' })
    const said = await failing(
      world,
      sql`insert into registration_links (code, channel, created_at) values ('wang', 'wang', now())`,
    )
    expect(said.reason).toMatch(/^23514 registration_links_target: /)
    expect(JSON.stringify(said)).not.toContain('wang')
  })
})

test('what is logged of any other error is its message without what it quotes, and its stack', () => {
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
