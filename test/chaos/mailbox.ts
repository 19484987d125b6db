import { type MailServer, type Mishap, type Step, startMailServer } from '../support/smtp.ts'
import type { Random } from './random.ts'

/** A mail server that fails one mail in five, and what came to it. */
export type Mailbox = AsyncDisposable & {
  url: string
  /** Whether it refuses all mails for their content. */
  refusesContent: boolean
  /** Fails no more. */
  behave(): void
  /** By Message-ID, each time that it came. */
  arrived: Map<string, Arrival[]>
  /** How often it failed in which way. */
  mishaps: Map<string, number>
}

/** `cut`: the connection was cut before the sender could hear that it was taken. `at` as of Date.now(). */
export type Arrival = { at: number; to: string; cut: boolean }

const mishaps: Partial<Record<Step, Mishap[]>> = {
  sender: [451, 'drop'],
  recipient: [[451, '4.7.1 Greylisted'], 'drop'],
  data: [451, 'drop'],
  message: [452, 'drop'],
}

/** At each of the four steps, so that one mail in five does not pass. */
const probability = 1 - 0.8 ** (1 / Object.keys(mishaps).length)

export async function openMailbox(random: Random): Promise<Mailbox> {
  // Nothing is read but the Message-ID, for mails come by the thousand.
  const server: MailServer<string> = await startMailServer(undefined, async (source) => {
    const head = source.toString('latin1', 0, source.indexOf('\r\n\r\n'))
    return /^message-id: *<([^>]+)>/im.exec(head)?.[1] ?? 'none'
  })
  const arrived = new Map<string, Arrival[]>()
  const counted = new Map<string, number>()
  const count = (mishap: Mishap, step: Step) => {
    const name = `${mishap === 'drop' ? 'dropped' : [mishap].flat()[0]} at ${step}`
    counted.set(name, (counted.get(name) ?? 0) + 1)
    return mishap
  }
  server.mishap = (step) => {
    if (mailbox.refusesContent && step === 'message') return count([554, 'DT:SPM 126 smtp2'], step)
    const chosen = mishaps[step]
    return chosen && random.chance(probability) ? count(random.pick(chosen), step) : undefined
  }
  // Each mail is noted as it is kept, and not kept, for together they would not fit into memory.
  server.mails.push = (...mails) => {
    for (const { mail, to, cut } of mails) {
      arrived.set(mail, [...(arrived.get(mail) ?? []), { at: Date.now(), to: to.join(), cut }])
    }
    return 0
  }
  const mailbox: Mailbox = {
    url: server.url,
    arrived,
    mishaps: counted,
    refusesContent: false,
    behave() {
      server.mishap = () => undefined
    },
    [Symbol.asyncDispose]: () => server.stop(),
  }
  return mailbox
}
