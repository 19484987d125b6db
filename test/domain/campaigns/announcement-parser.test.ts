import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnnouncedDate } from '../../../src/domain/campaigns/announcement-parser/dates.ts'
import { type AnnouncementDraft, parseAnnouncement } from '../../../src/domain/campaigns/announcement-parser/index.ts'
import { hostileAnnouncements, repeatToLength } from '../../support/http/hostile-text.ts'

const today = { year: 2023, month: 7, day: 7 }

/** Summarizes a draft in a few lines, so that expectations stay readable next to the announcement. */
function summarizeDraft(text: string) {
  const draft = parseAnnouncement(text, today)
  expectFullCoverage(text, draft)
  return {
    title: joinLanguages(draft.title),
    ...(draft.price && { price: draft.price }),
    ...(joinLanguages(draft.summary) && { summary: joinLanguages(draft.summary) }),
    workshops: draft.workshops.map(({ city, venue, address, dates }) =>
      [
        joinLanguages(city) || '?',
        dates.map(formatDate).join(', ') || '?',
        joinLanguages(venue) && `@ ${joinLanguages(venue)}`,
        joinLanguages(address) && `# ${joinLanguages(address)}`,
      ]
        .filter(Boolean)
        .join(' '),
    ),
    items: draft.items.map(({ kind, text, url, mustConfirm }) =>
      [mustConfirm ? 'install' : kind, joinLanguages(text), ...(url ? [url] : [])].join(' '),
    ),
    ...(joinLanguages(draft.registration) && { registration: joinLanguages(draft.registration) }),
    leftover: draft.unparsed.map(({ text }) => text),
  }
}

const joinLanguages = ({ zh, en }: { zh?: string; en?: string }) => [zh, en].filter(Boolean).join(' / ')

function formatDate(date: AnnouncedDate): string {
  if ('month' in date) return date.month
  return [
    date.lastDate ? `${date.date}..${date.lastDate}` : date.date,
    date.from && (date.to ? `${date.from}-${date.to}` : date.from),
  ]
    .filter(Boolean)
    .join(' ')
}

const newsletter = {
  title: 'RT-Thread线下入门培训',
  price: 'free',
  summary: '免费；动手实验+理论',
  workshops: ['上海 2023-07', '南京 2023-07'],
  items: [
    'provided 开发板',
    'bring 电脑',
    'bring 插线板用于笔记本电脑充电',
    'prerequisite C语言',
    'prerequisite 单片机(ARM Cortex-M核)基础',
    'install RT-Thread Studio 开发环境',
  ],
  registration: '立即扫码报名(报名成功即可参加)',
}

