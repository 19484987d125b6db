import type { EmailMessages } from '../zh-CN/email.ts'

export const emailEn: EmailMessages = {
  kinds: {
    confirmed: {
      subject: (event) => `Your seat: ${event}`,
      headline: 'You have a seat',
      lead: () => 'Your seat is reserved. Just come, and show the code at the door.',
    },
    corrected: {
      subject: (event) => `Address corrected: ${event}`,
      headline: 'Your address is corrected',
      lead: ({ place, until }) =>
        until
          ? `This is your new ticket; the old link no longer works. A seat is held for you: open the ticket and confirm it before ${until}.`
          : place === null
            ? 'This is your new ticket; the old link and code no longer work. Please show the new code at the door.'
            : `This is your new ticket; the old link no longer works. You are on the waitlist, no.\u00a0${place} in line.`,
    },
    waitlisted: {
      subject: (event) => `On the waitlist: ${event}`,
      headline: 'You are on the waitlist',
      lead: ({ place, hours }) =>
        `All seats are taken. You are no.\u00a0${place} in line: when someone cancels, the next in line gets ${hours ? `a mail and has ${hours}\u00a0${hours === 1 ? 'hour' : 'hours'} to confirm the seat` : 'the seat and a mail'}. Please do not travel before you have ${hours ? 'confirmed' : 'that mail'}.`,
    },
    offered: {
      subject: (event) => `A seat came free, please confirm: ${event}`,
      headline: 'A seat came free: please confirm it',
      lead: ({ until }) =>
        `A seat came free and is held for you. Please open your ticket and confirm it ${until ? `before ${until}` : 'soon'}; after that it goes to the next in line, and your registration ends.`,
    },
    promoted: {
      subject: (event) => `A seat came free for you: ${event}`,
      headline: 'A seat came free, and it is yours',
      lead: () =>
        'A seat came free, and it is now yours. Just come, and show the code at the door. If you cannot come, please cancel soon.',
    },
    moved: {
      subject: (event) => `Moved: ${event}`,
      headline: 'Your registration is moved',
      lead: ({ place, until }) =>
        until
          ? `Your registration is now for the workshop below, where a seat is held for you: open your ticket and confirm it before ${until}. The seat in the other one went on to somebody else.`
          : place === null
            ? 'You now have a seat in the workshop below, and the seat in the other one went on to somebody else. It is the same ticket; show the code at the door.'
            : `You are now on the waitlist of the workshop below, no.\u00a0${place} in line. The seat in the other one went on to somebody else.`,
    },
    cancelledByAttendee: {
      subject: (event) => `Cancelled: ${event}`,
      headline: 'Your registration is cancelled',
      lead: () => 'You cancelled this registration.',
    },
    cancelledByOrganiser: {
      subject: (event) => `Registration cancelled: ${event}`,
      headline: 'Your registration was cancelled',
      lead: () => 'The organisers cancelled your registration. If you think this is a mistake, please get in touch.',
    },
    workshopCancelled: {
      subject: (event) => `Workshop cancelled: ${event}`,
      headline: 'The workshop is cancelled',
      lead: () =>
        'We are sorry: this workshop will not take place, and your registration ends with it. Please do not travel.',
    },
    offerExpired: {
      subject: (event) => `Not confirmed in time: ${event}`,
      headline: 'Your seat went to the next in line',
      lead: () =>
        'The seat that was held for you was not confirmed in time. It went to the next in line, and your registration ended with it. Please do not travel.',
    },
    closed: {
      subject: (event) => `Registration closed: ${event}`,
      headline: 'Registration has closed',
      lead: ({ place, until }) =>
        until
          ? `The organisers have closed registration for this workshop. The seat is still held for you: open your ticket and confirm it before ${until}.`
          : place === null
            ? 'The organisers have closed registration for this workshop. You keep your seat: just come, and show the code at the door.'
            : `The organisers have closed registration for this workshop. The waitlist is paused; you are no.\u00a0${place} in line. If registration opens again it goes on in the same order, and you get a mail. Please do not travel before you have a seat.`,
    },
    reopened: {
      subject: (event) => `Registration is open again: ${event}`,
      headline: 'Registration is open again',
      lead: ({ place, until }) =>
        until
          ? `Registration for this workshop is open again. A seat is held for you: open your ticket and confirm it before ${until}.`
          : place === null
            ? 'Registration for this workshop is open again. You have a seat: just come, and show the code at the door.'
            : `Registration for this workshop is open again and the waitlist moves on, with you as no.\u00a0${place} in line. You get a mail when it is your turn. Please do not travel before that.`,
    },
    found: {
      subject: () => 'Your tickets',
      headline: 'Your tickets',
      lead: () => 'These are the tickets that are valid for this address now.',
    },
    held: {
      subject: (event) => `One more step, please confirm: ${event}`,
      headline: 'One more step',
      lead: () =>
        'Open the link below and press the button there, and you are registered. Until then no seat is held for you.',
    },
    changed: {
      subject: (event) => `New time or place: ${event}`,
      headline: 'New time or place',
      lead: ({ place }) =>
        place === null
          ? 'Time or place of this workshop have changed: here is what holds now. Your seat stays yours, and so does your ticket. If you cannot come, please cancel soon, so that somebody else can have the seat.'
          : `Time or place of this workshop have changed: here is what holds now. You are still on the waitlist, at no.\u00a0${place}.`,
    },
    seatPassedOn: {
      subject: (event) => `Your seat went on to somebody else: ${event}`,
      headline: 'Your seat went on to somebody else',
      lead: () =>
        'The workshop has begun and you had not checked in, so your seat went to somebody who stood at the door. If you are on your way, ask there whether a place is free.',
    },
    get_ready: {
      subject: (event) => `Not ready yet: ${event}`,
      headline: 'A few things are missing',
      lead: () =>
        'The workshop is close, and you have not ticked what is listed below. Once it is done, tick it on your ticket: then you can start at once on the day, with nothing left to install.',
    },
    coming: {
      subject: (event) => `Are you coming? ${event}`,
      headline: 'Are you coming?',
      lead: () =>
        'Please open the link below and press “I am coming”, or give your seat away, so that somebody else can have it.',
    },
    day_before: {
      subject: (event, { days }) => `${days === 1 ? 'Tomorrow' : days === 0 ? 'Today' : 'Soon'}: ${event}`,
      headline: 'See you soon',
      lead: () =>
        'When, where and what to bring: it is all below. Show the code at the door. If you cannot come, there still is time to give your seat away.',
    },
    board_due: {
      subject: (event) => `You still have a board: ${event}`,
      headline: 'You still have a board',
      lead: () =>
        'We have no record that the board we lent you at the workshop came back, and the next workshop needs it. Please get in touch about how to return it, or tell us if you already did.',
    },
    afterwards: {
      subject: (event) => `Thank you for coming: ${event}`,
      headline: 'Thank you for coming',
      lead: () => 'It was good to have you there. What follows stays on your ticket, for whenever you need it.',
    },
  },

  signIn: {
    requested: {
      subject: (host) => `Sign in to ${host}`,
      headline: 'Sign in to the console',
      lead: (host) =>
        `Open the link below and press the button there, and you are signed in to the console of ${host}.`,
      hint: 'The link is good for 15\u00a0minutes and for once: please do not forward this mail.',
    },
    invited: {
      subject: (host) => `You are invited to organise workshops at ${host}`,
      headline: 'You are invited',
      lead: (host) =>
        `Somebody invites you to organise the workshops of ${host} with them. Open the link below and sign in with this address to begin.`,
      hint: 'No password needed: each time you sign in we e-mail you a one-time link.',
    },
    console: 'Console',
    button: 'Sign in',
    linkFromCommand: (command) => `The sign-in link is not shown here. To sign in, run on the server: ${command}`,
    why: 'You get this mail because someone signs in to the console with this address, or invites you to it. Not you? Ignore it: unless the link is opened nobody is signed in.',
  },

  test: {
    subject: (subject) => `[Test] ${subject}`,
    rest: "Here attendees' mails also have their own ticket, QR code and checklist. In this test the workshop's page stands in place of the ticket's link.",
    why: 'You get this mail because you sent yourself a test in the console. No attendee got it.',
  },

  greeting: (name) => `Hello ${name},`,
  day: ({ month, day, weekday }) => `${weekday} ${day} ${month}`,
  labels: {
    when: 'When',
    where: 'Where',
    entry: 'Entry',
    state: 'State',
    until: 'Until',
    before: 'Before',
    board: 'Board',
  },
  when: ({ date, weekday, time, zone }) => [`${weekday}, ${date}`, `${time} (${zone})`],
  until: (moment) => `Please confirm before ${moment}`,
  waitlistPosition: (position) => `No.\u00a0${position} on the waitlist`,
  withColon: (label) => `${label}:`,

  qrAlt: 'QR code for the door',
  qrCaption: 'Your code for the door, attached as well',
  qrAttached: (file) => `Your QR code for the door is attached: ${file}`,
  ticket: 'Open my ticket',
  acceptOffer: 'Open my ticket and confirm',
  confirm: {
    label: 'Confirm my registration',
    hint: 'The link is good for 24\u00a0hours: please do not forward this mail.',
  },
  updateReadiness: 'Open my ticket and tick what is done',
  coming: 'I am coming, or give my seat away',
  keep: 'The link is your ticket: please do not forward this mail.',
  prepare: 'What to bring and prepare',
  missingItems: 'Not ready yet',
  cancel: {
    text: 'Cannot come? Please cancel, so that somebody else can have the seat.',
    link: 'Cancel my registration',
  },
  releaseSeat: { text: 'Cannot come? On the same page one press gives your seat away.', link: 'Give my seat away' },
  leaveWaitlist: { text: 'No longer want to wait?', link: 'Leave the waitlist' },
  registerAgain: { text: 'Changed your mind?', link: 'Register again' },
  otherWorkshops: { text: 'Perhaps another one suits you?', link: 'See other workshops' },
  postEvent: {
    certificate: {
      text: 'A certificate with your name, and a number that anyone can verify.',
      link: 'Get the certificate',
    },
    materials: { text: 'What was used at the workshop, to keep.', link: 'See the materials' },
    feedback: {
      text: 'A few questions that take a minute and help us make the next one better.',
      link: 'Tell us how it was',
    },
  },
  calendarOn: 'The attached calendar file puts it into your calendar.',
  calendarOff: 'The attached calendar file takes it out of your calendar.',

  why: {
    registered:
      'You get this mail because someone registered for this workshop with your address. Not you? Ignore it, or open the ticket and cancel.',
    cancelled: 'You get this mail because you were registered for this workshop with this address.',
    found:
      'You get this mail because someone asked for the tickets of this address, or registered once more. Not you? Ignore it; nobody else sees them.',
    held: 'You get this mail because someone signed up for this workshop with your address. Not you? Ignore it: unless the link is opened nobody is registered, and what was typed is deleted.',
  },
  contact: (contact) => `Questions: ${contact}.`,
  reply: 'Questions? Just reply to this mail.',
  privacy: 'Privacy notice',

  mailbox: {
    title: 'Mailbox',
    lead: 'SMTP_URL is not set, so mails are kept here. This page opens on this machine only, with the link that npm start prints.',
    locked: 'The mailbox opens with a printed link',
    lockedLead: 'npm start printed a link with a key (/mailbox?key=…): open that one. To print it again, run:',
    none: 'No mails yet. Come back when someone has registered.',
    erased: 'This person was erased, and with them the mail.',
    older: 'Older mails',
    back: 'All mails',
    states: { pending: 'pending', held: 'held', sending: 'being sent', sent: 'sent', dead: 'failed' },
    html: 'The mail',
    text: 'Plain text',
    files: 'Attachments',
    headers: 'Headers',
  },
}
