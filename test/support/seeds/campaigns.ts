import { type Campaign, type CampaignDraft, findCampaign } from '../../../src/domain/campaigns/campaigns.ts'
import type { ItemDraft, WorkshopDraft } from '../../../src/domain/workshops/workshops.ts'
import type { World } from '../world.ts'

const places = [
  ['上海', 'Shanghai', '张江科学会堂', 'Zhangjiang Science Hall'],
  ['南京', 'Nanjing', '东南大学四牌楼校区', 'Southeast University, Sipailou campus'],
  ['深圳', 'Shenzhen', '南山智园崇文园区', 'Nanshan i-Park, Chongwen'],
  ['北京', 'Beijing', '中关村创业大街', 'Zhongguancun InnoWay'],
  ['成都', 'Chengdu', '天府软件园', 'Tianfu Software Park'],
  ['呼和浩特', 'Hohhot', '内蒙古大学', 'Inner Mongolia University'],
  ['武汉', 'Wuhan', '光谷国际网球中心旁的创业咖啡', 'Start-up café beside the Optics Valley tennis centre'],
  ['西安', "Xi'an", '西安电子科技大学北校区', 'Xidian University, north campus'],
  ['杭州', 'Hangzhou', '梦想小镇', 'Dream Town'],
  ['石家庄', 'Shijiazhuang', '河北师范大学', 'Hebei Normal University'],
] as const

/** The checklist of RT-Thread's announcement of July 2023. */
export const checklist: ItemDraft[] = [
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

/** A published campaign with a workshop in each of up to ten cities, on successive Saturdays from 19 December 2026. */
export async function createAnnouncedCampaign(
  world: World,
  cities: number,
  { workshop = {}, ...draft }: Partial<CampaignDraft> & { workshop?: Partial<WorkshopDraft> } = {},
): Promise<Campaign> {
  const campaign = await world.campaign({
    title: { zh: 'RT-Thread 线下入门培训', en: 'RT-Thread beginner workshop' },
    summary: {
      zh: '动手实验 + 理论，免费。主办方提供开发板，报名成功即可参加。',
      en: 'Hands-on labs and theory, free of charge. Boards are lent by the organiser; who has registered may attend.',
    },
    items: checklist,
    ...draft,
  })
  for (const [n, [zh, en, venueZh, venueEn]] of places.slice(0, cities).entries()) {
    const startsAt = new Date(Date.parse('2026-12-19T09:30:00+08:00') + n * 7 * 24 * 3_600_000)
    await world.workshop({
      campaignId: campaign.id,
      city: { zh, en },
      venue: { zh: venueZh, en: venueEn },
      startsAt,
      endsAt: new Date(startsAt.getTime() + 7.5 * 3_600_000),
      capacity: 40,
      ...workshop,
    })
  }
  return (await findCampaign(world.deps, campaign.slug)) as Campaign
}

/** Texts close to their maximum length, in both languages. */
export const longTexts = {
  title: {
    zh: '面向嵌入式初学者和高校师生的国产开源实时操作系统 RT-Thread 线下动手实践入门培训暨开发者交流大会（第二十三期，冬季特别场）',
    en: 'An introduction to embedded programming with the open source real-time operating system RT-Thread, hands-on, for beginners, students and their teachers',
  },
  summary: {
    zh: '动手实验加理论，一天上手实时操作系统。'.repeat(12),
    en: 'Hands-on labs and theory, from the first thread to the first driver in a single day. '.repeat(8),
  },
  items: (['provided', 'bring', 'prerequisite'] as const).flatMap((kind) =>
    [null, 'https://www.rt-thread.org/studio.html'].flatMap((url) =>
      [1, 2, 3].map((n) => ({
        kind,
        url,
        mustConfirm: false,
        text: {
          zh: `第 ${n} 件很长的东西，说明写了整整一行还没写完`.repeat(2),
          en: `Thing ${n}, which takes a whole line to be described `.repeat(2).trim(),
        },
      })),
    ),
  ),
  workshop: {
    city: { zh: '巴音郭楞蒙古自治州', en: 'Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch' },
    venue: {
      zh: '国家集成电路设计产业化基地三期东区八号楼二层多功能报告厅（近地铁二号线）',
      en: 'Multi-purpose lecture hall on the second floor of building eight, east wing, phase three of the IC design base',
    },
    address: { zh: '川和路 55 弄 6 号楼 2 层'.repeat(6), en: 'Building 6, lane 55, Chuanhe Road '.repeat(6) },
  },
}
