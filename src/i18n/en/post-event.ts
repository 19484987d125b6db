import type { PostEventMessages } from '../zh-CN/post-event.ts'

const pluralize = (n: number, one: string, more = `${one}s`) => `${n} ${n === 1 ? one : more}`

export const en: PostEventMessages = {
  ticket: {
    came: 'You were there',
    thanks: 'Thank you for coming.',
    materials: 'Materials',
    certificate: 'Certificate',
    askForCertificate: 'Get my certificate',
    showCertificate: 'My certificate',
    feedback: 'Tell us how it was',
    changeFeedback: 'Change my feedback',
    didNotCome:
      'We have no record that you checked in, so this is not possible. If you were there, please ask the organisers to check you in.',
  },

  certificate: {
    title: 'Certificate of attendance',
    lead: 'With your name it gets a number. Whoever has the number or the link can verify it.',
    tooEarly: 'You get it once the workshop has ended.',
    name: 'Name on the certificate',
    keep: 'Keep my name on it after my data are erased',
    keepHint: (days) =>
      `Without this, the certificate stays valid but has no name any more ${days} days after the workshop. When you erase your data yourself, the name always goes.`,
    ask: 'Get my certificate',
    change: 'Change the name',
    save: 'Save',
    saved: 'Saved.',
    number: 'Number',
    print: 'Print, or save as PDF',
    printHint: 'Print it with your browser, on A4 landscape. To keep a file, choose “Save as PDF” as the printer.',
    printWeChat: 'WeChat cannot print: tap the dots at the top and open this page in a browser.',
    link: 'Link to verify it',
    backToTicket: 'My ticket',

    verify: 'Verify a certificate',
    verifyLead: 'Enter the number on a certificate to see whether it is genuine.',
    verifyButton: 'Verify',
    verifyHint: '10 letters and digits; case and hyphens do not matter',
    genuine: 'This certificate is genuine',
    withdrawn: 'This certificate is not valid any more',
    withdrawnText: 'It was issued, but the check-in that it rests on was taken back.',
    unknown: 'There is no such number',
    unknownText:
      'Please compare it with the certificate. If it still is not here, the certificate was not issued by us.',
    person: 'Attendee',
    noName: 'The details are deleted; no name is shown any more',
    workshop: 'Workshop',
    place: 'City',
    date: 'Date',
    hours: 'Time',
    hoursLong: (time, hours) => `${time} (${pluralize(hours, 'hour')})`,
    issued: 'Issued on',

    certifies: 'This certifies that',
    took: 'took part in',
    someone: 'the bearer of this number',
    scan: 'Scan to verify',
    qrAlt: 'QR code to verify this certificate',
  },

  feedback: {
    title: 'Tell us how it was',
    lead: 'It takes a minute and helps us make the next one better. You need not answer everything.',
    anonymous: (days) =>
      `Organisers see the answers without names. What you write is deleted with your details after ${days} days; the ratings stay.`,
    questions: {
      useful: 'Was the content useful to you?',
      hands_on: 'Did the hands-on part go well?',
      better: 'What should be better next time?',
    },
    worst: '1, very bad',
    best: '5, very good',
    scale: '1 is very bad, 5 is very good',
    noAnswer: 'No answer',
    send: 'Send my feedback',
    change: 'Save the changes',
    given: 'Thank you, we have got it.',
    until: (moment) => `You can change it until ${moment}.`,
    tooLong: (question, most) => `“${question}”: at most ${most} characters`,
    refusals: {
      too_early: 'Feedback opens once the workshop has ended.',
      too_late: 'Feedback is closed.',
      did_not_come:
        'We have no record that you checked in, so you cannot answer. If you were there, please ask the organisers to check you in.',
      empty: 'Nothing is filled in yet.',
    },
  },

  attendance: {
    title: 'Attendance',
    link: 'Attendance and feedback',
    lead: 'Once the check-in is closed, whoever was not checked in did not come.',
    expected: 'expected',
    came: 'came',
    walkIns: 'joined at the door',
    noShows: 'did not come',
    passedOn: 'seats passed on',
    late: 'late cancellations',
    lateHint: 'Late cancellations: by attendees within 24 hours before the start.',
    notStarted: 'The workshop has not started. Once it has, the check-in is closed here.',
    close: 'Close the check-in',
    closeLead:
      'Is nobody else coming? With the check-in closed the figures stand. What a phone took down offline still counts when it arrives.',
    thank: (people) =>
      `Thank the ${pluralize(people, 'person', 'people')} who came by mail, with certificate, materials and feedback`,
    thankNobody: 'Of those who came, nobody left an address and has not been thanked yet.',
    preview: 'See the mail',
    closedAt: (moment) => `The check-in was closed on ${moment}.`,
    reopen: 'Open it again',
    reopenHint:
      'Was somebody not checked in? Open it, check them in, and close it again. Mails of thanks are not sent twice.',
    closed: 'The check-in is closed.',
    closedAndThanked: (people) =>
      `The check-in is closed, and ${people === 1 ? '1 mail of thanks is' : `${people} mails of thanks are`} on the way.`,
    reopened: 'The check-in is open again.',
    refusals: {
      not_started: 'The workshop has not started.',
      cancelled: 'The workshop was cancelled.',
      closed: 'The check-in is closed already.',
      not_closed: 'The check-in was not closed.',
      forgotten: 'The personal data of this workshop are deleted, so its check-in cannot be changed any more.',
      not_found: 'There is no such workshop.',
    },
    list: 'Who did not come',
    nobody: 'Everyone who was expected came.',
    number: 'No.',
    name: 'Name',
    company: 'Company or school',
    how: 'How',
    stayedAway: 'Did not come',
    seatPassedOn: 'Did not come; the seat went to somebody at the door',
    erased: '(deleted)',
    chart: 'How many came',
    chartSaid: (came, expected, noShows, walkIns) =>
      `Of ${expected} expected, ${noShows} did not come; ${came} came in all, ${walkIns} of them joined at the door.`,

    overbook: 'Seats to give next time',
    suggested: (seats, over) =>
      `With ${seats} seats in the room, ${seats + over} can be given (${over} more than there are).`,
    suggestedNone: (seats) => `With ${seats} seats in the room, give ${seats} and no more.`,
    restsOn: (basis, workshops, expected, noShows) =>
      `Of ${expected} people expected in ${{ same: 'the same workshop in this city', title: 'the same workshop', all: 'all workshops' }[basis]} (${pluralize(workshops, 'time')}), ${noShows} did not come.`,
    rate: (found, low, high) => `That is ${found}; with 95% confidence the true share lies between ${low} and ${high}.`,
    risk: 'Given so, more people come than there are seats in at most 5% of cases. It is a suggestion; you decide.',
    tooLittle: (workshops, expected, least) =>
      `Not enough data yet: ${pluralize(workshops, 'workshop')} closed, ${pluralize(expected, 'person', 'people')} expected. It takes ${least.workshops} and ${least.expected}.`,
    hint: (seats, over, rate) =>
      `About ${rate} did not come so far. If the room has ${seats} seats, ${seats + over} can be given. Only a suggestion.`,
  },

  materials: {
    title: 'Materials',
    link: 'Materials',
    lead: 'Attendees find these links on their tickets. Files are kept elsewhere; here are only the links.',
    one: (n) => `Material ${n}`,
    name: 'Title',
    url: 'Link (https://…)',
    note: 'Note, an extraction code say',
    afterwards: 'Only for those who came',
    up: 'Move up',
    down: 'Move down',
    drop: 'Remove',
    add: 'Add another',
    tooMany: (most) => `At most ${most} materials`,
  },

  questions: {
    title: 'Feedback questions',
    link: 'Feedback questions',
    lead: 'Those who came answer them after the workshop. With none left, the three usual questions are asked.',
    answered:
      'Questions that somebody has answered can be reworded, but neither removed nor changed to the other kind.',
    one: (n) => `Question ${n}`,
    text: 'Question',
    kind: 'How to answer',
    kinds: { rating: 'A rating from 1 to 5', text: 'A few words' },
    lost: (questions) => `Somebody has answered ${questions}: it can neither be removed nor changed to the other kind`,
    quoted: (question) => `“${question}”`,
    add: 'Add another question',
    tooMany: (most) => `At most ${most} questions`,
  },

  results: {
    title: 'Feedback',
    none: 'Nobody has answered yet.',
    rate: (answered, came, share) => `${pluralize(came, 'person', 'people')} came, ${answered} answered (${share}).`,
    average: (average, given) => `${average} on average, ${pluralize(given, 'rating')}`,
    noRating: 'Nobody gave a rating',
    stars: (rating) => String(rating),
    rating: 'Rating',
    count: 'People',
    said: (question, counts, average) =>
      `${question} ${average} on average; ratings from 1 to 5: ${counts.join(', ')}.`,
    texts: (n) => pluralize(n, 'answer'),
    noTexts: 'Nobody wrote anything, or it is deleted.',
    export: 'Export CSV',
    file: 'feedback',
    answer: 'No.',
  },
}
