import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerSession } from 'smtp-server'

/** Steps of the SMTP dialogue at which a fault can occur: `data` is before the message text, `message` after it. */
export type SmtpStep = 'greeting' | 'auth' | 'sender' | 'recipient' | 'data' | 'message'

/** A rejection with an RFC 5321 code and optional text, a dropped connection, or one that hangs. */
export type SmtpFault = number | [code: number, text: string] | 'drop' | 'hang'

/**
 * A message that the server accepted: its envelope, its source and its parsed content.
 * `connectionDropped`: the connection was dropped before the server could acknowledge it.
 */
export type ReceivedMail<Mail = ParsedMail> = {
  from: string
  to: string[]
  source: string
  mail: Mail
  connectionDropped: boolean
}

export type MailServer<Mail = ParsedMail> = AsyncDisposable & {
  /** For SMTP_URL. */
  url: string
  mails: ReceivedMail<Mail>[]
  /** Fault to inject, called at each step from `sender` on with the sender's or recipient's address. None by default. */
  injectFault: (step: SmtpStep, address?: string) => SmtpFault | undefined
  /** How often each step was reached. */
  stepCounts: Record<SmtpStep, number>
  /** Waits until this many mails have arrived. */
  waitForMails(count: number): Promise<ReceivedMail<Mail>[]>
  /** Stops the server: connections are dropped, new ones refused. */
  stop(): Promise<void>
  /** Restarts it on the same port, with another certificate if one is given. */
  start(certificate?: Certificate): Promise<void>
}

/** Host name of a certificate issued by `certificates/authority.pem`. */
export type Certificate = 'localhost' | 'elsewhere.example'

/** Encryption: implicit TLS, as on port 465, or STARTTLS, as on port 587. */
export type Encryption = { mode: 'implicit' | 'starttls'; certificate: Certificate }

/**
 * Starts a real mail server on 127.0.0.1 that accepts and keeps every mail.
 * @param credentials required user name and password
 * @param parseMail how mails are parsed; the full parser is too slow for thousands
 * @param encryption uses a host name in the URL, which the certificate may match
 */
export async function startMailServer<Mail = ParsedMail>(
  credentials?: { user: string; password: string },
  parseMail: (source: Buffer) => Promise<Mail> = simpleParser as never,
  encryption?: Encryption,
): Promise<MailServer<Mail>> {
  const waiters: (() => void)[] = []
  let server: SMTPServer
  let port = 0

  const mailServer: MailServer<Mail> = {
    url: '',
    mails: [],
    injectFault: () => undefined,
    stepCounts: { greeting: 0, auth: 0, sender: 0, recipient: 0, data: 0, message: 0 },
    async waitForMails(count) {
      while (mailServer.mails.length < count) await new Promise<void>((notify) => waiters.push(notify))
      return mailServer.mails
    },
    async start(certificate = encryption?.certificate) {
      server = createServer(certificate)
      // Killed clients reset their connection.
      server.on('error', () => {})
      const listening = server.listen(port, '127.0.0.1')
      await once(listening, 'listening')
      port = (listening.address() as AddressInfo).port
      const userInfo = credentials
        ? `${encodeURIComponent(credentials.user)}:${encodeURIComponent(credentials.password)}@`
        : ''
      const scheme = encryption?.mode === 'implicit' ? 'smtps' : 'smtp'
      mailServer.url = `${scheme}://${userInfo}${encryption ? 'localhost' : '127.0.0.1'}:${port}`
    },
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(resolve))
      for (const connection of server.connections) connection._socket.destroy()
      await closed
    },
    [Symbol.asyncDispose]: () => mailServer.stop(),
  }

  /** Continues the dialogue, unless a fault is injected here. */
  function runStep(step: SmtpStep, session: SMTPServerSession, next: (error?: Error) => void, address?: string) {
    mailServer.stepCounts[step]++
    const fault = mailServer.injectFault(step, address)
    if (fault === undefined) next()
    else if (fault === 'drop') dropConnection(session)
    else if (fault !== 'hang') next(smtpError(fault))
    return fault
  }

  function dropConnection(session: SMTPServerSession) {
    for (const connection of server.connections) if (connection.session === session) connection._socket.destroy()
  }

  function createServer(certificate?: Certificate) {
    return new SMTPServer({
      ...(certificate
        ? { secure: encryption?.mode === 'implicit', ...readCertificate(certificate) }
        : { disabledCommands: ['STARTTLS'] }),
      authOptional: !credentials,
      allowInsecureAuth: true,
      disableReverseLookup: true,
      logger: false,
      onConnect: (session, callback) => runStep('greeting', session, callback),
      onAuth: ({ username, password }, session, callback) =>
        runStep('auth', session, (error) => {
          const isAuthenticated = username === credentials?.user && password === credentials?.password
          callback(error ?? (isAuthenticated ? null : smtpError(535)), { user: username })
        }),
      onMailFrom: ({ address }, session, callback) => runStep('sender', session, callback, address),
      onRcptTo: ({ address }, session, callback) => runStep('recipient', session, callback, address),
      onData: (stream, session, callback) =>
        runStep(
          'data',
          session,
          async (error) => {
            if (error) return callback(error)
            const source = await buffer(stream).catch(() => undefined)
            // A client that disconnected during the message gets no reply.
            if (source) await acceptMessage(source, session, callback)
          },
          session.envelope.rcptTo[0]?.address,
        ),
    })
  }

  /** A message whose connection is dropped after its last line counts as accepted, as with real servers. */
  async function acceptMessage(source: Buffer, session: SMTPServerSession, callback: (error?: Error) => void) {
    const { mailFrom, rcptTo } = session.envelope
    const received = {
      from: mailFrom ? mailFrom.address : '',
      to: rcptTo.map(({ address }) => address),
      source: source.toString('latin1'),
      mail: await parseMail(source),
    }
    const fault = runStep('message', session, callback, received.to[0])
    if (fault !== undefined && fault !== 'drop') return
    mailServer.mails.push({ ...received, connectionDropped: fault === 'drop' })
    for (const notify of waiters.splice(0)) notify()
  }

  await mailServer.start()
  return mailServer
}

/** The certificate authority file; see certificates/make.sh. */
export const authorityFile = fileURLToPath(new URL('certificates/authority.pem', import.meta.url))

function readCertificate(host: Certificate) {
  const read = (file: string) => readFileSync(new URL(`certificates/${file}`, import.meta.url))
  return { cert: read(`${host}.pem`), key: read(`${host}.key`) }
}

function smtpError(fault: number | [number, string]): Error {
  const [responseCode, text] = typeof fault === 'number' ? [fault, 'refused by the test'] : fault
  return Object.assign(new Error(text), { responseCode })
}
