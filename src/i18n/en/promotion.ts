import type { PromotionMessages } from '../zh-CN/promotion.ts'

export const en: PromotionMessages = {
  day: ({ month, day }) => `${day} ${month}`,
  date: ({ month, day, weekday }) => `${weekday} ${day} ${month}`,
  listed: (things) => things.join(things.some((thing) => thing.includes(',')) ? '; ' : ', '),
  labelled: (label, text) => `${label}: ${text}`,

  poster: {
    alt: (title) => `${title}, poster`,
    qrAlt: 'QR code to register',
    call: 'Scan to register',
    hint: { phone: 'Press and hold, or scan', a4: 'With WeChat or the camera of your phone' },
    everywhere: (time) => `Everywhere ${time}`,
    more: (workshops) => `${workshops} more: scan to see them`,
    none: 'Scan to see cities and dates',
  },

  article: {
    cities: 'Cities and dates',
    none: 'Cities and dates will follow.',
    prepare: 'What to prepare',
    install: 'How to download and install it stands on the registration page',
    call: 'Press and hold the QR code to register',
    hint: 'Who has registered may attend. When the seats are gone there is a waitlist.',
    qrHere: (file) => ['The QR goes here', `Upload ${file}, then delete this box`],
    qrInText: '[QR code to register]',
  },

  chat: {
    workshop: ({ city, date, time, venue, seats }) =>
      `${city}: ${[date, time, venue, seats].filter(Boolean).join(', ')}`,
    register: 'Register here:',
  },

  badge: { alt: (city, title) => `${city}: ${title}, registration` },

  qrPlaces: { article: 'WeChat article', poster: 'Poster', slide: 'Slide' },
}
