import { type MailServer, type SmtpFault, type SmtpStep, startMailServer } from '../support/mail/smtp-server.ts'
import type { Random } from './random.ts'

/** A mail server that fails one mail in five, and the mails it received. */
export type FaultyMailServer = AsyncDisposable & {
  url: string
  /** Whether it rejects all mails for their content. */
  rejectsContent: boolean
  /** Stops injecting faults. */
  stopFaults(): void
  /** Arrivals of each Message-ID. */
  arrivals: Map<string, Arrival[]>
  /** Number of faults by kind. */
  faultCounts: Map<string, number>
}

/** `connectionDropped`: the connection was dropped before the sender got a reply. `at`: as Date.now(). */
export type Arrival = { at: number; to: string; connectionDropped: boolean }

const faultsByStep: Partial<Record<SmtpStep, SmtpFault[]>> = {
  sender: [451, 'drop'],
  recipient: [[451, '4.7.1 Greylisted'], 'drop'],
  data: [451, 'drop'],
  message: [452, 'drop'],
}

/** Per step, so that one mail in five fails at one of the four. */
const faultProbability = 1 - 0.8 ** (1 / Object.keys(faultsByStep).length)

export async function startFaultyMailServer(random: Random): Promise<FaultyMailServer> {
  // Parses only the Message-ID, because there are thousands of mails.
  const server: MailServer<string> = await startMailServer(undefined, async (source) => {
    const head = source.toString('latin1', 0, source.indexOf('\r\n\r\n'))
    return /^message-id: *<([^>]+)>/im.exec(head)?.[1] ?? 'none'
  })
  const arrivals = new Map<string, Arrival[]>()
  const faultCounts = new Map<string, number>()
  const count = (fault: SmtpFault, step: SmtpStep) => {
    const name = `${fault === 'drop' ? 'dropped' : [fault].flat()[0]} at ${step}`
    faultCounts.set(name, (faultCounts.get(name) ?? 0) + 1)
    return fault
  }
  server.injectFault = (step) => {
    if (mailServer.rejectsContent && step === 'message') return count([554, 'DT:SPM 126 smtp2'], step)
    const faults = faultsByStep[step]
    return faults && random.chance(faultProbability) ? count(random.pick(faults), step) : undefined
  }
  // Records each mail without keeping it: together they would not fit into memory.
  server.mails.push = (...mails) => {
    for (const { mail, to, connectionDropped } of mails) {
      arrivals.set(mail, [...(arrivals.get(mail) ?? []), { at: Date.now(), to: to.join(), connectionDropped }])
    }
    return 0
  }
  const mailServer: FaultyMailServer = {
    url: server.url,
    arrivals,
    faultCounts,
    rejectsContent: false,
    stopFaults() {
      server.injectFault = () => undefined
    },
    [Symbol.asyncDispose]: () => server.stop(),
  }
  return mailServer
}
