import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerSession } from 'smtp-server'

/** Where in the conversation something may happen: `data` is before the text of the message, `message` after it. */
export type Step = 'greeting' | 'auth' | 'sender' | 'recipient' | 'data' | 'message'

/** A refusal with a code of RFC 5321 and perhaps its text, a connection that is cut, or one that says no more. */
export type Mishap = number | [code: number, text: string] | 'drop' | 'hang'

/**
 * A message that the server took: its envelope, its text as it came and as mail programs read it.
 * `cut`: the connection was cut before the server could say that it took it.
 */
export type Received<Mail = ParsedMail> = { from: string; to: string[]; source: string; mail: Mail; cut: boolean }

export type MailServer<Mail = ParsedMail> = AsyncDisposable & {
  /** For SMTP_URL. */
  url: string
  mails: Received<Mail>[]
  /** What goes wrong, asked at every step from `sender` on with its or the recipient's address. Nothing, unless a test sets it. */
  mishap: (step: Step, address?: string) => Mishap | undefined
  /** How often each step was reached. */
  reached: Record<Step, number>
  /** Waits until so many mails are there. */
  received(count: number): Promise<Received<Mail>[]>
  /** Takes the server away: connections are cut, new ones refused. */
  stop(): Promise<void>
  /** Brings it back on the same port, with another certificate if one is named. */
  start(certificate?: Certificate): Promise<void>
}

/** The host that a certificate of `certificates/authority.pem` is for. */
export type Certificate = 'localhost' | 'elsewhere.example'

/** How the connection is encrypted: at once, as on port 465, or by STARTTLS, as on port 587. */
export type Encryption = { mode: 'implicit' | 'starttls'; certificate: Certificate }

/**
 * Starts a real mail server on 127.0.0.1, which takes every mail and keeps it.
 * @param login it then wants this user name and password
 * @param read how a mail is read; as mail programs do, unless there are so many that it would take too long
 * @param encryption its address then has a host name, which the certificate may be for
 */
export async function startMailServer<Mail = ParsedMail>(
  login?: { user: string; password: string },
  read: (source: Buffer) => Promise<Mail> = simpleParser as never,
  encryption?: Encryption,
): Promise<MailServer<Mail>> {
  const waiting: (() => void)[] = []
  let server: SMTPServer
  let port = 0

  const mailServer: MailServer<Mail> = {
    url: '',
    mails: [],
    mishap: () => undefined,
    reached: { greeting: 0, auth: 0, sender: 0, recipient: 0, data: 0, message: 0 },
    async received(count) {
      while (mailServer.mails.length < count) await new Promise<void>((arrived) => waiting.push(arrived))
      return mailServer.mails
    },
    async start(certificate = encryption?.certificate) {
      server = createServer(certificate)
      // A client that is killed resets its connection.
      server.on('error', () => {})
      const listening = server.listen(port, '127.0.0.1')
      await once(listening, 'listening')
      port = (listening.address() as AddressInfo).port
      const who = login ? `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}@` : ''
      const scheme = encryption?.mode === 'implicit' ? 'smtps' : 'smtp'
      mailServer.url = `${scheme}://${who}${encryption ? 'localhost' : '127.0.0.1'}:${port}`
    },
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(resolve))
      for (const connection of server.connections) connection._socket.destroy()
      await closed
    },
    [Symbol.asyncDispose]: () => mailServer.stop(),
  }

  /** Goes on with the conversation, unless something goes wrong here. */
  function reach(step: Step, session: SMTPServerSession, goOn: (error?: Error) => void, address?: string) {
    mailServer.reached[step]++
    const mishap = mailServer.mishap(step, address)
    if (mishap === undefined) goOn()
    else if (mishap === 'drop') cut(session)
    else if (mishap !== 'hang') goOn(refusal(mishap))
    return mishap
  }

  function cut(session: SMTPServerSession) {
    for (const connection of server.connections) if (connection.session === session) connection._socket.destroy()
  }

  function createServer(certificate?: Certificate) {
    return new SMTPServer({
      ...(certificate
        ? { secure: encryption?.mode === 'implicit', ...readCertificate(certificate) }
        : { disabledCommands: ['STARTTLS'] }),
      authOptional: !login,
      allowInsecureAuth: true,
      disableReverseLookup: true,
      logger: false,
      onConnect: (session, answer) => reach('greeting', session, answer),
      onAuth: ({ username, password }, session, answer) =>
        reach('auth', session, (error) => {
          const known = username === login?.user && password === login?.password
          answer(error ?? (known ? null : refusal(535)), { user: username })
        }),
      onMailFrom: ({ address }, session, answer) => reach('sender', session, answer, address),
      onRcptTo: ({ address }, session, answer) => reach('recipient', session, answer, address),
      onData: (stream, session, answer) =>
        reach(
          'data',
          session,
          async (error) => {
            if (error) return answer(error)
            const source = await buffer(stream).catch(() => undefined)
            // A client that disconnected during the message gets no reply.
            if (source) await take(source, session, answer)
          },
          session.envelope.rcptTo[0]?.address,
        ),
    })
  }

  /** A message whose connection is cut after its last line counts as taken, as it does with real servers. */
  async function take(source: Buffer, session: SMTPServerSession, answer: (error?: Error) => void) {
    const { mailFrom, rcptTo } = session.envelope
    const received = {
      from: mailFrom ? mailFrom.address : '',
      to: rcptTo.map(({ address }) => address),
      source: source.toString('latin1'),
      mail: await read(source),
    }
    const mishap = reach('message', session, answer, received.to[0])
    if (mishap !== undefined && mishap !== 'drop') return
    mailServer.mails.push({ ...received, cut: mishap === 'drop' })
    for (const arrived of waiting.splice(0)) arrived()
  }

  await mailServer.start()
  return mailServer
}

/** The file of the authority that certificates are made by: see certificates/make.sh. */
export const authorityFile = fileURLToPath(new URL('certificates/authority.pem', import.meta.url))

function readCertificate(host: Certificate) {
  const read = (file: string) => readFileSync(new URL(`certificates/${file}`, import.meta.url))
  return { cert: read(`${host}.pem`), key: read(`${host}.key`) }
}

function refusal(mishap: number | [number, string]): Error {
  const [responseCode, text] = typeof mishap === 'number' ? [mishap, 'refused by the test'] : mishap
  return Object.assign(new Error(text), { responseCode })
}