const announcements: [
  name: string,
  text: string,
  draft: Omit<ReturnType<typeof summarizeDraft>, 'price'> & { price?: string },
][] = [
  [
    'the newsletter of July 2023 without line breaks',
    'RT-Thread线下入门培训7月 - 上海,南京1.免费2.动手实验+理论3.主办方免费提供开发板4.自行携带电脑,及插线板用于笔记本电脑充电5.参与者需要有C语言、单片机(ARM Cortex-M核)基础,请提前安装好RT-Thread Studio 开发环境报名通道立即扫码报名(报名成功即可参加)',
    { ...newsletter, leftover: [] },
  ],
  [
    'the newsletter as a table',
    `Title   RT-Thread线下入门培训
When    7月
Where   上海,南京
Items   1. 免费
        2. 动手实验+理论
        3. 主办方免费提供开发板
        4. 自行携带电脑,及插线板用于笔记本电脑充电
        5. 参与者需要有C语言、单片机(ARM Cortex-M核)基础,请提前安装好RT-Thread Studio 开发环境
Call    报名通道: 立即扫码报名 (报名成功即可参加)`,
    { ...newsletter, registration: '立即扫码报名 (报名成功即可参加)', leftover: ['Items', 'Call'] },
  ],
  [
    'the newsletter in full-width characters with line breaks and no numbers',
    `ＲＴ－Ｔｈｒｅａｄ线下入门培训
时间：７月
城市：上海、南京
免费
动手实验＋理论
主办方免费提供开发板
自行携带电脑，及插线板
需要有Ｃ语言基础，请提前安装好 RT-Thread Studio。`,
    {
      title: 'ＲＴ－Ｔｈｒｅａｄ线下入门培训',
      price: 'free',
      summary: '免费；动手实验＋理论',
      workshops: ['上海 2023-07', '南京 2023-07'],
      items: ['provided 开发板', 'bring 电脑', 'bring 插线板', 'prerequisite Ｃ语言基础', 'install RT-Thread Studio'],
      leftover: [],
    },
  ],
  [
    'emoji bullets of a WeChat article',
    `🎉RT-Thread 入门培训来啦🎉
📅 7月15日（周六）9:30-17:00
📍上海·浦东软件园（郭守敬路498号）
✅全程免费
✅动手实验
🎁现场提供开发板和午餐
💻请自带笔记本电脑
👉扫码报名，名额有限`,
    {
      title: 'RT-Thread 入门培训来啦',
      price: 'free',
      summary: '全程免费；动手实验',
      workshops: ['上海 2023-07-15 09:30-17:00 @ 浦东软件园 # 郭守敬路498号'],
      items: ['provided 开发板', 'provided 午餐', 'bring 笔记本电脑'],
      registration: '扫码报名，名额有限',
      leftover: [],
    },
  ],
  [
    'emoji bullets without line breaks',
    '嵌入式Linux工作坊✅8月5日✅深圳✅免费✅提供开发板✅自带电脑',
    {
      title: '嵌入式Linux工作坊',
      price: 'free',
      summary: '免费',
      workshops: ['深圳 2023-08-05'],
      items: ['provided 开发板', 'bring 电脑'],
      leftover: [],
    },
  ],
  [
    'circled numbers',
    'RISC-V 线下实训 ①时间：2023年9月2日 ②地点：成都 ③费用：99元/人 ④自备电脑、串口线 ⑤需具备C语言基础',
    {
      title: 'RISC-V 线下实训',
      price: 'paid',
      summary: '99元/人',
      workshops: ['成都 2023-09-02'],
      items: ['bring 电脑', 'bring 串口线', 'prerequisite C语言基础'],
      leftover: [],
    },
  ],
  [
    'an official notice with Chinese numbers',
    `关于举办RT-Thread物联网师资培训的通知

一、培训时间
2023年8月12日-13日 9:00-17:00

二、培训地点
西安

三、培训内容
RT-Thread内核
设备驱动开发

四、参会要求
1、自带笔记本电脑
2、请提前安装RT-Thread Studio
3、具备C语言基础

五、联系方式
王老师 029-12345678`,
    {
      title: '关于举办RT-Thread物联网师资培训的通知',
      summary: 'RT-Thread内核；设备驱动开发',
      workshops: ['西安 2023-08-12..2023-08-13 09:00-17:00'],
      items: ['bring 笔记本电脑', 'install RT-Thread Studio', 'prerequisite C语言基础'],
      leftover: ['王老师 029-12345678'],
    },
  ],
  [
    'Markdown in English',
    `# RT-Thread Beginner Workshop

**When:** Saturday, July 15th, 9:30am - 5pm
**Where:** Shanghai, Pudong Software Park

## What to bring
- A laptop
- a power strip

## Prerequisites
- Basics of C

## Software
- [RT-Thread Studio](https://www.rt-thread.org/studio.html)

Free of charge. RSVP: https://example.org/r/7`,
    {
      title: 'RT-Thread Beginner Workshop',
      price: 'free',
      summary: 'Free of charge',
      workshops: ['Shanghai 2023-07-15 09:30-17:00 @ Pudong Software Park'],
      items: [
        'bring laptop',
        'bring power strip',
        'prerequisite Basics of C',
        'install RT-Thread Studio https://www.rt-thread.org/studio.html',
      ],
      registration: 'https://example.org/r/7',
      leftover: [],
    },
  ],
  [
    'a Meetup text in prose',
    `Getting started with Zephyr

Join us on Sat 15 July 9:30-17:00 in Beijing for a day of embedded fun! We will provide boards and lunch. Please bring a laptop and a USB-C cable. You should know the basics of C. Please install VS Code beforehand.`,
    {
      title: 'Getting started with Zephyr',
      workshops: ['Beijing 2023-07-15 09:30-17:00'],
      items: [
        'provided boards',
        'provided lunch',
        'bring laptop',
        'bring USB-C cable',
        'prerequisite C',
        'install VS Code',
      ],
      leftover: ['Join us on', 'in', 'for a day of embedded fun!'],
    },
  ],
  [
    'one English sentence of many clauses',
    'Embedded Rust Day\nFree of charge, hands-on labs and theory, boards provided, bring a laptop.',
    {
      title: 'Embedded Rust Day',
      price: 'free',
      summary: 'Free of charge; hands-on labs and theory',
      workshops: [],
      items: ['provided boards', 'bring laptop'],
      leftover: [],
    },
  ],
  [
    'a university mail',
    `各位同学：

嵌入式系统实验室将于7月15日下午两点在南京举办线下培训。
培训免费，请自带电脑。
有C语言基础者优先。

实验室
2023年7月3日 发布`,
    {
      title: '',
      price: 'free',
      summary: '培训免费',
      workshops: ['南京 2023-07-15 14:00'],
      items: ['bring 电脑'],
      leftover: [
        '各位同学',
        '嵌入式系统实验室将于',
        '在',
        '举办线下培训',
        '有C语言基础者优先',
        '实验室',
        '2023年7月3日 发布',
      ],
    },
  ],
  [
    'a mail in English',
    `Subject: Microcontroller lab, 22 July

Dear students,

Date: 22 July 2023
Time: 2-5pm
Venue: Room 301, Building 2
City: Nanjing
Please bring your laptop.

Best regards,
Dr. Wang`,
    {
      title: 'Microcontroller lab, 22 July',
      workshops: ['Nanjing 2023-07-22 14:00-17:00 @ Room 301, Building 2'],
      items: ['bring laptop'],
      leftover: ['Dear students', 'Best regards', 'Dr. Wang'],
    },
  ],
  [
    'a 活动行 listing with a label for every field',
    `活动主题：RT-Thread 开发者沙龙
活动时间：2023-07-29 13:30~17:30
活动地点：杭州市余杭区文一西路969号
活动费用：免费
主办方：睿赛德科技
报名截止：7月25日
报名方式：点击阅读原文`,
    {
      title: 'RT-Thread 开发者沙龙',
      price: 'free',
      summary: '免费',
      workshops: ['杭州 2023-07-29 13:30-17:30 # 余杭区文一西路969号'],
      items: [],
      registration: '7月25日；点击阅读原文',
      leftover: ['睿赛德科技'],
    },
  ],
  [
    'a four-letter abbreviation of four cities, no date',
    '【线下培训】RISC-V入门班\n城市：北上广深、杭州\n费用：¥199',
    {
      title: '【线下培训】RISC-V入门班',
      price: 'paid',
      summary: '¥199',
      workshops: ['北京 ?', '上海 ?', '广州 ?', '深圳 ?', '杭州 ?'],
      items: [],
      leftover: [],
    },
  ],
  [
    'a date for each city',
    'RT-Thread巡回培训\n7月15日上海，7月22日南京，7月29日合肥',
    {
      title: 'RT-Thread巡回培训',
      workshops: ['上海 2023-07-15', '南京 2023-07-22', '合肥 2023-07-29'],
      items: [],
      leftover: [],
    },
  ],
  [
    'cities with their dates and venues in lines',
    `RT-Thread巡回培训
上海：7月15日 浦东软件园
南京：7月22日 紫峰大厦`,
    {
      title: 'RT-Thread巡回培训',
      workshops: ['上海 2023-07-15 @ 浦东软件园', '南京 2023-07-22 @ 紫峰大厦'],
      items: [],
      leftover: [],
    },
  ],
  [
    'a heading for each city',
    `物联网动手营
上海站
时间：7月15日 9:30
地点：张江路88号3楼
南京站
时间：7月22日 9:30
地点：南京大学仙林校区`,
    {
      title: '物联网动手营',
      workshops: ['上海 2023-07-15 09:30 # 张江路88号3楼', '南京 2023-07-22 09:30 @ 南京大学仙林校区'],
      items: [],
      leftover: [],
    },
  ],
  [
    'dates and cities that cannot be matched',
    '时间：7月15日、22日\n地点：上海、南京',
    { title: '', workshops: ['上海 2023-07-15, 2023-07-22', '南京 2023-07-15, 2023-07-22'], items: [], leftover: [] },
  ],
  [
    'a past month, and dates in slashes',
    'STM32训练营\n时间：3/16 9点-12点\n地点：武汉',
    { title: 'STM32训练营', workshops: ['武汉 2024-03-16 09:00-12:00'], items: [], leftover: [] },
  ],
  [
    'a weekday that contradicts its date, and a day that does not exist',
    'STM32训练营\n时间：7月15日（周五）\n时间：2月30日\n地点：武汉',
    { title: 'STM32训练营', workshops: ['武汉 2023-07-15'], items: [], leftover: ['周五', '2月30日'] },
  ],
  [
    'cities missing from the list',
    'Embedded Day\nWhere: Berlin and Tokyo\nWhen: 3 to 5 September',
    {
      title: 'Embedded Day',
      workshops: ['Berlin 2023-09-03..2023-09-05', 'Tokyo 2023-09-03..2023-09-05'],
      items: [],
      leftover: [],
    },
  ],
  [
    'both languages',
    `RT-Thread线下入门培训
RT-Thread Beginner Workshop
地点：上海 Shanghai
时间：7月15日
免费，主办方提供开发板
Free of charge. Boards are provided.`,
    {
      title: 'RT-Thread线下入门培训 / RT-Thread Beginner Workshop',
      price: 'free',
      summary: '免费 / Free of charge',
      workshops: ['上海 / Shanghai 2023-07-15'],
      items: ['provided 开发板', 'provided Boards'],
      leftover: [],
    },
  ],
  [
    'items named before their verb',
    '鸿蒙设备开发课\n开发板、杜邦线由主办方提供\n电脑请自带\nRT-Thread Studio请提前安装，下载地址：https://www.rt-thread.org/studio.html',
    {
      title: '鸿蒙设备开发课',
      workshops: [],
      items: [
        'provided 开发板',
        'provided 杜邦线',
        'bring 电脑',
        'install RT-Thread Studio https://www.rt-thread.org/studio.html',
      ],
      leftover: [],
    },
  ],
  [
    'sentences that resemble cues',
    '物联网公开课\n无需基础，不提供午餐\n由上海交通大学的王老师主讲\n2006年1月成立的社区带你了解RT-Thread\n南京东路站步行5分钟',
    {
      title: '物联网公开课',
      workshops: [],
      items: [],
      leftover: [
        '无需基础，不提供午餐',
        '由上海交通大学的王老师主讲',
        '2006年1月成立的社区带你了解RT-Thread',
        '南京东路站步行5分钟',
      ],
    },
  ],
  [
    'a venue with an address in English',
    'IoT Lab Night\nDate & time: July 20, 2023, 18:30-21:00\nVenue: Makerspace, 498 Guoshoujing Road, Pudong, Shanghai\nFee: 50 RMB\nBring: laptop, charger',
    {
      title: 'IoT Lab Night',
      price: 'paid',
      summary: '50 RMB',
      workshops: ['Shanghai 2023-07-20 18:30-21:00 @ Makerspace # 498 Guoshoujing Road, Pudong'],
      items: ['bring laptop', 'bring charger'],
      leftover: [],
    },
  ],
  [
    'a venue for one of several cities, and one to be announced',
    'RT-Thread线下培训\n地点：上海（浦东软件园）、南京（地点待定）\n8月',
    {
      title: 'RT-Thread线下培训',
      workshops: ['上海 2023-08 @ 浦东软件园', '南京 2023-08'],
      items: [],
      leftover: ['地点待定'],
    },
  ],
  [
    'a list under labels in brackets',
    `【活动时间】8月19日 上午9点至下午4点半
【活动地点】广州
【携带物品】
• 笔记本电脑
• 充电器
【报名方式】扫描下方二维码`,
    {
      title: '',
      workshops: ['广州 2023-08-19 09:00-16:30'],
      items: ['bring 笔记本电脑', 'bring 充电器'],
      registration: '扫描下方二维码',
      leftover: [],
    },
  ],
  [
    'fields separated by bars',
    'FreeRTOS 入门 | 8月6日 | 苏州 | 自带电脑',
    { title: 'FreeRTOS 入门', workshops: ['苏州 2023-08-06'], items: ['bring 电脑'], leftover: [] },
  ],
  [
    'a mail of one paragraph in English',
    'RT-Thread workshop, Shanghai & Nanjing, July 2023. Free. Hands-on labs plus theory. We provide the dev boards; please bring your own laptop and a power strip for charging it. Prerequisites: C language, basic MCU (ARM Cortex-M) knowledge. Please install RT-Thread Studio in advance. Register by scanning the QR code.',
    {
      title: 'RT-Thread workshop',
      price: 'free',
      summary: 'Free; Hands-on labs plus theory',
      workshops: ['Shanghai 2023-07', 'Nanjing 2023-07'],
      items: [
        'provided dev boards',
        'bring laptop',
        'bring power strip for charging it',
        'prerequisite C language',
        'prerequisite basic MCU (ARM Cortex-M) knowledge',
        'install RT-Thread Studio',
      ],
      registration: 'Register by scanning the QR code',
      leftover: [],
    },
  ],
  [
    'the newsletter as a paragraph',
    'RT-Thread线下入门培训，7月，上海、南京。免费，动手实验+理论。主办方免费提供开发板，自行携带电脑及插线板用于笔记本电脑充电。参与者需要有C语言、单片机（ARM Cortex-M核）基础，请提前安装好RT-Thread Studio 开发环境。报名成功即可参加。',
    {
      ...newsletter,
      items: newsletter.items.map((item) => item.replace('(', '（').replace(')', '）')),
      registration: '报名成功即可参加',
      leftover: [],
    },
  ],
  [
    'dates and cities before the title',
    '7月 上海/南京 RT-Thread线下入门培训',
    { title: 'RT-Thread线下入门培训', workshops: ['上海 2023-07', '南京 2023-07'], items: [], leftover: [] },
  ],
  [
    'Chinese numbers without line breaks',
    '一、活动主题：嵌入式AI工作坊 二、时间：7月22日（周六）下午14:00—17:00三、地点：北京·中关村创业大街 四、需自备：笔记本电脑、Type-C数据线 五、我们提供：开发板、讲义 六、报名请发邮件至 abc@example.com',
    {
      title: '嵌入式AI工作坊',
      workshops: ['北京 2023-07-22 14:00-17:00 # 中关村创业大街'],
      items: ['bring 笔记本电脑', 'bring Type-C数据线', 'provided 开发板', 'provided 讲义'],
      registration: '报名请发邮件至 abc@example.com',
      leftover: [],
    },
  ],
  [
    'an English listing with bars and bullets',
    "Workshop: Getting Started with Zephyr RTOS\nDate: Aug 5–6, 2023 | Time: 10:00–16:00 | Location: Shenzhen Open Innovation Lab, Nanshan District, Shenzhen\nLevel: Beginner\n• Boards will be provided\n• You'll need to bring a laptop with VS Code installed\n• No prior experience required\n• Tickets: ¥99",
    {
      title: 'Workshop: Getting Started with Zephyr RTOS',
      price: 'paid',
      summary: '¥99',
      workshops: ['Shenzhen 2023-08-05..2023-08-06 10:00-16:00 @ Shenzhen Open Innovation Lab, Nanshan District'],
      items: ['provided Boards', 'bring laptop with VS Code installed'],
      leftover: ['Level: Beginner', 'No prior experience required'],
    },
  ],
  [
    'a weekly recurrence, which is no date',
    '城市：上海、南京\n时间：9月每周六',
    { title: '', workshops: ['上海 2023-09', '南京 2023-09'], items: [], leftover: ['每周六'] },
  ],
]

