import { type BenchContext, type Service, signUpPath } from '../context.ts'
import { fillDatabase } from '../fill-database.ts'
import { cpuSeconds, siblingProcesses } from '../linux.ts'
import { measureAlternately, median } from '../statistics.ts'
import { comparison, measurement, type Row } from '../table.ts'
import { measureSignUpRate, warmUp } from './sign-ups.ts'

/** Seconds in which what is owed has to be there. */
const deliveryTimeoutSeconds = 90

/**
 * Mails a second to a mail server on this machine: alone, then beside registrations, which are compared with those of a
 * process that sends none; then from two processes at once.
 */
export async function measureMail(context: BenchContext): Promise<Row[]> {
  const { sizes, rounds, mailSink } = context
  const withMail = { SMTP_URL: mailSink.url, MAIL_FROM: 'Workshops <workshops@example.com>' }
  const withoutMail = await context.service('quiet')
  const withMailService = await context.service('mailing', withMail)
  const templateId = await createTemplateMail(context, withMailService)
  let backlogs = 0
  const enqueueMails = (mails: number) =>
    fillDatabase(withMailService.sql, templateId, {
      slug: `owed-${++backlogs}`,
      workshops: 1,
      registrationsEach: mails,
      mails: 'pending',
    })

  for (const service of [withoutMail, withMailService]) await warmUp(context, service)
  await discardQueuedMails(withMailService)

  /** Processor for each mail, in microseconds. */
  const cpuMicros = { service: [] as number[], postgres: [] as number[], server: [] as number[] }
  const readCpu = () => readCpuTimes(context, withMailService)
  context.log(`mail: ${rounds} rounds`)
  const ratesDuringSignUps: number[] = []
  const rates = await measureAlternately(rounds, {
    alone: async () => {
      await enqueueMails(sizes.mails)
      const before = await readCpu()
      const perSecond = await measureDeliveryRate(context, [withMailService], sizes.mails)
      const after = await readCpu()
      for (const who of typedKeys(cpuMicros)) cpuMicros[who].push(((after[who] - before[who]) / sizes.mails) * 1e6)
      return perSecond
    },
    quiet: () => measureSignUpRate(context, withoutMail, 1, sizes.signUps / 2),
    registrations: async () => {
      // More than can go out meanwhile.
      await enqueueMails(sizes.mails * 2)
      await mailSink.call('reset', undefined)
      const perSecond = await measureSignUpRate(context, withMailService, 1, sizes.signUps / 2)
      ratesDuringSignUps.push((await mailSink.call('tally', undefined)).perSecond)
      await discardQueuedMails(withMailService)
      return perSecond
    },
  })

  context.log('mail: two processes')
  const second = await context.service('mailing', { ...withMail, FOOTER: 'the second process' })
  await mailSink.call('reset', undefined)
  const first = (await withMailService.sql`select max(id) as id from mails`)[0]?.id
  await enqueueMails(sizes.mails * 2)
  const combinedRate = await measureDeliveryRate(context, [withMailService, second], sizes.mails * 2)
  const { twice: duplicates, sample } = await mailSink.call('tally', undefined)
  const [{ again: retried }] = await withMailService.sql<
    [{ again: number }]
  >`select count(*)::int as again from mails where id > ${first} and attempt > 1`
  for (const part of ['text/calendar', 'image/png', 'text/html', 'text/plain']) {
    if (!sample.includes(`Content-Type: ${part}`)) throw new Error(`a mail came without ${part}`)
  }

  return [
    measurement({
      item: 'mail',
      what: `delivered by one process, ${Math.round(sample.length / 1000)} kB each`,
      unit: '/s',
      figure: rates.alone,
      bar: { atLeast: 300 },
      note: `processor for each: service ${Math.round(median(cpuMicros.service))} µs, Postgres ${Math.round(median(cpuMicros.postgres))} µs, mail server ${Math.round(median(cpuMicros.server))} µs`,
    }),
    measurement({
      item: 'mail',
      what: 'delivered beside registrations',
      unit: '/s',
      figure: ratesDuringSignUps,
      bar: { atLeast: 300 },
    }),
    comparison({
      item: 'mail',
      what: 'registrations beside mail',
      unit: '/s',
      figure: rates.registrations,
      baseline: rates.quiet,
      against: '/s without mail',
      bar: { atLeast: 2 / 3 },
    }),
    measurement({ item: 'mail', what: 'delivered by two processes', unit: '/s', figure: combinedRate }),
    measurement({
      item: 'mail',
      what: 'claimed or delivered twice by two processes',
      unit: 'mails',
      figure: duplicates + retried,
      bar: { atMost: 0 },
    }),
  ]
}

/** A registration whose mail went out, for the others to be copies of. */
async function createTemplateMail(context: BenchContext, service: Service): Promise<string> {
  await signUpOnePerson(context, service)
  await context.mailSink.call('received', { count: 1, seconds: deliveryTimeoutSeconds })
  const [{ id }] = await service.sql<[{ id: string }]>`select id from registrations`
  return id
}

/** Has these processes deliver what is owed. Each is woken by somebody who signs up, and owes one mail more. */
async function measureDeliveryRate(context: BenchContext, services: Service[], queued: number): Promise<number> {
  const { mailSink } = context
  await mailSink.call('reset', undefined)
  for (const service of services) await signUpOnePerson(context, service)
  const { perSecond } = await mailSink.call('received', {
    count: queued + services.length,
    seconds: deliveryTimeoutSeconds,
  })
  return perSecond
}

/** Seconds of processor that the service, Postgres and the mail server took so far. */
async function readCpuTimes({ mailSink }: BenchContext, { pid, sql }: Service) {
  const [{ backend }] = await sql<[{ backend: number }]>`select pg_backend_pid() as backend`
  return {
    service: cpuSeconds([pid]),
    postgres: cpuSeconds(siblingProcesses(backend)),
    server: cpuSeconds([mailSink.pid]),
  }
}

const typedKeys = <Of extends object>(of: Of) => Object.keys(of) as (keyof Of)[]

async function signUpOnePerson(context: BenchContext, service: Service): Promise<void> {
  const [slug = ''] = await service.publishWorkshops(1, 1)
  await service.sendLoad(
    { kind: 'sign-ups', paths: [signUpPath(slug)], count: 1, first: context.reservePeople(1) },
    1,
    201,
  )
}

/** Takes back what is owed and waits until nothing is on its way. */
async function discardQueuedMails({ sql }: Service): Promise<void> {
  for (;;) {
    await sql`update mails set state = 'sent', sent_at = now() where state = 'pending'`
    const [{ sending }] = await sql<
      [{ sending: number }]
    >`select count(*)::int as sending from mails where state = 'sending'`
    if (sending === 0) return
  }
}
