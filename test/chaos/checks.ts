/** What the run has to show, in the order of the table. */
export const checks = {
  operations: 'as many operations as were asked for were answered',
  faults: 'every kind of fault was injected',
  load: 'the load generator itself was not what made requests slow',
  hang: 'no request takes more than 5 s, and no next part of an export',
  fault500: 'no answer is a 500',
  retryAfter: 'every 503 says when to come again',
  answers: 'every answer fits what was acknowledged before',
  services: 'no process of the service ends by itself',
  invariants: 'seats, counters and people add up, by SQL of our own',
  doctor: 'the doctor finds nothing broken',
  registrations: 'no acknowledged registration is lost or altered',
  cancellations: 'acknowledged cancellations stay',
  moves: 'acknowledged moves stay',
  merges: 'of two registrations that are merged both ways at once one stays',
  promotions: 'whoever was let pass has the seat, and nobody else was let pass',
  campaignCopies: 'a month that was copied is there once, without people',
  changeNotices: 'everyone who had to be told of another place was told, once',
  broadcasts: 'a message went to everyone it was for, and to each mailbox once',
  unacknowledged: 'nothing is stored that was refused or never asked for',
  keys: 'every acknowledged idempotency key exists once and is answered the same',
  workshops: 'acknowledged changes of workshops stay',
  checkIns: 'every check-in that was told is there once, with its own time, and the earliest of a person counts',
  undo: 'a check-in is taken back where somebody wanted that, and nowhere else',
  walkIns: 'whoever was taken in without having signed up is there once',
  loans: 'every loan and return that was told is there once, and no other',
  noShows: 'nobody who had come lost the seat, nor before the grace time, nor before one who had to lose it first',
  reminders: 'a reminder came once to everyone it was for, and to nobody else',
  attendance: 'acknowledged closings of an attendance stay, and those who came were thanked once',
  queued: 'no mail is owed any more',
  delivered: 'every mail that counts as sent reached the mail server',
  discarded: 'every mail that was given up had become pointless',
  notified: 'everyone was told how things stand, once for each fact',
  copies: 'a mail came twice only after an attempt with an unknown end',
  messageIds: 'every mail that came, copies too, bears the Message-ID of one that was owed',
} as const

export type Check = keyof typeof checks

/** Keeps how often each check was made, and what broke. */
export type Findings = {
  /** Notes that a check was made; it is broken if there is something to say. */
  check(check: Check, broken?: string | false | undefined, times?: number): void
  results(): { check: Check; sentence: string; made: number; broken: string[]; brokenTimes: number }[]
}

/** @onBroken onBroken is told of what breaks, as it does */
export function createFindings(onBroken: (line: string) => void): Findings {
  const entries = Object.fromEntries(
    Object.keys(checks).map((check) => [check, { made: 0, broken: [] as string[], brokenTimes: 0 }]),
  ) as Record<Check, { made: number; broken: string[]; brokenTimes: number }>
  return {
    check(check, broken, times = 1) {
      const finding = entries[check]
      finding.made += times
      if (!broken) return
      finding.brokenTimes++
      if (finding.broken.length >= 10) return
      finding.broken.push(broken)
      onBroken(`BROKEN ${checks[check]}: ${broken}`)
    },
    results: () =>
      (Object.keys(checks) as Check[]).map((check) => ({ check, sentence: checks[check], ...entries[check] })),
  }
}
