import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { SMTPServer } from 'smtp-server'
import { exposeFunctions } from './subprocess.ts'

/** A mail server that accepts every mail and keeps only its Message-ID. */
export type MailSink = typeof sink

let seenMessageIds = new Map<string, number>()
let totalMails = 0
let firstMailAt = 0
let lastMailAt = 0
/** One complete mail, for inspection. */
let sampleMail = ''
let waiter: { count: number; done: () => void } | undefined

const sink = {
  /** Starts listening. Returns the port. */
  async listen() {
    const server = new SMTPServer({
      disabledCommands: ['STARTTLS'],
      authOptional: true,
      disableReverseLookup: true,
      logger: false,
      onData(stream, _session, callback) {
        let source = ''
        stream.on('data', (chunk: Buffer) => {
          // Only the head is kept; of one mail, everything.
          if (!source.includes('\r\n\r\n') || sampleMail === '') source += chunk.toString('latin1')
        })
        stream.on('end', () => {
          recordMail(source)
          callback()
        })
      },
    })
    server.on('error', () => {})
    const listening = server.listen(0, '127.0.0.1')
    await once(listening, 'listening')
    return (listening.address() as AddressInfo).port
  },
  /** Resets the counters. */
  reset() {
    seenMessageIds = new Map()
    totalMails = 0
  },
  /** Waits until this many mails have arrived since the reset. Returns the tally. */
  async received({ count, seconds }: { count: number; seconds: number }) {
    if (totalMails < count) {
      const allReceived = new Promise<void>((done) => (waiter = { count, done }))
      const inTime = await Promise.race([allReceived.then(() => true), sleep(seconds * 1000, false)])
      if (!inTime) throw new Error(`${totalMails} of ${count} mails came in ${seconds} s`)
    }
    return sink.tally()
  },
  /** Arrivals so far: rate from the first to the last, and number of duplicates. */
  tally() {
    const duplicates = [...seenMessageIds.values()].filter((times) => times > 1).length
    return {
      total: totalMails,
      perSecond: ((totalMails - 1) * 1000) / (lastMailAt - firstMailAt),
      duplicates,
      sample: sampleMail,
    }
  },
}

exposeFunctions(sink)

function recordMail(source: string) {
  const id = /^message-id: *(\S+)/im.exec(source)?.[1] ?? ''
  seenMessageIds.set(id, (seenMessageIds.get(id) ?? 0) + 1)
  lastMailAt = performance.now()
  if (totalMails === 0) firstMailAt = lastMailAt
  totalMails++
  sampleMail ||= source
  if (waiter && totalMails >= waiter.count) {
    waiter.done()
    waiter = undefined
  }
}