describe('parseAnnouncement reads', () => {
  test.each(announcements)('%s', (_, text, draft) => {
    expect(summarizeDraft(text)).toEqual(draft)
  })
})

const ignoredCharacter = /[\s\p{P}\p{Cc}\p{Cf}|｜~～<>＜＞\u2500-\u257f]|\ufe0e|\ufe0f/u

/** Asserts that every character except spaces and punctuation is in a span or unparsed, and that the draft invents no text. */
function expectFullCoverage(text: string, draft: AnnouncementDraft): void {
  expectCharactersCovered(text, draft)
  const values = draft.spans.filter(({ kind }) => kind === 'value')
  const draftedTexts = [...draftTexts(draft)]
  for (const draftedText of draftedTexts) expect(text).toContain(draftedText)
  // Every text read as a value is in the draft verbatim; only dates and cities are rewritten.
  const all = draftedTexts.join('\n')
  for (const { start, end, field } of values) {
    if (field !== 'date' && field !== 'city') expect(all).toContain(text.slice(start, end))
  }
}

function expectCharactersCovered(text: string, draft: AnnouncementDraft): void {
  const covered = new Uint8Array(text.length)
  for (const { start, end } of [...draft.spans, ...draft.unparsed]) covered.fill(1, start, end)
  for (let index = 0; index < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(index) as number)
    if (!covered[index] && !ignoredCharacter.test(character))
      throw new Error(`${JSON.stringify(character)} at ${index} is lost`)
    index += character.length
  }
  // Cues come from a closed list of words, so a long one would be a swallowed sentence.
  for (const { start, end, kind } of draft.spans) if (kind === 'cue') expect(end - start).toBeLessThan(45)
  for (const { start, end, text: unparsedText } of draft.unparsed) expect(text.slice(start, end)).toBe(unparsedText)
}

