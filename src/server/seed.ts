import { createCampaign } from '../domain/campaigns/campaigns.ts'
import type { Deps } from '../domain/deps.ts'
import { createLink, type RegistrationLink } from '../domain/promotion/registration-links.ts'
import { createWorkshop, type ItemDraft } from '../domain/workshops/workshops.ts'

/**
 * Creates one published example campaign in an empty installation: the RT-Thread beginner workshop in Shanghai and
 * Nanjing, on two Saturdays of next month, with a registration link for the newsletter.
 * Source: the announcement at the end of RT-Thread's AI newsletter of 2023-07-07.
 */
export async function seed(deps: Deps): Promise<RegistrationLink> {
  // In one transaction: after a partial seed the installation would no longer be empty, so it could not be repeated.
  return deps.db.transaction((tx) => createExample({ ...deps, db: tx }))
}

async function createExample(deps: Deps): Promise<RegistrationLink> {
  const title = { zh: 'RT-Thread 线下入门培训', en: 'RT-Thread beginner workshop' }
  const created = await createCampaign(deps, {
    title,
    summary: {
      zh: '动手实验 + 理论，免费。主办方提供开发板，报名成功即可参加。',
      en: 'Hands-on labs and theory, free of charge. Boards are lent by the organiser; who has registered may attend.',
    },
    slug: `rt-thread-${firstOfNextMonth(deps).slice(0, 7)}`,
    items: checklist,
    publish: true,
  })
  if (created.kind === 'refused') throw new Error('the example campaign exists already')
  const { campaign } = created
  const places = [
    { city: { zh: '上海', en: 'Shanghai' }, saturday: 2, seats: 40 },
    { city: { zh: '南京', en: 'Nanjing' }, saturday: 3, seats: 30 },
  ]
  for (const { city, saturday, seats } of places) {
    const day = nthSaturday(firstOfNextMonth(deps), saturday)
    await createWorkshop(deps, {
      campaignId: campaign.id,
      title,
      city,
      venue: { zh: '具体地点确认后通知', en: 'Venue to be announced' },
      address: {},
      // China has had one offset, without summer time, since 1992.
      startsAt: new Date(`${day}T09:30:00+08:00`),
      endsAt: new Date(`${day}T17:00:00+08:00`),
      timeZone: 'Asia/Shanghai',
      capacity: seats,
      boards: seats,
      publish: true,
    })
  }
  return (await createLink(deps, { campaign: campaign.slug }, { channel: 'AI newsletter' })) as RegistrationLink
}

const checklist: ItemDraft[] = [
  {
    kind: 'provided',
    text: { zh: '开发板，现场免费使用', en: 'A development board, lent free of charge' },
    mustConfirm: false,
  },
  { kind: 'bring', text: { zh: '笔记本电脑', en: 'A laptop' }, mustConfirm: false },
  {
    kind: 'bring',
    text: { zh: '插线板，给笔记本电脑充电用', en: 'A power strip, to charge the laptop' },
    mustConfirm: false,
  },
  {
    kind: 'prerequisite',
    text: { zh: 'C 语言、单片机（ARM Cortex-M 核）基础', en: 'Basics of C and of microcontrollers (ARM Cortex-M)' },
    mustConfirm: true,
  },
  {
    kind: 'prerequisite',
    text: { zh: '已安装 RT-Thread Studio 开发环境', en: 'RT-Thread Studio is installed' },
    url: 'https://www.rt-thread.org/studio.html',
    mustConfirm: true,
  },
]

/** First day of next month in China, e.g. 2026-12-01. */
function firstOfNextMonth(deps: Deps): string {
  const today = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai', dateStyle: 'short' }).format(deps.now())
  const [year = 0, month = 0] = today.split('-').map(Number)
  return new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10)
}

/** nth Saturday of the month that starts on `firstDay`, as an ISO date. */
function nthSaturday(firstDay: string, nth: number): string {
  const first = new Date(`${firstDay}T00:00:00Z`)
  const firstSaturday = 1 + ((6 - first.getUTCDay() + 7) % 7)
  first.setUTCDate(firstSaturday + (nth - 1) * 7)
  return first.toISOString().slice(0, 10)
}
