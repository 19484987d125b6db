import { fill } from './fill.ts'
import { processorSeconds, siblingsOf } from './linux.ts'
import { signUpsPerSecond, warmUp } from './sign-ups.ts'
import { type Service, type Stage, signUpPath } from './stage.ts'
import { inTurn, median } from './statistics.ts'
import { compared, measured, type Row } from './table.ts'

/** Seconds in which what is owed has to be there. */
const patience = 90

/**
 * Mails a second to a mail server on this machine: alone, then beside registrations, which are compared with those of a
 * process that sends none; then from two processes at once.
 */
export async function measureMail(stage: Stage): Promise<Row[]> {
  const { sizes, rounds, sink } = stage
  const withMail = { SMTP_URL: sink.url, MAIL_FROM: 'Workshops <workshops@example.com>' }
  const quiet = await stage.service('quiet')
  const mailing = await stage.service('mailing', withMail)
  const like = await firstMail(stage, mailing)
  let backlogs = 0
  const owe = (mails: number) =>
    fill(mailing.sql, like, { slug: `owed-${++backlogs}`, workshops: 1, registrationsEach: mails, mails: 'pending' })

  for (const service of [quiet, mailing]) await warmUp(stage, service)
  await forgetMails(mailing)

  /** Processor for each mail, in microseconds. */
  const micros = { service: [] as number[], postgres: [] as number[], server: [] as number[] }
  const spent = () => processorOf(stage, mailing)
  stage.say(`mail: ${rounds} rounds`)
  const beside: number[] = []
  const rates = await inTurn(rounds, {
    alone: async () => {
      await owe(sizes.mails)
      const before = await spent()
      const perSecond = await deliveredPerSecond(stage, [mailing], sizes.mails)
      const after = await spent()
      for (const who of keysOf(micros)) micros[who].push(((after[who] - before[who]) / sizes.mails) * 1e6)
      return perSecond
    },
    quiet: () => signUpsPerSecond(stage, quiet, 1, sizes.signUps / 2),
    registrations: async () => {
      // More than can go out meanwhile.
      await owe(sizes.mails * 2)
      await sink.call('reset', undefined)
      const perSecond = await signUpsPerSecond(stage, mailing, 1, sizes.signUps / 2)
      beside.push((await sink.call('tally', undefined)).perSecond)
      await forgetMails(mailing)
      return perSecond
    },
  })

  stage.say('mail: two processes')
  const second = await stage.service('mailing', { ...withMail, FOOTER: 'the second process' })
  await sink.call('reset', undefined)
  const first = (await mailing.sql`select max(id) as id from mails`)[0]?.id
  await owe(sizes.mails * 2)
  const together = await deliveredPerSecond(stage, [mailing, second], sizes.mails * 2)
  const { twice, sample } = await sink.call('tally', undefined)
  const [{ again }] = await mailing.sql<
    [{ again: number }]
  >`select count(*)::int as again from mails where id > ${first} and attempt > 1`
  for (const part of ['text/calendar', 'image/png', 'text/html', 'text/plain']) {
    if (!sample.includes(`Content-Type: ${part}`)) throw new Error(`a mail came without ${part}`)
  }

  return [
    measured({
      item: 'mail',
      what: `delivered by one process, ${Math.round(sample.length / 1000)} kB each`,
      unit: '/s',
      figure: rates.alone,
      bar: { atLeast: 300 },
      note: `processor for each: service ${Math.round(median(micros.service))} µs, Postgres ${Math.round(median(micros.postgres))} µs, mail server ${Math.round(median(micros.server))} µs`,
    }),
    measured({
      item: 'mail',
      what: 'delivered beside registrations',
      unit: '/s',
      figure: beside,
      bar: { atLeast: 300 },
    }),
    compared({
      item: 'mail',
      what: 'registrations beside mail',
      unit: '/s',
      figure: rates.registrations,
      baseline: rates.quiet,
      against: '/s without mail',
      bar: { atLeast: 2 / 3 },
    }),
    measured({ item: 'mail', what: 'delivered by two processes', unit: '/s', figure: together }),
    measured({
      item: 'mail',
      what: 'claimed or delivered twice by two processes',
      unit: 'mails',
      figure: twice + again,
      bar: { atMost: 0 },
    }),
  ]
}

/** A registration whose mail went out, for the others to be copies of. */
async function firstMail(stage: Stage, service: Service): Promise<string> {
  await signUpOne(stage, service)
  await stage.sink.call('received', { count: 1, seconds: patience })
  const [{ id }] = await service.sql<[{ id: string }]>`select id from registrations`
  return id
}

/** Has these processes deliver what is owed. Each is woken by somebody who signs up, and owes one mail more. */
async function deliveredPerSecond(stage: Stage, services: Service[], owed: number): Promise<number> {
  const { sink } = stage
  await sink.call('reset', undefined)
  for (const service of services) await signUpOne(stage, service)
  const { perSecond } = await sink.call('received', { count: owed + services.length, seconds: patience })
  return perSecond
}

/** Seconds of processor that the service, Postgres and the mail server took so far. */
async function processorOf({ sink }: Stage, { pid, sql }: Service) {
  const [{ backend }] = await sql<[{ backend: number }]>`select pg_backend_pid() as backend`
  return {
    service: processorSeconds([pid]),
    postgres: processorSeconds(siblingsOf(backend)),
    server: processorSeconds([sink.pid]),
  }
}

const keysOf = <Of extends object>(of: Of) => Object.keys(of) as (keyof Of)[]

async function signUpOne(stage: Stage, service: Service): Promise<void> {
  const [slug = ''] = await service.publish(1, 1)
  await service.rush({ kind: 'sign-ups', paths: [signUpPath(slug)], count: 1, first: stage.people(1) }, 1, 201)
}

/** Takes back what is owed and waits until nothing is on its way. */
async function forgetMails({ sql }: Service): Promise<void> {
  for (;;) {
    await sql`update mails set state = 'sent', sent_at = now() where state = 'pending'`
    const [{ sending }] = await sql<
      [{ sending: number }]
    >`select count(*)::int as sending from mails where state = 'sending'`
    if (sending === 0) return
  }
}
