import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { createTransport } from 'nodemailer'
import type { SMTPTransportGetSocket } from 'nodemailer/lib/smtp-transport'
import type { Config } from '../lib/config.ts'
import type { Message } from './message.ts'
import { serializeMime } from './mime.ts'
import { classifySmtpError, type DeliveryResult, type SmtpFailure } from './smtp-result.ts'

/** A way to a mail server. */
export type Transport = {
  /** How many messages it sends at once. */
  concurrency: number
  /** Sends a message to its one recipient. Never throws. Once the signal aborts, the attempt ends. */
  send(message: Message, signal: AbortSignal): Promise<DeliveryResult>
  /** Closes what is open; messages that are being sent are cut off. */
  close(): void
}

/** In milliseconds. */
export type Timeouts = { connect: number; socket: number }

/** The mail server of SMTP_URL over connections that are kept, for Node. Undefined where none is set. */
export function createPooledTransport(config: Pick<Config, 'smtpUrl'>, timeouts?: Timeouts): Transport | undefined {
  if (!config.smtpUrl) return undefined
  const mailer = bufferedMime(
    createTransport({
      ...smtpOptions(config.smtpUrl, timeouts),
      pool: true,
      maxConnections: 5,
      // Once, for a kept connection that the server closed meanwhile. All else is tried again by the schedule of the mails.
      maxRequeues: 1,
    }),
  )
  return {
    concurrency: 5,
    send: (message, signal) => sendOnce(mailer, message, signal),
    close: () => mailer.transporter.close?.({ force: true }),
  }
}

/** The mail server of SMTP_URL with a connection per message, for Workers, where none may outlive its request. */
export function createSingleTransport(config: Pick<Config, 'smtpUrl'>, timeouts?: Timeouts): Transport | undefined {
  if (!config.smtpUrl) return undefined
  const mailer = bufferedMime(createTransport({ ...smtpOptions(config.smtpUrl, timeouts), getSocket: connectByName }))
  return {
    // A Worker may hold six connections, and the database has some of them.
    concurrency: 2,
    send: (message, signal) => sendOnce(mailer, message, signal),
    close: () => mailer.close(),
  }
}

function smtpOptions(url: string, { connect, socket }: Timeouts = { connect: 10_000, socket: 30_000 }) {
  return {
    url,
    dnsTimeout: connect,
    connectionTimeout: connect,
    greetingTimeout: connect,
    socketTimeout: socket,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

/**
 * Connects to the mail server by its host name. Nodemailer resolves the name and connects to an address, and workerd then
 * checks the certificate of an `smtps://` server against that address. Resolving is also a request of its own there.
 */
const connectByName: SMTPTransportGetSocket = (options, done) => {
  const { host = 'localhost', secure, tls: tlsOptions, connectionTimeout } = options
  let socket: Socket
  try {
    socket = secure
      ? connectTls({ ...tlsOptions, host, port: Number(options.port ?? 465) })
      : connect({ host, port: Number(options.port ?? 587) })
  } catch (error) {
    done(connectionError(error))
    return
  }
  function settle(error?: Error) {
    clearTimeout(timer)
    socket.off('error', settle).off('close', closed)
    if (!error) return done(null, { connection: socket, secured: secure })
    // In workerd a socket that is destroyed before it is connected emits nothing.
    socket.on('error', () => {}).destroy()
    done(connectionError(error))
  }
  const closed = () => settle(new Error('Connection closed'))
  const timer = setTimeout(() => settle(new Error('Connection timeout')), connectionTimeout)
  socket.once('error', settle).once('close', closed)
  socket.once(secure ? 'secureConnect' : 'connect', () => settle())
}

/** Marks an error as nodemailer marks those of a failed connection, for the verdict. */
function connectionError(error: unknown): Error {
  return Object.assign(error instanceof Error ? error : new Error(String(error)), { command: 'CONN' })
}

type Mailer = ReturnType<typeof createTransport>
type OutgoingMail = Message & { textEncoding: 'base64'; signal: AbortSignal; onDataStart(): void }

/**
 * Has a message written at once, and say when its text begins to be read, which is when a session is there that it goes
 * into.
 */
function bufferedMime<Any extends Pick<Mailer, 'use'>>(mailer: Any): Any {
  mailer.use('stream', ({ data, message }, done) => {
    if (message) {
      message.createReadStream = () => {
        ;(data as unknown as OutgoingMail).onDataStart()
        return Readable.from([Buffer.from(serializeMime(message))], { objectMode: false })
      }
    }
    done()
  })
  return mailer
}

async function sendOnce(
  mailer: { sendMail(mail: OutgoingMail): Promise<unknown> },
  message: Message,
  signal: AbortSignal,
): Promise<DeliveryResult> {
  let dataStarted = false
  try {
    await mailer.sendMail({
      ...message,
      // Shorter than quoted-printable for Chinese, and done by the platform.
      textEncoding: 'base64',
      signal,
      onDataStart() {
        dataStarted = true
      },
    })
    return { kind: 'sent' }
  } catch (error) {
    return classifySmtpError(error as SmtpFailure, message.to.address, dataStarted)
  }
}
