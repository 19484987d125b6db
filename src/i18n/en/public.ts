import type { PublicMessages } from '../zh-CN/public.ts'

export const en: PublicMessages = {
  lang: 'en',
  skip: 'Skip to content',
  otherLanguage: { locale: 'zh-CN', name: '中文' },

  workshopStatuses: {
    upcoming: 'Opens soon',
    open: 'Open',
    waitlist: 'Full, waitlist open',
    full: 'Full',
    closed: 'Registration closed',
    cancelled: 'Cancelled',
    over: 'Over',
  },

  registrationStatuses: {
    confirmed: 'Seat confirmed',
    waitlisted: 'On the waitlist',
    offered: 'A seat is held for you',
    cancelled: 'Registration cancelled',
  },

  refusals: {
    already_registered:
      'This e-mail address is registered already. We have mailed the ticket to it once more; with it you can also change the city. If nothing arrives, look into the spam folder, or try again in ten minutes.',
    full: 'All seats are taken, and this workshop has no waitlist.',
    not_open: 'Registration has not opened yet.',
    closed: 'Registration has closed. Nothing was sent.',
    cancelled: 'This workshop has been cancelled.',
    idempotency_mismatch:
      'This form was sent before, with other details. To register another person, check the details and send it again.',
    too_many: 'Too many mails have gone to this address today. Please try again tomorrow, or use another address.',
    not_found: 'There is no such workshop.',
  },

  emailRefusals: {
    already_registered: 'This address has a registration for this workshop already.',
    too_many: 'The address was changed five times and cannot be changed again. Please contact the organisers.',
    cancelled: 'The registration is cancelled; its address needs no change.',
    over: 'The workshop is over; the address cannot be changed any more.',
    not_found: 'There is no such ticket.',
  },

  moveRefusals: {
    already_registered: 'You are registered for that workshop already.',
    too_many: 'Too many mails have gone to your address today. Please move tomorrow; nothing has changed here.',
    full: 'That workshop has just filled up and has no waitlist. Nothing has changed here.',
    not_open: 'Registration for that workshop has not opened yet. Nothing has changed here.',
    closed: 'Registration for that workshop has closed. Nothing has changed here.',
    cancelled: 'That workshop has been cancelled. Nothing has changed here.',
    over: 'This workshop has started, so it is too late to move.',
    not_live: 'This registration is cancelled, so it cannot move.',
    not_found: 'There is no such workshop. Nothing has changed here.',
  },

  offerRefusals: {
    lapsed: 'The time to confirm is over, and the seat went to the next in line.',
    cancelled: 'This registration is cancelled, so no seat is held for you.',
    not_offered: 'It is not your turn yet. You get a mail when a seat comes free.',
    not_found: 'There is no such ticket.',
  },

  fieldProblems: {
    missing: (field) => `${field} is missing`,
    invalid: (field) => `${field} does not look right`,
    too_long: (field) => `${field} is too long`,
    web_address: (field) => `${field} must not hold a web address`,
    email_invalid: () => 'Please check the e-mail address; it looks like name@example.com',
    phone_invalid: () => 'Please give a mobile number; one from outside China needs its country code, such as +49',
    consent_missing: () => 'Please tick the box, or we may not keep your details',
  },

  fields: {
    name: 'Name',
    email: 'E-mail',
    phone: 'Phone',
    company: 'Company or school',
    ready: 'Readiness',
    consent: 'Consent',
  },

  itemTags: { provided: 'Provided', bring: 'Bring', know: 'Know', install: 'Install' },

  home: {
    title: 'Upcoming workshops',
    description: 'Upcoming hands-on workshops, with registration.',
    none: 'No workshop is open for registration right now.',
    noneHint: 'New ones are announced in the newsletter and the community. Registered already?',
    more: 'More workshops',
    subscribe: 'Subscribe to the calendar',
    go: 'See upcoming workshops',
  },

  campaign: {
    where: 'Choose a city',
    none: 'The dates are not announced yet.',
    register: (city) => `Register for ${city}`,
    queue: (city) => `Join the waitlist in ${city}`,
    allCities: 'All cities',
    look: (city) => `Look at ${city}`,
    prepare: 'What to prepare',
  },

  workshop: {
    prepare: 'What to prepare',
    install: 'Download and instructions',
    form: 'Register',
    queueForm: 'Join the waitlist',
    description: (when, where) => `${when}, ${where}`,
    seatsOf: (capacity) => `of ${capacity}\u00a0seats left`,
    seatsShort: { before: 'Seats left: ', after: '' },
    go: { before: 'Register, seats left: ', after: '' },
    goQueue: 'Join the waitlist',
    big: {
      upcoming: 'Opens soon',
      waitlist: 'Full',
      full: 'Full',
      closed: 'Closed',
      cancelled: 'Cancelled',
      over: 'Over',
    },
    opens: (moment) => `Registration opens ${moment}`,
    waiting: { before: 'You can join the waitlist. In line now: ', after: '' },
    noWaitlist: (capacity) => `All ${capacity}\u00a0seats are taken, and there is no waitlist`,
    closedAt: (moment) => `Registration closed ${moment}`,
    closed: 'Registration has closed',
    cancelled: 'This workshop will not take place. Everyone registered is told by mail',
    over: 'Thank you for coming. See you at the next one',
    otherCitySeats: (city, seats) => `${city}: ${seats}\u00a0${seats === 1 ? 'seat' : 'seats'} left`,
    otherCityWaitlist: (city) => `${city}: waitlist open`,
    findTicket: 'Registered already? Find my ticket',
  },

  form: {
    optional: ' (optional)',
    phoneHint: 'Only in case something changes',
    readiness: 'Are you ready?',
    readinessHint: 'Not yet is fine, as long as it is done before the day',
    ready: 'Ready',
    notYet: 'Not yet',
    consent: (days) =>
      `I agree that the organisers use these details to run this workshop and delete them ${days}\u00a0days after it. `,
    consentContact: (contact) => `Questions: ${contact}. `,
    consentReply: 'For questions, reply to any of our mails. ',
    consentMore: 'Privacy notice',
    submit: 'Register and take a seat',
    submitQueue: 'Join the waitlist',
    submitAgain: 'Try again',
    afterSubmit: 'Once registered you may attend. A mail confirms it',
    afterQueue: (hours) =>
      hours
        ? `When it is your turn you get a mail and have ${hours}\u00a0${hours === 1 ? 'hour' : 'hours'} to confirm`
        : 'When someone cancels, the next in line gets the seat and a mail',
    problems: 'Almost there',
    refused: 'This did not go through',
    honeypot: 'Please leave this empty',
    retry: {
      honeypot:
        'A hidden field was filled in, most likely by your browser, and is empty again. All else is still there: please send it once more.',
      too_soon:
        'That was very fast, as only programs are. All you typed is still there: please press the button again.',
    },
    errorTitle: 'Please check',
    proof: {
      mailed: 'After sending, open the link that we mail to you: only then are you registered',
      working: 'Your browser is working out a proof against bots. Just go on typing',
      waiting: 'The proof against bots is almost there. The form is sent when it is ready',
      done: 'The proof against bots is ready',
    },
  },

  pendingSignUp: {
    title: 'One more step',
    mailed: (email) =>
      `We have sent a mail to ${email}. Open the link in it to complete your registration. It is good for 24\u00a0hours.`,
    noSeatYet: 'Until then no seat is held for you. Nothing after a few minutes? Look into the spam folder.',
    otherAddress: 'Wrong address? Fill it in again',
    confirmTitle: 'Confirm your registration',
    submittedValues: 'What you filled in',
    notYou: 'Not you? Just close this page, and nobody is registered',
    expired: 'This link no longer works',
    expiredHint:
      'The link to confirm is good for 24\u00a0hours. To attend, please register again; if you are registered, the ticket is in the confirmation mail.',
    again: 'Register again',
  },

  ticket: {
    title: 'My ticket',
    group: 'Join the chat group',
    groupHint: 'Press and hold the QR code to join.',
    groupExpired: 'The code of the group has expired and is being replaced. Please come back later.',
    groupAlt: 'QR code of the chat group',
    toWorkshop: 'Workshop details',
    greeting: (name) => `See you there, ${name}`,
    showAtDoor: 'Show this code at the door. Save the picture or take a screenshot',
    qrAlt: 'QR code for the door',
    big: {
      confirmed: 'You have a seat',
      offered: 'A seat is held for you',
      cancelled: 'Cancelled',
      over: 'Over',
    },
    place: (position) => `No.\u00a0${position} in line`,
    waiting: (hours) =>
      hours
        ? `All seats are taken. When it is your turn you get a mail and have ${hours}\u00a0${hours === 1 ? 'hour' : 'hours'} to confirm`
        : 'All seats are taken. When someone cancels, the next in line gets the seat and a mail',
    waitingClosed:
      'Registration is closed and the waitlist is paused. If it opens again, the line goes on in order and you get a mail',
    waitingOver: 'The workshop has begun and no seat came free. See you at the next one',
    offered: (until) => `Please confirm before ${until}; after that it goes to the next in line`,
    acceptOffer: 'Confirm my seat',
    offerAccepted: 'The seat is yours, and a mail is on its way.',
    offerExpired: 'Time is up',
    closed: 'Registration has closed. You keep your seat',
    cancelledBy: {
      attendee: 'You cancelled. Your seat has been passed on',
      organiser: 'The organisers cancelled this registration',
      workshop: 'This workshop will not take place. We are sorry',
      deadline: 'You did not confirm in time, and the seat went to the next in line',
      absence: 'You had not checked in, and the seat went to somebody who stood at the door',
    },
    over: 'See you at the next one',
    again: 'Changed your mind? Register again',
    calendar: 'Add to calendar',
    wechat: {
      hint: 'WeChat cannot download the calendar entry. Tap “···” at the top right and choose “Open in browser”, or copy the link of your ticket into a browser.',
      link: 'Link of your ticket',
      group: 'Join the chat group',
      groupHint: 'Press and hold the QR code to join.',
      groupExpired: 'The code of the group has expired and is being replaced. Please come back later.',
      groupAlt: 'QR code of the chat group',
      data: 'To download a copy, open this ticket in a browser',
    },
    copy: 'Copy',
    copied: 'Copied',
    keep: 'The address of this page is your ticket. Keep it, and keep it to yourself',
    prepare: 'What to bring and prepare',
    answeredReady: 'You said: ready',
    answeredNotYet: 'You said: not yet',
    email: 'Confirmation mail',
    emailTo: (email) => `Goes to ${email}`,
    emailWrong: 'Wrong address?',
    emailLabel: 'Correct e-mail address',
    emailHint: 'The confirmation is sent again; the old ticket link and code stop working',
    emailSubmit: 'Change it and send again',
    emailSaved: (email) =>
      `The address is now ${email}; the confirmation is on its way. This is your new ticket, the old link no longer works.`,
    emailUnchanged: 'The address is the same as before. Nothing was changed.',
    cantCome: 'Cannot come?',
    moveLink: 'Change the city',
    moved: 'You have moved to this workshop, and a mail is on its way.',
    cancelLink: 'Cancel and pass on the seat',
    leaveLink: 'Leave the waitlist',
    cancelTooLate: 'The workshop has begun; it is too late to cancel.',
    data: 'My details',
    dataCopy: 'Download a copy',
    dataErase: 'Delete my details',
  },

  move: {
    title: 'Change the city',
    lead: 'The same ticket for another city. Your seat here goes to the next in line at once.',
    choose: (city) => `Move to ${city}`,
    queue: (city) => `Move to the waitlist in ${city}`,
    seats: (seats) => `Seats left: ${seats}`,
    waiting: (people) => `All seats are taken, people waiting: ${people}`,
    none: 'There is no other workshop to move to now.',
    back: 'Stay, and go back to my ticket',
  },

  cancel: {
    title: 'Cancel your registration?',
    leaveTitle: 'Leave the waitlist?',
    warning: 'The seat goes to the next in line at once. To come after all, you would have to register again.',
    closedWarning:
      'The seat is no longer yours at once. Registration has closed: you cannot register again to come after all.',
    leaveWarning: 'Your place goes to those behind you.',
    submit: 'Cancel and pass on the seat',
    leaveSubmit: 'Leave the waitlist',
    back: 'Keep it, back to my ticket',
  },

  erase: {
    title: 'Delete your details?',
    warning:
      'Name, e-mail, phone, company, readiness, the name on your certificate and what you wrote as feedback are deleted at once and cannot be restored.',
    seatWarning: 'Your seat or place in line is given up, and this ticket stops working.',
    submit: 'Delete my details',
    back: 'Keep them, back to my ticket',
    done: 'Your details have been deleted.',
    refusals: {
      board_not_returned:
        'You still have a board that we lent you. Once it is back you can delete your details; until then we have to know who has it.',
    },
  },

  find: {
    title: 'Find my ticket',
    lead: 'Enter the e-mail address you registered with, and we mail the ticket to it.',
    submit: 'Mail me my ticket',
    done: 'Check your inbox',
    doneHint:
      'If this address has a registration, the ticket is on its way. Nothing after a few minutes? Look into the spam folder, or try another address.',
    again: 'Try another address',
  },

  link: {
    expired: 'This QR code no longer works',
    expiredHint: 'What it led to has ended, or there is a newer code.',
  },

  privacy: {
    title: 'Privacy notice',
    lead: 'We ask only for what the workshop needs, and delete it afterwards.',
    sections: (days) => [
      ['Who collects', 'The organisers of the workshop.'],
      [
        'What',
        'What you fill in: name, e-mail, phone, company or school, readiness, and your language. When you registered, through which QR code, that you agreed to this notice, and whether you said that you come. On the day: when and by whom you were checked in, which board you were lent and whether it came back. Afterwards, only if you want to: the name on your certificate, your ratings and what you write as feedback. No account, no tracking, one cookie that remembers the language.',
      ],
      [
        'What for',
        'To keep a seat for you, send the ticket and news of changes, check you in, lend you a board, certify that you took part, and make the workshops better. No marketing, no selling. Mails pass through a mail provider.',
      ],
      [
        'Who sees it',
        'The organisers. Helpers at the door see names and the last four digits of phones, on the day alone, and no e-mails. Whoever has the number of your certificate sees the name on it, the workshop, its city and date. Feedback is shown to the organisers without names.',
      ],
      [
        'How long',
        `${days}\u00a0days after the workshop your details are deleted; only numbers remain, whether you came, and your ratings. If you still have a board, they are kept until it is back. A certificate can be verified for good; its name stays only if you ticked that.`,
      ],
      [
        'Your rights',
        'On the page of your ticket you can cancel, correct your e-mail, download a copy of your details and delete them at once. To withdraw your consent is to delete them; what was done before stays lawful.',
      ],
    ],
    contact: 'Whom to contact',
    contactReply: 'Reply to any mail that we sent you.',
    version: (version) => `Version ${version}`,
  },

  calendar: { ticket: 'My ticket', label: (label, text) => `${label}: ${text}` },

  badge: { seats: (seats) => (seats === 1 ? '1\u00a0seat left' : `${seats}\u00a0seats left`) },

  errors: {
    400: { title: 'We did not understand that', hint: 'Please go back and try again.' },
    403: { title: 'That was refused', hint: 'Please open our page anew and try again.' },
    404: { title: 'There is nothing here', hint: 'The link may be mistyped, or the workshop is not announced yet.' },
    413: { title: 'That is too much', hint: 'Please shorten it and send it again.' },
    429: {
      title: 'Too many requests',
      hint: 'Please wait a few minutes. Your browser’s back button keeps what you typed.',
    },
    500: { title: 'Something broke on our side', hint: 'It has been logged. Please try again later.' },
    503: { title: 'We are busy right now', hint: 'Please reload in a few seconds. Sending twice does no harm.' },
  },

  footer: { find: 'Find my ticket', privacy: 'Privacy notice' },
}
