import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { registrations } from '../../src/db/schema.ts'
import { deliverDueMails } from '../../src/email/delivery.ts'
import { createPooledTransport } from '../../src/email/transport.ts'
import { postForm, submitForm } from '../support/http/forms.ts'
import { startMailServer } from '../support/mail/smtp-server.ts'
import { root } from '../support/processes/processes.ts'
import { createWorld, type World } from '../support/world.ts'

describe('200 people behind one IP address within a minute, under the default limits', () => {
  test('can all open the form, register and get challenges', async () => {
    await using world = await createWorld()
    const open = await world.workshop({ capacity: 150 })
    const guarded = await world.workshop({ proofOfWork: true })
    for (let n = 0; n < 200; n++) {
      const fields = { name: `学员 ${n}`, email: `person-${n}@example.com`, consent: 'yes' }
      const challenge = await world.request(`/api/v1/workshops/${guarded.slug}/challenge`, {
        headers: { 'Idempotency-Key': `key-of-person-${n}` },
      })
      const response = await submitForm(world, `/w/${open.slug}`, fields)
      expect([n, challenge.status, response.status]).toEqual([n, 200, 303])
    }
    expect(await world.db.$count(registrations)).toBe(200)
  }, 120_000)

  test('stay below the limits of the Worker too', async () => {
    const settings = await readFile(join(root, 'wrangler.toml'), 'utf8')
    for (const name of ['LIMIT_REGISTER', 'LIMIT_CHALLENGE']) {
      const [, limit, period] =
        new RegExp(`name = "${name}"\\n.*\\nsimple = \\{ limit = (\\d+), period = (\\d+) \\}`).exec(settings) ?? []
      expect([name, period, Number(limit) >= 200]).toEqual([name, '60', true])
    }
  })
})

/** Repeats an attack on a mailbox over a day and counts the mails that arrive there. */
async function attackMailbox(
  attack: (world: World, round: number, deliver: () => Promise<unknown>) => Promise<unknown>,
) {
  await using mail = await startMailServer()
  await using world = await createWorld({
    env: { SMTP_URL: mail.url, MAIL_FROM: 'Workshops <workshops@example.com>' },
  })
  const transport = createPooledTransport(world.deps.config)
  if (!transport) throw new Error('no mail server')
  const deliver = () => deliverDueMails(world.deps, transport)
  for (let round = 0; round < 40; round++) {
    await attack(world, round, deliver)
    await deliver()
    // Longer than the ten minutes within which a ticket is not mailed again.
    world.clock.advance({ minutes: 11 })
  }
  transport.close()
  return mail.mails.filter(({ to }) => to[0]?.toLowerCase() === victim).length
}

const victim = 'victim@example.com'
const formFields = { name: '陌生人', email: victim, consent: 'yes' }

/** Signs the victim up for a new workshop. Returns the ticket path, if the sign-up was accepted. */
async function signUpVictim(world: World, email = victim): Promise<string | undefined> {
  const { slug } = await world.workshop()
  return (await submitForm(world, `/w/${slug}`, { ...formFields, email })).headers.get('location') ?? undefined
}

describe('at most ten mails a day reach a mailbox', () => {
  test('when it is registered for one workshop after another', async () => {
    expect(await attackMailbox((world) => signUpVictim(world))).toBe(10)
  }, 60_000)

  test('when it is registered repeatedly for the same workshop', async () => {
    let slug: string
    const arrived = await attackMailbox(async (world) => {
      slug ??= (await world.workshop()).slug
      await submitForm(world, `/w/${slug}`, formFields)
    })
    expect(arrived).toBe(10)
  }, 60_000)

  test('when its tickets are requested on /find', async () => {
    const arrived = await attackMailbox(async (world, round) => {
      if (round === 0) await signUpVictim(world)
      await postForm(world, '/find', { email: victim })
    })
    expect(arrived).toBe(10)
  }, 60_000)

  test('and twice as many when it is registered and cancelled', async () => {
    const arrived = await attackMailbox(async (world, _round, deliver) => {
      const ticket = await signUpVictim(world)
      await deliver()
      if (ticket) await postForm(world, `${ticket}/cancel`, {})
    })
    expect(arrived).toBe(20)
  }, 60_000)

  test('when other registrations are corrected to it', async () => {
    const arrived = await attackMailbox(async (world, round) => {
      const ticket = await signUpVictim(world, `stranger-${round}@example.com`)
      await postForm(world, `${ticket}/email`, { email: victim })
    })
    // Half as many: mails to the previous address count for the current address of the registration.
    expect(arrived).toBe(5)
  }, 60_000)

  test('and three more when it is registered and then corrected away', async () => {
    const arrived = await attackMailbox(async (world, round, deliver) => {
      const ticket = await signUpVictim(world)
      await deliver()
      if (ticket) await postForm(world, `${ticket}/email`, { email: `stranger-${round}@example.com` })
    })
    // Ten, and one more for each of the three corrections of an address per day.
    expect(arrived).toBe(13)
  }, 60_000)

  test('when its registration is moved back and forth', async () => {
    let ticket: string
    let cities: string[]
    const arrived = await attackMailbox(async (world, round) => {
      if (round === 0) {
        const campaignId = (await world.campaign()).id
        cities = [(await world.workshop({ campaignId })).slug, (await world.workshop({ campaignId })).slug]
        ticket = (await submitForm(world, `/w/${cities[0]}`, formFields)).headers.get('location') as string
      } else await postForm(world, `${ticket}/move`, { to: cities[round % 2] as string })
    })
    expect(arrived).toBe(10)
  }, 60_000)

  test('when it receives pending sign-ups', async () => {
    let slug: string
    const arrived = await attackMailbox(async (world) => {
      slug ??= (await world.workshop({ proofOfWork: true })).slug
      await submitForm(world, `/w/${slug}`, formFields)
    })
    expect(arrived).toBe(10)
  }, 60_000)

  test('when these are combined', async () => {
    let guarded: string
    const arrived = await attackMailbox(async (world, round) => {
      guarded ??= (await world.workshop({ proofOfWork: true })).slug
      if (round % 3 === 0) await signUpVictim(world)
      if (round % 3 === 1) await submitForm(world, `/w/${guarded}`, formFields)
      if (round % 3 === 2) await postForm(world, '/find', { email: victim })
    })
    expect(arrived).toBe(10)
  }, 60_000)
})