function* draftTexts({ title, summary, registration, items, workshops }: AnnouncementDraft): Generator<string> {
  yield* Object.values(title)
  for (const joined of [summary, registration]) yield* Object.values(joined).flatMap((part) => part.split(/；|; /))
  for (const { text, url } of items) yield* [...Object.values(text), ...(url ? [url] : [])]
  for (const { city, venue, address } of workshops) {
    yield* [...Object.values(venue), ...Object.values(address)]
    // 北上广深 is expanded to four cities, so these names need not appear.
    yield* Object.values(city).filter((name) => !['北京', '上海', '广州', '深圳', '杭州'].includes(name))
  }
}

const fragments = announcements.flatMap(([, text]) => text.split(/(?<=[\n。，,；：:✅①-⑳])|(?=\d\.)/u))
const fragment = fc.constantFrom(...fragments)
const separator = fc.constantFrom(
  '',
  ' ',
  '\n',
  '\n\n',
  '，',
  '。',
  '. ',
  '; ',
  ' - ',
  '1.',
  '2、',
  '✅',
  '• ',
  '：',
  '（',
  ')',
  '和',
  ' and ',
)

/** Announcements assembled from pieces of real ones in any order, with any punctuation between them. */
const announcement = fc.array(fc.tuple(fragment, separator), { maxLength: 30 }).map((parts) => parts.flat().join(''))
const garbage = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc
    .array(
      fc.oneof(
        fragment,
        separator,
        fc.string({ unit: 'binary', maxLength: 5 }),
        fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      ),
      {
        maxLength: 40,
      },
    )
    .map((parts) => parts.join('')),
)
const day = fc.record({
  year: fc.integer({ min: 2000, max: 2998 }),
  month: fc.integer({ min: 1, max: 12 }),
  day: fc.integer({ min: 1, max: 28 }),
})

