import { parse } from 'csv-parse/sync'
import readExcelFile from 'read-excel-file/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestPostgres } from '../support/databases/databases.ts'
import { type Person, publishWorkshop, signUp } from '../support/http/concurrent-sign-ups.ts'
import { createProof } from '../support/http/proof-of-work.ts'
import { type MailServer, startMailServer } from '../support/mail/smtp-server.ts'
import { cliCommand, runProgram } from '../support/processes/processes.ts'
import { startServer } from '../support/processes/server.ts'
import { startWorker } from '../support/processes/workerd.ts'

type Service = { url: string; request(path: string, init?: RequestInit): Promise<Response> }
type RunningService = { service: Service; token: string }

const secret = 'a secret of the black-box suite only'

const mailSettings = (mail: MailServer) => ({ SMTP_URL: mail.url, MAIL_FROM: 'Workshops <workshops@example.com>' })

/** The three deployments, each sending mail to a local SMTP server. */
const deployments: Record<string, (mail: MailServer, run: AsyncDisposableStack) => Promise<RunningService>> = {
  async 'Node with PGlite'(mail, run) {
    const server = run.use(await startServer({ ...mailSettings(mail), RATE_LIMIT: 'off' }))
    const { stdout } = await server.cli('token', 'create', '--name', 'suite', '--role', 'organiser')
    return { service: server, token: stdout.trim() }
  },
  async 'Node with Postgres'(mail, run) {
    const database = await openTestPostgres()
    run.defer(() => database.close())
    const env = { ...mailSettings(mail), DATABASE_URL: database.url, SECRET: secret, RATE_LIMIT: 'off' }
    const server = run.use(await startServer(env))
    const { stdout } = await server.cli('token', 'create', '--name', 'suite', '--role', 'organiser')
    return { service: server, token: stdout.trim() }
  },
  async 'a Worker in workerd with Postgres'(mail, run) {
    const database = await openTestPostgres()
    run.defer(() => database.close())
    const created = await runProgram([...cliCommand, 'token', 'create', '--name', 'suite', '--role', 'organiser'], {
      DATABASE_URL: database.url,
      SECRET: secret,
    })
    const vars = { ...mailSettings(mail), SECRET: secret, RATE_LIMIT: 'off', BASE_URL: 'http://127.0.0.1' }
    return { service: run.use(await startWorker(database.url, vars)), token: created.stdout.trim() }
  },
}

