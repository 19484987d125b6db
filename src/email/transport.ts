import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { createTransport } from 'nodemailer'
import type { SMTPTransportGetSocket } from 'nodemailer/lib/smtp-transport'
import type { Config } from '../lib/config.ts'
import type { Message } from './message.ts'
import { serializeMime } from './mime.ts'
import { classifySmtpError, type DeliveryResult, type SmtpFailure } from './smtp-result.ts'

export type Transport = {
  /** Maximum number of messages in flight. */
  concurrency: number
  /** Sends a message to its recipient. Never throws. Ends when the signal aborts. */
  send(message: Message, signal: AbortSignal): Promise<DeliveryResult>
  /** Closes all connections and aborts the messages in flight. */
  close(): void
}

/** In milliseconds. */
export type Timeouts = { connect: number; socket: number }

/** Sends through SMTP_URL over pooled connections, for Node. Undefined if SMTP_URL is not set. */
export function createPooledTransport(config: Pick<Config, 'smtpUrl'>, timeouts?: Timeouts): Transport | undefined {
  if (!config.smtpUrl) return undefined
  const mailer = bufferedMime(
    createTransport({
      ...smtpOptions(config.smtpUrl, timeouts),
      pool: true,
      maxConnections: 5,
      // One immediate retry, for a pooled connection that the server has closed. Other retries are scheduled by the
      // outbox.
      maxRequeues: 1,
    }),
  )
  return {
    concurrency: 5,
    send: (message, signal) => sendOnce(mailer, message, signal),
    close: () => mailer.transporter.close?.({ force: true }),
  }
}

/** Sends through SMTP_URL with a connection per message, for Workers, where no connection may outlive its request. */
export function createSingleTransport(config: Pick<Config, 'smtpUrl'>, timeouts?: Timeouts): Transport | undefined {
  if (!config.smtpUrl) return undefined
  const mailer = bufferedMime(createTransport({ ...smtpOptions(config.smtpUrl, timeouts), getSocket: connectByName }))
  return {
    // A Worker may hold six connections, including those to the database.
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
 * Connects to the mail server by host name. Nodemailer resolves the name and connects to the IP address, and workerd
 * then verifies the certificate of an `smtps://` server against that address. Resolving also costs a subrequest there.
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
    socket.off('error', settle).off('close', onClose)
    if (!error) return done(null, { connection: socket, secured: secure })
    // In workerd a socket that is destroyed before it is connected emits no event, so `done` is called here.
    socket.on('error', () => {}).destroy()
    done(connectionError(error))
  }
  const onClose = () => settle(new Error('Connection closed'))
  const timer = setTimeout(() => settle(new Error('Connection timeout')), connectionTimeout)
  socket.once('error', settle).once('close', onClose)
  socket.once(secure ? 'secureConnect' : 'connect', () => settle())
}

/** Adds nodemailer's mark of a failed connection, for classifySmtpError. */
function connectionError(error: unknown): Error {
  return Object.assign(error instanceof Error ? error : new Error(String(error)), { command: 'CONN' })
}

type Mailer = ReturnType<typeof createTransport>
type OutgoingMail = Message & { textEncoding: 'base64'; signal: AbortSignal; onDataStart(): void }

/**
 * Makes a mailer serialize each message into one buffer (see serializeMime) and call its `onDataStart` when nodemailer
 * reads it, which is when there is a session to send it in.
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
      // For Chinese shorter than quoted-printable, and encoded natively.
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