test('parseAnnouncement loses and invents nothing in shuffled announcements', () => {
  fc.assert(
    fc.property(announcement, day, (text, today) => expectFullCoverage(text, parseAnnouncement(text, today))),
    { numRuns: 1000 },
  )
})

test('parseAnnouncement loses and invents nothing in arbitrary text, and returns only valid dates', () => {
  fc.assert(
    fc.property(garbage, day, (text, today) => {
      const draft = parseAnnouncement(text, today)
      expectFullCoverage(text, draft)
      for (const date of draft.workshops.flatMap(({ dates }) => dates)) {
        if ('month' in date) expect(date.month).toMatch(/^2\d{3}-(0[1-9]|1[0-2])$/)
        else {
          for (const value of [date.date, date.lastDate ?? date.date])
            expect(new Date(`${value}T00:00:00Z`).toISOString().slice(0, 10)).toBe(value)
          for (const time of [date.from, date.to]) expect(time ?? '00:00').toMatch(/^([01]\d|2[0-3]):[0-5]\d$/)
        }
      }
    }),
    { numRuns: 1000 },
  )
})

test('parseAnnouncement keeps a month without a day as a month', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), day, (month, today) => {
      const [workshop] = parseAnnouncement(`入门培训${month}月 - 上海`, today).workshops
      const year = month < today.month ? today.year + 1 : today.year
      expect(workshop?.dates).toEqual([{ month: `${year}-${String(month).padStart(2, '0')}` }])
    }),
  )
})

