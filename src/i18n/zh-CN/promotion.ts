import type { DateTexts } from '../format.ts'

/** Posters, article blocks, chat messages and snippets. */
export const zhCN = {
  /** 12月19日 */
  day: ({ month, day }: DateTexts) => `${month}${day}日`,
  /** 12月19日 周六 */
  date: ({ month, day, weekday }: DateTexts) => `${month}${day}日 ${weekday}`,
  listed: (things: string[]) => things.join(things.some((thing) => /[，、]/.test(thing)) ? '；' : '、'),
  labelled: (label: string, text: string) => `${label}：${text}`,

  poster: {
    alt: (title: string) => `${title}，海报`,
    qrAlt: '报名二维码',
    call: '扫码报名',
    hint: { phone: '长按识别，或用微信扫一扫', a4: '用微信或手机相机扫一扫' },
    /** Above the timetable, if all workshops have the same hours. */
    everywhere: (time: string) => `各场都是 ${time}`,
    more: (workshops: number) => `还有\u00a0${workshops}\u00a0场，扫码查看`,
    none: '城市和日期，扫码查看',
  },

  article: {
    cities: '城市和时间',
    none: '城市和日期稍后公布。',
    prepare: '准备什么',
    install: '下载和安装说明在报名页面上',
    call: '长按识别二维码报名',
    hint: '报名成功即可参加，名额满了可以候补。',
    /** In the placeholder for the image that the organiser uploads. */
    qrHere: (file: string) => ['二维码图片放在这里', `请上传 ${file}，再删掉这个框`],
    qrInText: '【报名二维码】',
  },

  chat: {
    workshop: ({ city, date, time, venue, seats }: ChatLine) =>
      `${city}：${[`${date} ${time}`, venue, seats].filter(Boolean).join('，')}`,
    register: '点这里报名：',
  },

  badge: { alt: (city: string, title: string) => `${city}，${title}，报名` },

  qrPlaces: { article: '公众号文章', poster: '海报', slide: '幻灯片' },
}

export type ChatLine = {
  city: string
  date: string
  time: string
  venue: string
  /** Seats left, or the status. */
  seats: string
}

export type PromotionMessages = typeof zhCN
