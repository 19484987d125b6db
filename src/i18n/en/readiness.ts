import type { ReadinessMessages } from '../zh-CN/readiness.ts'

export const en: ReadinessMessages = {
  ticket: {
    tick: 'Tick each thing once it is done: the organisers see it at once.',
    save: 'Save my ticks',
    saved: 'Saved.',
    failed: 'Not saved. Please press the button once more.',
    tooLate: 'The workshop is over or cancelled, so nothing can be ticked any more.',
    entry: 'How to get in',
    coming: {
      title: 'Are you coming?',
      lead: 'Please let us know. If you cannot, give your seat away, so that somebody else can have it.',
      yes: 'I am coming',
      no: 'I cannot come',
      giveBack: 'I cannot come: give my seat away',
      warning:
        'Once given away the seat is no longer yours; to come after all you would have to register again, and there may be no seat left.',
      confirmed: 'You said that you are coming. See you there!',
      alreadyConfirmed:
        'You said that you are coming. If you cannot after all, there still is time to give your seat away.',
      refused: {
        too_late: 'The workshop has begun: just come.',
        no_seat: 'You have no confirmed seat now, so nothing was stored.',
      },
    },
  },

  console: {
    title: 'Readiness and reminders',
    link: 'Readiness and reminders',
    lead: (people) =>
      `What ${people === 1 ? 'the one person' : `the ${people} people`} with a seat ticked themselves, as of now.`,
    nobody: 'Nobody has a seat yet.',
    nothingAsked: 'Nothing on this checklist has to be confirmed.',
    items: 'Item by item',
    whoMissing: (people) => `${people} not ready`,
    whoReady: (people) => `${people} ready`,
    coming: 'Coming',
    people: 'People',
    comingNote: 'Only those with a seat. On another date they are asked again.',
    reminders: 'Reminders',
    heads: {
      kind: 'Reminder',
      at: 'Goes out',
      sent: 'Sent',
      queued: 'Waiting',
      failed: 'Failed',
      pointless: 'No longer needed',
    },
    off: 'off',
    until: (moment) => `until ${moment}`,
    zone: (zone) => `Times are those of the workshop: ${zone}.`,
    change: 'Change when reminders go out',
    whoGets: {
      get_ready: 'those with a seat who are not ready',
      coming: 'those with a seat who have not said that they come',
      day_before: 'those with a seat',
    },
    none: 'The workshop is cancelled or a draft, so no reminders go out.',
  },

  form: {
    entry: 'How to get in',
    entryHint: 'Only those with a seat see it: on their tickets, and in the mails with the code for the door.',
    reminders: 'Reminders (empty: none)',
    get_ready: 'Days before: to those who are not ready',
    coming: 'Days before: are you coming?',
    day_before: 'Hours before: when, where, how to get in',
  },
}