test.each([
  ['7月15日 9:30-17:00', '2023-07-15 09:30-17:00'],
  ['７月１５日９：３０－１７：００', '2023-07-15 09:30-17:00'],
  ['7/15', '2023-07-15'],
  ['15/7', '2023-07-15'],
  ['7.15', '2023-07-15'],
  ['2023-07-15', '2023-07-15'],
  ['2023.7.15', '2023-07-15'],
  ['2023年7月15号（星期六）', '2023-07-15'],
  ['2023/07', '2023-07'],
  ['七月十五日', '2023-07-15'],
  ['15 July', '2023-07-15'],
  ['July 15th', '2023-07-15'],
  ['15th of July, 2024', '2024-07-15'],
  ['Sat 15 July 9:30-17:00', '2023-07-15 09:30-17:00'],
  ['Saturday, July 15, 2023 at 9 a.m. to 5:30 p.m.', '2023-07-15 09:00-17:30'],
  ['SAT 15 JULY', '2023-07-15'],
  ['15-16 July', '2023-07-15..2023-07-16'],
  ['15 and 22 July', '2023-07-15, 2023-07-22'],
  ['July 2024', '2024-07'],
  ['in March', '2024-03'],
  ['7月15日下午两点', '2023-07-15 14:00'],
  ['7月15日下午2点到5点半', '2023-07-15 14:00-17:30'],
  ['7月15日 14时30分至17时', '2023-07-15 14:30-17:00'],
  ['9:30-17:00, 15 July', '2023-07-15 09:30-17:00'],
  ['7月15、16日', '2023-07-15, 2023-07-16'],
  ['7月15日-16日', '2023-07-15..2023-07-16'],
  ['7月31日至8月2日', '2023-07-31..2023-08-02'],
  ['2023-12-30 ~ 2024-01-02', '2023-12-30..2024-01-02'],
  ['7月15日、22日 9:30', '2023-07-15 09:30, 2023-07-22 09:30'],
  ['1月6日', '2024-01-06'],
  ['12月', '2023-12'],
])('parseAnnouncement reads the time %s as %s', (text, date) => {
  expect(summarizeDraft(`时间：${text}`).workshops).toEqual([`? ${date}`])
})

