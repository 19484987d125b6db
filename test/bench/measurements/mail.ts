import { type BenchContext, type Service, signUpPath } from '../context.ts'
import { fillDatabase } from '../fill-database.ts'
import { cpuSeconds, siblingProcesses } from '../linux.ts'
import { measureAlternately, median } from '../statistics.ts'
import { comparison, measurement, type Row } from '../table.ts'
import { measureSignUpRate, warmUp } from './sign-ups.ts'

/** Time limit for delivering the queued mails, in seconds. */
const deliveryTimeoutSeconds = 90

/**
 * Mails per second to a local mail server: without other load, during registrations, which are compared with a process
 * that sends no mail, and from two processes at once.
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
      slug: `backlog-${++backlogs}`,
      workshops: 1,
      registrationsEach: mails,
      mails: 'pending',
    })

  for (const service of [withoutMail, withMailService]) await warmUp(context, service)
  await discardQueuedMails(withMailService)

  /** CPU time per mail, in microseconds. */
  const cpuMicros = { service: [] as number[], postgres: [] as number[], server: [] as number[] }
  const readCpu = () => readCpuTimes(context, withMailService)
  context.log(`mail: ${rounds} rounds`)
  const ratesDuringSignUps: number[] = []
  const rates = await measureAlternately(rounds, {
    mailOnly: async () => {
      await enqueueMails(sizes.mails)
      const before = await readCpu()
      const perSecond = await measureDeliveryRate(context, [withMailService], sizes.mails)
      const after = await readCpu()
      for (const program of typedKeys(cpuMicros))
        cpuMicros[program].push(((after[program] - before[program]) / sizes.mails) * 1e6)
      return perSecond
    },
    withoutMail: () => measureSignUpRate(context, withoutMail, 1, sizes.signUps / 2),
    registrations: async () => {
      // More than can be delivered meanwhile.
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
  const { duplicates, sample } = await mailSink.call('tally', undefined)
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
      figure: rates.mailOnly,
      bar: { atLeast: 300 },
      note: `CPU per mail: service ${Math.round(median(cpuMicros.service))} µs, Postgres ${Math.round(median(cpuMicros.postgres))} µs, mail server ${Math.round(median(cpuMicros.server))} µs`,
    }),
    measurement({
      item: 'mail',
      what: 'delivered during registrations',
      unit: '/s',
      figure: ratesDuringSignUps,
      bar: { atLeast: 300 },
    }),
    comparison({
      item: 'mail',
      what: 'registrations during delivery',
      unit: '/s',
      figure: rates.registrations,
      baseline: rates.withoutMail,
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

/** A registration with a delivered mail, the template for the others. */
async function createTemplateMail(context: BenchContext, service: Service): Promise<string> {
  await signUpOnePerson(context, service)
  await context.mailSink.call('received', { count: 1, seconds: deliveryTimeoutSeconds })
  const [{ id }] = await service.sql<[{ id: string }]>`select id from registrations`
  return id
}

/** Lets these processes deliver the queued mails. A sign-up wakes each process and enqueues one mail more. */
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

/** CPU time of the service, Postgres and the mail server so far, in seconds. */
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

/** Marks the queued mails as sent and waits until no delivery is in progress. */
async function discardQueuedMails({ sql }: Service): Promise<void> {
  for (;;) {
    await sql`update mails set state = 'sent', sent_at = now() where state = 'pending'`
    const [{ sending }] = await sql<
      [{ sending: number }]
    >`select count(*)::int as sending from mails where state = 'sending'`
    if (sending === 0) return
  }
}
