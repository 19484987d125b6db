/** Checks of the run, in the order of the report. */
export const checks = {
  operations: 'the requested number of operations was answered',
  faults: 'every kind of fault was injected',
  load: 'the load generator itself did not slow down requests',
  hang: 'no request takes more than 5 s, and no export pauses for more than 5 s',
  fault500: 'no response is a 500',
  retryAfter: 'every 503 has a Retry-After header',
  answers: 'every response is consistent with earlier ones',
  services: 'no server process exits unless the run killed it',
  invariants: 'seats, counters and people are consistent by independent SQL',
  doctor: 'the doctor finds no violations',
  registrations: 'no acknowledged registration is lost or changed',
  cancellations: 'acknowledged cancellations persist',
  moves: 'acknowledged moves persist',
  merges: 'concurrent merges of A into B and B into A keep exactly one registration',
  promotions: 'acknowledged promotions persist, and nobody else was promoted manually',
  campaignCopies: 'a copied campaign exists once, without registrations',
  changeNotices: 'every attendee was notified of each venue change once',
  broadcasts: 'every certain recipient of a broadcast has exactly one mail of it',
  unacknowledged: 'nothing is stored that was rejected or never requested',
  keys: 'every acknowledged idempotency key exists once and replays the same result',
  workshops: 'acknowledged workshop changes persist',
  checkIns: 'every acknowledged check-in is stored once with its own time, and the earliest of a person counts',
  undo: 'every acknowledged undo of a check-in is stored, and no other check-in is undone',
  walkIns: 'every acknowledged walk-in is stored once',
  loans: 'every acknowledged loan and return is stored once, and no other',
  noShows: 'a no-show loses the seat only after the grace period, never after checking in, and in the right order',
  reminders: 'every reminder was sent once to everyone it is for, and to nobody else',
  attendance: 'closed attendance stays closed, and each attendee who checked in gets one thank-you mail',
  queued: 'the outbox is empty at the end',
  delivered: 'every mail with state sent reached the mail server',
  discarded: 'every discarded mail had become obsolete',
  notified: 'the last mail to an attendee states the current status; the first mail and the cancellation exist once',
  copies: 'a mail is duplicated only after an attempt with an unknown outcome',
  messageIds: 'every received mail, duplicates included, has the Message-ID and recipient of a mail in the outbox',
} as const

export type Check = keyof typeof checks

/** Records how often each check was made, and its failures. */
export type Findings = {
  /** Records that a check was made. It failed if `failure` is a message. */
  check(check: Check, failure?: string | false | undefined, times?: number): void
  results(): { check: Check; description: string; count: number; failures: string[]; failureCount: number }[]
}

/** @param onFailure called with each failure when it occurs */
export function createFindings(onFailure: (line: string) => void): Findings {
  const entries = Object.fromEntries(
    Object.keys(checks).map((check) => [check, { count: 0, failures: [] as string[], failureCount: 0 }]),
  ) as Record<Check, { count: number; failures: string[]; failureCount: number }>
  return {
    check(check, failure, times = 1) {
      const finding = entries[check]
      finding.count += times
      if (!failure) return
      finding.failureCount++
      if (finding.failures.length >= 10) return
      finding.failures.push(failure)
      onFailure(`FAILED ${checks[check]}: ${failure}`)
    },
    results: () =>
      (Object.keys(checks) as Check[]).map((check) => ({ check, description: checks[check], ...entries[check] })),
  }
}
