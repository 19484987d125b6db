import { readFile } from 'node:fs/promises'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { createWorld, type World } from '../support/world.ts'
import { type Divergence, findDivergence } from './search.ts'

test('control: the model test reports a short script when a freed seat is not passed on', async () => {
  await using world = await createWorld()
  await mutateFunction(world, 'cancel_registration', 'promote_waitlist(v_workshop.id, p_now)', '0')
  const { script } = (await findDivergence(world, true, 1000)) as Divergence
  // World, scenario, a confirmed and a waitlisted person, a freed seat, finish; and what shortening leaves over.
  expect(script.split('\n').length, script).toBeLessThan(12)
  expect(script).toMatch(/scenario\.(cancel|erase)\(/)
}, 600_000)

const mutations = [
  {
    error: 'the end of the waitlist is promoted first',
    in: 'promote_waitlist',
    right: 'order by seq\n      limit',
    wrong: 'order by seq desc\n      limit',
  },
  {
    error: 'a closed workshop promotes its waitlist',
    in: 'promote_waitlist',
    right: `w.state = 'published' and`,
    wrong: `w.state in ('published', 'closed') and`,
  },
  {
    error: 'a started workshop promotes its waitlist',
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
    error: 'an offer can be accepted after its deadline',
    in: 'accept_offer',
    right: ' or p_now >= v_registration.offered_until',
    wrong: '',
  },
  {
    error: 'an expired offer is not passed on',
    in: 'expire_offers',
    right: 'perform promote_waitlist(id, p_now) from unnest(v_workshops) id;',
    wrong: '',
  },
  {
    error: 'a move does not pass the old seat on',
    in: 'move_registration',
    right: 'perform promote_waitlist(v_old.id, p_now);',
    wrong: '',
  },
  {
    error: 'a seat added for a manual promotion goes to the front of the waitlist',
    in: 'promote_manually',
    right: `, updated_at = 'infinity'`,
    wrong: ', updated_at = p_now',
  },
  {
    error: 'a manual promotion adds a seat without addSeat',
    in: 'promote_manually',
    right: 'v_full and not (p_add_seat and v_workshop.capacity < 100000)',
    wrong: 'v_workshop.capacity >= 100000',
  },
  {
    error: 'a manual promotion is not recorded',
    in: 'promote_manually',
    right: ', promoted_manually = true',
    wrong: '',
  },
  {
    error: 'a manual promotion sends no mail',
    in: 'promote_manually',
    right: `    insert into mails (registration_id, kind, created_at, due_at) values (p_id, 'promoted', p_now, p_now);\n`,
    wrong: '',
  },
  {
    error: 'a cancelled registration can be promoted',
    in: 'promote_manually',
    right: `v_status = 'cancelled' then`,
    wrong: 'false then',
  },
  {
    error: 'a manual promotion survives a move to another city',
    in: 'move_registration',
    right: 'promoted_manually = false,',
    wrong: '',
  },
  {
    error: 'a corrected address discards a queued broadcast',
    in: 'correct_email',
    right: `, 'message')`,
    wrong: ')',
  },
  {
    error: 'merging cancels both registrations',
    in: 'merge_registration',
    right: ` and r.status in ('confirmed', 'waitlisted', 'offered')`,
    wrong: '',
  },
  {
    error: 'a move ignores the refusals of the new workshop',
    in: 'move_registration',
    right: 'elsif registration_refusal(v_new, p_now) is not null then',
    wrong: 'elsif false then',
  },
  {
    error: 'an address can be corrected to a registered one',
    in: 'correct_email',
    right: 'elsif active_registration(p_email_key, v_workshop) <> p_id then',
    wrong: 'elsif false then',
  },
  {
    error: 'the mail limit of a mailbox covers 20 hours only',
    in: 'mails_triggered_today',
    right: `interval '24 hours'`,
    wrong: `interval '20 hours'`,
  },
  {
    error: 'registrations in other cities of the campaign are ignored',
    in: 'conflicting_registrations',
    right: ' or w.campaign_id = p_campaign',
    wrong: '',
  },
  {
    error: 'waitlisted registrations are not notified of a cancelled workshop',
    in: 'cancel_workshop',
    right: `status in ('confirmed', 'waitlisted', 'offered')`,
    wrong: `status in ('confirmed', 'offered')`,
  },
]

test.each(mutations)(
  'control: the model test detects that $error',
  async (error) => {
    await using world = await createWorld()
    await mutateFunction(world, error.in, error.right, error.wrong)
    expect(await findDivergence(world, true, 1000, { shorten: false })).toBeDefined()
  },
  600_000,
)

/** Replaces a function of the database by a mutated version. */
async function mutateFunction(world: World, name: string, original: string, replacement: string): Promise<void> {
  const text = await readFile(new URL(`../../drizzle/functions/${name}.sql`, import.meta.url), 'utf8')
  if (!text.includes(original)) throw new Error(`${name}.sql does not contain: ${original}`)
  const [mutated = ''] = text.replace(original, replacement).split('--> statement-breakpoint')
  await world.db.execute(sql.raw(mutated))
}
