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

describe('200 people in one office, within a minute and under the limits that are set by default', () => {
  test('all open the form and register, and can have challenges as well', async () => {
    await using world = await createWorld()
    const plain = await world.workshop({ capacity: 150 })
    const guarded = await world.workshop({ proofOfWork: true })
    for (let n = 0; n < 200; n++) {
      const fields = { name: `学员 ${n}`, email: `person-${n}@example.com`, consent: 'yes' }
      const challenge = await world.request(`/api/v1/workshops/${guarded.slug}/challenge`, {
        headers: { 'Idempotency-Key': `key-of-person-${n}` },
      })
      const answer = await submitForm(world, `/w/${plain.slug}`, fields)
      expect([n, challenge.status, answer.status]).toEqual([n, 200, 303])
    }
    expect(await world.db.$count(registrations)).toBe(200)
  }, 120_000)

  test('are let through by the limits of the Worker too', async () => {
    const settings = await readFile(join(root, 'wrangler.toml'), 'utf8')
    for (const name of ['LIMIT_REGISTER', 'LIMIT_CHALLENGE']) {
      const [, limit, period] =
        new RegExp(`name = "${name}"\\n.*\\nsimple = \\{ limit = (\\d+), period = (\\d+) \\}`).exec(settings) ?? []
      expect([name, period, Number(limit) >= 200]).toEqual([name, '60', true])
    }
  })
})

/** Does what a stranger can do with a mailbox, again and again over a day, and counts what arrives there. */
async function attackMailbox(
  attack: (world: World, round: number, deliver: () => Promise<unknown>) => Promise<unknown>,
) {
  await using mail = await startMailServer()
  await using world = await createWorld({
    env: { SMTP_URL: mail.url, MAIL_FROM: 'Workshops <workshops@example.com>' },
  })
  const transport = createPooledTransport(world.deps.config)
  if (!transport) throw new Error('there is no mail server')
  const deliver = () => deliverDueMails(world.deps, transport)
  for (let round = 0; round < 40; round++) {
    await attack(world, round, deliver)
    await deliver()
    // More than the ten minutes for which a ticket is not mailed again.
    world.clock.advance({ minutes: 11 })
  }
  transport.close()
  return mail.mails.filter(({ to }) => to[0]?.toLowerCase() === victim).length
}

const victim = 'victim@example.com'
const formFields = { name: '陌生人', email: victim, consent: 'yes' }

/** Signs the mailbox up for a new workshop; gives the ticket, if there is one. */
async function signUpVictim(world: World, email = victim): Promise<string | undefined> {
  const { slug } = await world.workshop()
  return (await submitForm(world, `/w/${slug}`, { ...formFields, email })).headers.get('location') ?? undefined
}

describe('a stranger cannot fill a mailbox', () => {
  test('by registering it for one workshop after the other', async () => {
    expect(await attackMailbox((world) => signUpVictim(world))).toBe(10)
  }, 60_000)

  test('by registering it again and again, for the same one', async () => {
    let slug: string
    const arrived = await attackMailbox(async (world) => {
      slug ??= (await world.workshop()).slug
      await submitForm(world, `/w/${slug}`, formFields)
    })
    expect(arrived).toBe(10)
  }, 60_000)

  test('by having its tickets looked for', async () => {
    const arrived = await attackMailbox(async (world, round) => {
      if (round === 0) await signUpVictim(world)
      await postForm(world, '/find', { email: victim })
    })
    expect(arrived).toBe(10)
  }, 60_000)

  test('by registering and cancelling: twice as many at the most', async () => {
    const arrived = await attackMailbox(async (world, _round, deliver) => {
      const ticket = await signUpVictim(world)
      await deliver()
      if (ticket) await postForm(world, `${ticket}/cancel`, {})
    })
    expect(arrived).toBe(20)
  }, 60_000)

  test('by correcting other registrations to it', async () => {
    const arrived = await attackMailbox(async (world, round) => {
      const ticket = await signUpVictim(world, `stranger-${round}@example.com`)
      await postForm(world, `${ticket}/email`, { email: victim })
    })
    // Half as many: what went to the wrong address before is counted where the registration is now.
    expect(arrived).toBe(5)
  }, 60_000)

  test('by registering it and correcting it away, so that the next one counts as the first', async () => {
    const arrived = await attackMailbox(async (world, round, deliver) => {
      const ticket = await signUpVictim(world)
      await deliver()
      if (ticket) await postForm(world, `${ticket}/email`, { email: `stranger-${round}@example.com` })
    })
    // Ten, and one more for each of the three times that a mailbox may be corrected away in a day.
    expect(arrived).toBe(13)
  }, 60_000)

  test('by moving it to and fro', async () => {
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

  test('by sign-ups that are held', async () => {
    let slug: string
    const arrived = await attackMailbox(async (world) => {
      slug ??= (await world.workshop({ proofOfWork: true })).slug
      await submitForm(world, `/w/${slug}`, formFields)
    })
    expect(arrived).toBe(10)
  }, 60_000)

  test('by all of these in turn', async () => {
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
