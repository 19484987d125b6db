import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { SMTPServer } from 'smtp-server'
import { offer } from './subprocess.ts'

/** A mail server that takes every mail and keeps nothing of it but its Message-ID. */
export type MailSink = typeof sink

let seen = new Map<string, number>()
let total = 0
let first = 0
let last = 0
/** One mail as it came, to look at. */
let sample = ''
let waiting: { count: number; done: () => void } | undefined

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
          if (!source.includes('\r\n\r\n') || sample === '') source += chunk.toString('latin1')
        })
        stream.on('end', () => {
          take(source)
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
    seen = new Map()
    total = 0
  },
  /** Waits until so many mails came since it was reset, and says how they came. */
  async received({ count, seconds }: { count: number; seconds: number }) {
    if (total < count) {
      const all = new Promise<void>((done) => (waiting = { count, done }))
      const inTime = await Promise.race([all.then(() => true), sleep(seconds * 1000, false)])
      if (!inTime) throw new Error(`${total} of ${count} mails came in ${seconds} s`)
    }
    return sink.tally()
  },
  /** How the mails came until now: per second from the first to the last, and how many came more than once. */
  tally() {
    const twice = [...seen.values()].filter((times) => times > 1).length
    return { total, perSecond: ((total - 1) * 1000) / (last - first), twice, sample }
  },
}

offer(sink)

function take(source: string) {
  const id = /^message-id: *(\S+)/im.exec(source)?.[1] ?? ''
  seen.set(id, (seen.get(id) ?? 0) + 1)
  last = performance.now()
  if (total === 0) first = last
  total++
  sample ||= source
  if (waiting && total >= waiting.count) {
    waiting.done()
    waiting = undefined
  }
}
