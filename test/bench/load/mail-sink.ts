import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { SMTPServer } from 'smtp-server'
import { exposeFunctions } from './subprocess.ts'

/** A mail server that takes every mail and keeps nothing of it but its Message-ID. */
export type MailSink = typeof sink

let seenMessageIds = new Map<string, number>()
let totalMails = 0
let firstMailAt = 0
let lastMailAt = 0
/** One mail as it came, to look at. */
let sampleMail = ''
let waiter: { count: number; done: () => void } | undefined

const sink = {
  /** Listens, and gives the port. */
  async listen() {
    const server = new SMTPServer({
      disabledCommands: ['STARTTLS'],
      authOptional: true,
      disableReverseLookup: true,
      logger: false,
      onData(stream, _session, answer) {
        let source = ''
        stream.on('data', (chunk: Buffer) => {
          // The head is all that is read; of one mail, everything.
          if (!source.includes('\r\n\r\n') || sampleMail === '') source += chunk.toString('latin1')
        })
        stream.on('end', () => {
          recordMail(source)
          answer()
        })
      },
    })
    server.on('error', () => {})
    const listening = server.listen(0, '127.0.0.1')
    await once(listening, 'listening')
    return (listening.address() as AddressInfo).port
  },
  /** Forgets what came so far. */
  reset() {
    seenMessageIds = new Map()
    totalMails = 0
  },
  /** Waits until so many mails came since it was reset, and says how they came. */
  async received({ count, seconds }: { count: number; seconds: number }) {
    if (totalMails < count) {
      const all = new Promise<void>((done) => (waiter = { count, done }))
      const inTime = await Promise.race([all.then(() => true), sleep(seconds * 1000, false)])
      if (!inTime) throw new Error(`${totalMails} of ${count} mails came in ${seconds} s`)
    }
    return sink.tally()
  },
  /** How the mails came until now: per second from the first to the last, and how many came more than once. */
  tally() {
    const twice = [...seenMessageIds.values()].filter((times) => times > 1).length
    return {
      total: totalMails,
      perSecond: ((totalMails - 1) * 1000) / (lastMailAt - firstMailAt),
      twice,
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