describe.each(Object.entries(deployments))('%s', (_, start) => {
  const run = new AsyncDisposableStack()
  let mail: MailServer
  let service: Service
  let token: string
  let workshops = 0

  beforeAll(async () => {
    mail = run.use(await startMailServer())
    ;({ service, token } = await start(mail, run))
  }, 90_000)
  afterAll(() => run.disposeAsync())

  /** Publishes a workshop for one test, with people whose addresses are unique to it. */
  async function newWorkshop(capacity: number, proofOfWork = false) {
    const slug = `w${++workshops}`
    await publishWorkshop(service, token, { slug, capacity, proofOfWork })
    const person = (name: string): Person => ({ name, email: `${slug}-${name}@example.com`, key: crypto.randomUUID() })
    return { slug, person }
  }

  async function mailTo(email: string, subject: RegExp) {
    for (;;) {
      const found = mail.mails.find(({ to, mail }) => to.includes(email) && subject.test(mail.subject ?? ''))
      if (found) return found.mail
      await mail.waitForMails(mail.mails.length + 1)
    }
  }

  const availability = async (slug: string) =>
    (await service.request(`/api/v1/workshops/${slug}/availability?fresh=${crypto.randomUUID()}`)).json()

  test('a sign-up gets a ticket and a confirmation mail with QR and calendar entry', async () => {
    const { slug, person } = await newWorkshop(2)
    const reply = await signUp(service, slug, person('wang'))
    expect(reply).toMatchObject({ status: 201, body: { status: 'confirmed', position: null } })
    const confirmation = await mailTo(person('wang').email, /RT-Thread/)
    expect(confirmation.attachments.map(({ contentType }) => contentType)).toEqual(
      expect.arrayContaining(['image/png', 'text/calendar']),
    )
    const ticketUrl = reply?.body.ticketUrl ?? ''
    expect(confirmation.text).toContain(ticketUrl)
    const ticket = await service.request(new URL(ticketUrl).pathname)
    expect(ticket.status).toBe(200)
    expect(await ticket.text()).toContain('wang')
    const qr = await service.request(`${new URL(ticketUrl).pathname}/qr.png`)
    expect(qr.headers.get('content-type')).toBe('image/png')
  })

  test('a repeated sign-up returns only already_registered and mails the ticket', async () => {
    const { slug, person } = await newWorkshop(2)
    await signUp(service, slug, person('li'))
    const again = await signUp(service, slug, { ...person('li'), name: 'stranger' })
    expect(again).toMatchObject({ status: 409, body: { code: 'already_registered' } })
    expect(JSON.stringify(again?.body)).not.toMatch(/ticket|confirmed|"id"/)
    await mailTo(person('li').email, /票|凭证|ticket/i)
  })

  test('a retry with the same key returns the same result', async () => {
    const { slug, person } = await newWorkshop(1)
    const attendee = person('zhao')
    const first = await signUp(service, slug, attendee)
    expect(await signUp(service, slug, attendee)).toEqual(first)
  })

  test('a workshop with proofOfWork accepts a valid proof and rejects a missing or wrong one', async () => {
    const { slug, person } = await newWorkshop(2, true)
    const attendee = person('qian')
    expect(await signUp(service, slug, attendee)).toMatchObject({ status: 422, body: { code: 'invalid' } })
    const proof = await createProof(service, slug, attendee.key)
    expect(await signUp(service, slug, { ...person('sun'), proof })).toMatchObject({ status: 422 })
    const first = await signUp(service, slug, { ...attendee, proof })
    expect(first).toMatchObject({ status: 201, body: { status: 'confirmed' } })
    expect((await signUp(service, slug, { ...attendee, proof }))?.body).toEqual(first?.body)
  })

  test('a sign-up for a full workshop is waitlisted and gets the next freed seat', async () => {
    const { slug, person } = await newWorkshop(1)
    const first = await signUp(service, slug, person('first'))
    expect(await signUp(service, slug, person('second'))).toMatchObject({ body: { status: 'waitlisted', position: 1 } })
    expect(await signUp(service, slug, person('third'))).toMatchObject({ body: { status: 'waitlisted', position: 2 } })
    const ticket = new URL(first?.body.ticketUrl ?? '').pathname
    const cancelled = await service.request(`${ticket}/cancel`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: service.url },
      body: '',
    })
    expect(cancelled.status).toBe(303)
    await mailTo(person('first').email, /取消/)
    const promotion = await mailTo(person('second').email, /名额/)
    expect(promotion.attachments.map(({ contentType }) => contentType)).toContain('image/png')
    expect(mail.mails.filter(({ to }) => to.includes(person('third').email))).toHaveLength(1)
  })

  test('availability counts seats and the waitlist', async () => {
    const { slug, person } = await newWorkshop(1)
    await signUp(service, slug, person('one'))
    await signUp(service, slug, person('two'))
    await expect
      .poll(() => availability(slug), { timeout: 5_000 })
      .toEqual({ slug, capacity: 1, taken: 1, seatsLeft: 0, waitlisted: 1, status: 'waitlist' })
  })

  test('the attendee list is available as CSV and XLSX', async () => {
    const { slug, person } = await newWorkshop(1)
    await signUp(service, slug, { ...person('x'), name: '王小明' })
    await signUp(service, slug, person('y'))
    const answer = await service.request(`/api/v1/workshops/${slug}/registrations.csv`, {
      headers: { Authorization: `Bearer ${token}` },
    })
    const table = parse(await answer.text(), { bom: true }) as string[][]
    expect(table).toHaveLength(3)
    expect(table[1]).toEqual(expect.arrayContaining(['王小明', person('x').email]))
    const workbook = await service.request(`/api/v1/workshops/${slug}/registrations.xlsx`, {
      headers: { Authorization: `Bearer ${token}` },
    })
    const [sheet] = await readExcelFile(Buffer.from(await workbook.arrayBuffer()))
    expect(sheet?.data).toHaveLength(3)
    expect((await service.request(`/api/v1/workshops/${slug}/registrations.csv`)).status).toBe(401)
  })
})
