import { readFile } from 'node:fs/promises'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { createWorld, type World } from '../support/world.ts'
import { type Divergence, findDivergence } from './search.ts'

test('control: where a freed seat is not passed on, a script of a few lines says so', async () => {
  await using world = await createWorld()
  await mutateFunction(world, 'cancel_registration', 'promote_waitlist(v_workshop.id, p_now)', '0')
  const { script } = (await findDivergence(world, true, 1000)) as Divergence
  // A world, a play, someone with a seat, someone who waits, a seat that is freed, the end; and what shortening left over.
  expect(script.split('\n').length, script).toBeLessThan(12)
  expect(script).toMatch(/scenario\.(cancel|erase)\(/)
}, 600_000)

const mutations = [
  {
    error: 'the last in line is served first',
    in: 'promote_waitlist',
    right: 'order by seq\n      limit',
    wrong: 'order by seq desc\n      limit',
  },
  {
    error: 'a workshop that an organiser closed serves its line',
    in: 'promote_waitlist',
    right: `w.state = 'published' and`,
    wrong: `w.state in ('published', 'closed') and`,
  },
  {
    error: 'a workshop that has started serves its line',
    in: 'promote_waitlist',
    right: ' and p_now < w.starts_at',
    wrong: '',
  },
  {
    error: 'an offer is held beyond the start',
    in: 'promote_waitlist',
    right: 'least(p_now + make_interval(hours => v_workshop.confirm_hours), v_workshop.starts_at)',
    wrong: 'p_now + make_interval(hours => v_workshop.confirm_hours)',
  },
  {
    error: 'an offer can be taken after its deadline',
    in: 'accept_offer',
    right: ' or p_now >= v_registration.offered_until',
    wrong: '',
  },
  {
    error: 'an offer that was not taken goes to nobody',
    in: 'expire_offers',
    right: 'perform promote_waitlist(id, p_now) from unnest(v_workshops) id;',
    wrong: '',
  },
  {
    error: 'the seat that somebody moved from stays empty',
    in: 'move_registration',
    right: 'perform promote_waitlist(v_old.id, p_now);',
    wrong: '',
  },
  {
    error: 'a seat that an organiser adds goes to the first in line',
    in: 'promote_manually',
    right: `, updated_at = 'infinity'`,
    wrong: ', updated_at = p_now',
  },
  {
    error: 'an organiser lets somebody pass where no seat is free, unasked',
    in: 'promote_manually',
    right: 'v_full and not (p_add_seat and v_workshop.capacity < 100000)',
    wrong: 'v_workshop.capacity >= 100000',
  },
  {
    error: 'nobody remembers that an organiser let somebody pass',
    in: 'promote_manually',
    right: ', promoted_manually = true',
    wrong: '',
  },
  {
    error: 'who was let pass does not hear of it',
    in: 'promote_manually',
    right: `    insert into mails (registration_id, kind, created_at, due_at) values (p_id, 'promoted', p_now, p_now);\n`,
    wrong: '',
  },
  {
    error: 'somebody who gave up their seat is let pass',
    in: 'promote_manually',
    right: `v_status = 'cancelled' then`,
    wrong: 'false then',
  },
  {
    error: 'who was let pass in one city counts as let pass in the other',
    in: 'move_registration',
    right: 'promoted_manually = false,',
    wrong: '',
  },
  {
    error: 'a message of an organiser is lost with a corrected address',
    in: 'correct_email',
    right: `, 'message')`,
    wrong: ')',
  },
  {
    error: 'a person loses both of two registrations that are merged',
    in: 'merge_registration',
    right: ` and r.status in ('confirmed', 'waitlisted', 'offered')`,
    wrong: '',
  },
  {
    error: 'one moves to a workshop that takes nobody',
    in: 'move_registration',
    right: 'elsif registration_refusal(v_new, p_now) is not null then',
    wrong: 'elsif false then',
  },
  {
    error: 'an address is corrected to that of somebody who is registered',
    in: 'correct_email',
    right: 'elsif active_registration(p_email_key, v_workshop) <> p_id then',
    wrong: 'elsif false then',
  },
  {
    error: 'a mailbox may be flooded',
    in: 'mails_triggered_today',
    right: `interval '24 hours'`,
    wrong: `interval '20 hours'`,
  },
  {
    error: 'the other city of the campaign does not count',
    in: 'conflicting_registrations',
    right: ' or w.campaign_id = p_campaign',
    wrong: '',
  },
  {
    error: 'who waits does not hear that the workshop is cancelled',
    in: 'cancel_workshop',
    right: `status in ('confirmed', 'waitlisted', 'offered')`,
    wrong: `status in ('confirmed', 'offered')`,
  },
]

test.each(mutations)(
  'control: it is noticed where $error',
  async (error) => {
    await using world = await createWorld()
    await mutateFunction(world, error.in, error.right, error.wrong)
    expect(await findDivergence(world, true, 1000, { shorten: false })).toBeDefined()
  },
  600_000,
)

/** Replaces a function of the database by one that has another text at one place. */
async function mutateFunction(world: World, name: string, original: string, replacement: string): Promise<void> {
  const text = await readFile(new URL(`../../drizzle/functions/${name}.sql`, import.meta.url), 'utf8')
  if (!text.includes(original)) throw new Error(`${name}.sql does not say: ${original}`)
  const [mutated = ''] = text.replace(original, replacement).split('--> statement-breakpoint')
  await world.db.execute(sql.raw(mutated))
}
