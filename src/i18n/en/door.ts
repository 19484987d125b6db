import type { DoorMessages } from '../zh-CN/door.ts'

export const en: DoorMessages = {
  title: 'Door',
  titleOf: (city, day) => `Door: ${city}, ${day}`,
  skip: 'Skip to content',

  join: {
    title: 'Help at the door',
    lead: 'From then on this phone checks people in to this workshop, until midnight of that day. It sees names and the ends of phone numbers, and no e-mail addresses.',
    name: 'Your name, or the door where you stand',
    nameHint: 'Stands beside each check-in, for the organiser and other helpers.',
    submit: 'Start checking in',
    instead: (name, workshop) => `This phone is a door of ${workshop} (${name}) now, and will not be any more.`,
    problems: { missing: 'Please enter a name.', too_long: 'The name is too long: 40 characters at most.' },
  },

  notJoinable: {
    not_found: {
      title: 'This QR is not right',
      hint: 'It is none of ours, or was not read to the end. Ask the organiser to show it again.',
    },
    renewed: {
      title: 'This QR code has expired',
      hint: 'The organiser made another one since. Scan the one that is shown now.',
    },
    over: { title: 'This workshop is over', hint: 'Check-in closes at midnight. Attendance is in the console.' },
  },

  nobody: {
    title: 'This phone is not set up for check-in yet',
    hint: 'Ask the organiser to open the page “Door” of the workshop on a computer, and scan its QR with the camera of this phone or with WeChat.',
    organisers: 'I am an organiser: to the console',
  },

  over: {
    title: 'This door is closed',
    hint: 'Midnight has passed, or the organiser ended it. To go on, ask the organiser to show the QR again and scan it with this phone.',
    changed: 'What you just did was not saved.',
  },

  counts: {
    in: 'In',
    of: (n, seats) => `${n} / ${seats}`,
    walkIns: (n) => `of these ${n} walked in`,
    standing: (n) => `${n} standing at the door`,
  },
  as: (name, until) => `${name} · until ${until}`,

  search: {
    label: 'Find somebody',
    hint: 'Name, pinyin initials, end of the phone number, or number',
    submit: 'Find',
    all: 'Show all',
    none: 'Nobody found. Try another spelling, or let them walk in.',
    found: (n) => `${n} found`,
  },

  list: {
    standing: 'Standing at the door',
    expected: 'Expected',
    in: 'In',
    waiting: 'Waitlist',
    cancelled: 'Cancelled',
    empty: 'Nobody has registered yet.',
    number: (seq) => `#${seq}`,
    tail: (tail) => `ends in ${tail}`,
    coming: 'said they come',
    walkIn: 'walked in',
    offered: 'seat offered: check in to accept',
    since: (time, by) => (by ? `${time}, ${by}` : time),
    board: (kind, serial) => `has ${kind} ${serial}`,
  },

  actions: {
    checkIn: 'Check in',
    checkInOf: (name) => `Check in ${name}`,
    undo: 'Undo check-in',
    undoOf: (name) => `Undo check-in: ${name}`,
    stand: 'Here without a seat: join the queue',
    standOf: (name) => `Here without a seat: join the queue: ${name}`,
    leave: 'Has left',
    leaveOf: (name) => `Has left: ${name}`,
    walkIn: 'Let walk in',
    back: 'Back to the list',
    next: 'Next',
    seat: 'Give free seats to those at the door now',
  },

  panel: {
    ready: { title: 'Has a seat', hint: 'Compare the name, then check in.' },
    in: { title: 'Checked in', hint: (time) => `Came at ${time}` },
    again: {
      title: 'Already in',
      hint: (time, by) => (by ? `Checked in at ${time} by ${by}` : `Checked in at ${time}`),
    },
    undone: { title: 'Taken back', hint: 'This check-in does not count.' },
    undoneWalkIn: { title: 'Taken back', hint: 'This walk-in does not count, and the seat is free again.' },
    stillIn: (time, by) => `But ${by || 'another door'} checked them in too, at ${time}, so they still count as in.`,
    notIn: { title: 'Was taken back before', hint: 'Nothing was changed.' },
    waitlisted: {
      title: 'On the waitlist, no seat',
      hint: 'Not checked in. If they are here, let them stand in line: free seats go to those who came first.',
    },
    standing: {
      title: 'Stands at the door',
      hint: (place) => `Number ${place} in line. Checked in as soon as a seat is free.`,
    },
    grace: (time) => `After ${time} seats of those who did not come go to those at the door.`,
    noGrace: 'Seats of those who do not come are not given away here; only free seats are.',
    cancelled: {
      title: 'Registration cancelled',
      hint: 'Not checked in. They may have registered again: search for the name. If not, they can walk in where a seat is free.',
    },
    absence: {
      title: 'Too late: the seat was passed on',
      hint: 'Not checked in. If a seat is free they can walk in, or stand in line.',
    },
    elsewhere: { title: 'A ticket of another workshop', hint: 'Not checked in. This ticket is for:' },
    notFound: {
      title: 'This ticket is not right',
      hint: 'The code is none of ours, or is of an old ticket from before the address was corrected. Nothing was changed. Look for the name or the end of the phone number.',
    },
    left: { title: 'Left', hint: 'Stands at the door no longer.' },
    notWaiting: { title: 'Need not stand in line', hint: 'They have a seat, or are cancelled.' },
    seated: (n) => (n === 1 ? 'One who stood at the door is in' : `${n} who stood at the door are in`),
    nobodySeated: 'There is no seat to give right now.',
  },

  walkIn: {
    title: 'Walk-in',
    lead: {
      free: (seats) => (seats === 1 ? '1 seat is free.' : `${seats} seats are free.`),
      waiting: 'Free seats are for those on the waitlist.',
      full: 'No seat is free.',
    },
    standing: 'They can stand in line: free seats go to those who came first.',
    noGrace: 'Seats of those who do not come are not given away here, so nobody can stand in line.',
    name: 'Name',
    phone: 'Phone',
    optional: ' (optional)',
    consent: 'Ask them: name and phone are used for this workshop only, is that all right?',
    submit: 'Let in and check in',
    submitStanding: 'Let stand in line',
    refusals: {
      full: 'No seat is free, and seats of those who do not come are not given away here.',
      cancelled: 'This workshop is cancelled.',
      not_found: 'Not taken in yet: this form was used for somebody else just before. Check the name and press again.',
    },
  },

  console: {
    title: 'Door',
    helpers: 'Helpers’ phones',
    helpersHint:
      'A helper scans this with the phone’s camera or WeChat and checks people in to this workshop, without an account, until midnight of that day. Show it only to those you trust.',
    qr: 'QR for helpers',
    qrHint: 'Helpers: scan, enter your name, and start checking in.',
    whole: 'Show the QR on the whole screen',
    link: 'For a helper who is not here: a link to open on their phone',
    copy: 'Copy',
    copied: 'Copied',
    back: 'Back to the door',
    openHere: 'This device is a door too',
    renew: 'Renew the QR',
    renewHint: 'What was shown or photographed before is good no longer. Doors that are open stay open.',
    renewed: 'There is a new QR; the old one is good no longer.',
    over: 'This workshop is over or cancelled: no door can be opened.',
    doors: 'Doors',
    noDoors: 'Nobody has opened a door yet.',
    isOpen: 'open',
    isClosed: 'closed',
    seen: (last, until) => `last seen ${last}, until ${until}`,
    closedAt: (time) => `closed ${time}`,
    end: 'End',
    endOf: (name) => `End the door ${name}`,
    ended: 'This door is ended. A phone that is offline stops when it is online again, or at midnight.',
    seated: 'Free seats went to those at the door.',
    grace: 'Minutes after the start at which seats of absent people go to those at the door (empty: never)',
    came: 'Checked in',
    notYet: 'Not checked in yet',
    checkIn: 'Check in',
    undo: 'Undo check-in',
    checkedIn: 'Checked in.',
    undone: 'The check-in is undone.',
    notCheckedIn: 'Not checked in: they have no seat, or moved to another workshop.',
    noEmail: 'No e-mail: walked in, consent given by word',
  },

  byItself: 'automatically',
  scanner: 'You can also scan the QR on the ticket with the phone’s camera or WeChat.',
}