test.each([
  '13月',
  '2月30日',
  '25:00',
  '本周六',
  '周六',
  'Sunday',
  'you may come',
  'STM32F103',
  '1/2/3/4',
  '时间待定',
  '9-12',
  '',
])('parseAnnouncement reads no date from %s', (text) => {
  expect(summarizeDraft(`时间：${text}`).workshops).toEqual([])
})

test.each(Object.entries(hostileAnnouncements))('parseAnnouncement loses nothing of 100 kB of %s', (_, unit) => {
  const text = repeatToLength(unit, 100_000)
  const draft = parseAnnouncement(text, today)
  expectCharactersCovered(text, draft)
  expect(draft.items.length).toBeLessThanOrEqual(100)
  expect(draft.workshops.length).toBeLessThanOrEqual(61)
  expect(draft.unparsed.length).toBeLessThanOrEqual(500)
})

test('parseAnnouncement reads an announcement at the end of a long newsletter', () => {
  const text = '时间：7月15日\n城市：上海、南京\n自行携带电脑，及插线板'
  const article = '本期介绍 RT-Thread 的线程调度，以及它在 STM32 上的 3 个例子。\n'.repeat(250)
  const draft = parseAnnouncement(`${article}${text}`, today)
  expect(article.length).toBeGreaterThan(10_000)
  expect(draft.workshops.map(({ city }) => joinLanguages(city))).toEqual(['上海', '南京'])
  expect(draft.items.map(({ text }) => joinLanguages(text)).slice(-2)).toEqual(['电脑', '插线板'])
})
