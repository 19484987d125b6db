import { type Campaign, certainValue, type Workshop } from '../bookings.ts'
import type { Random } from '../random.ts'
import type { Run } from '../run.ts'
import { sendToApi } from './organisers.ts'

const cities = [
  { zh: '上海', en: 'Shanghai' },
  { zh: '南京', en: 'Nanjing' },
  { zh: '深圳', en: 'Shenzhen' },
]

type City = (typeof cities)[number]

/** Publishes campaigns with a workshop in each of three cities, before any fault. */
export async function createCampaigns(
  run: Run,
  random: Random,
  count: number,
  capacity: [least: number, most: number],
): Promise<void> {
  for (let n = 1; n <= count; n++) run.campaigns.push(await createCampaign(run, random, `campaign-${n}`, capacity))
  for (let n = 1; n <= 3; n++) run.spareWorkshops.push(await createSpareWorkshop(run, random, `spare-${n}`, capacity))
}

/** A workshop without a campaign, to be unpublished and published. */
async function createSpareWorkshop(
  run: Run,
  random: Random,
  slug: string,
  capacity: [number, number],
): Promise<Workshop> {
  const campaign: Campaign = { slug, workshops: [] }
  campaign.workshops.push(
    await createWorkshop(run, random, campaign, { slug, city: cities[0] as City, days: 20, capacity }),
  )
  return campaign.workshops[0] as Workshop
}

async function createCampaign(run: Run, random: Random, slug: string, capacity: [number, number]): Promise<Campaign> {
  await post(run, random, '/api/v1/campaigns', {
    slug,
    title: { zh: 'RT-Thread 线下入门培训', en: 'RT-Thread beginner workshop' },
    summary: { zh: '动手实验与理论结合，免费参加。', en: 'Labs and theory, free of charge.' },
    items: [
      {
        kind: 'prerequisite',
        text: { zh: '安装 RT-Thread Studio', en: 'RT-Thread Studio installed' },
        mustConfirm: true,
      },
      { kind: 'bring', text: { zh: '笔记本电脑', en: 'A laptop' } },
    ],
    publish: true,
  })
  const campaign: Campaign = { slug, workshops: [] }
  for (const [n, city] of cities.entries()) {
    const options = { slug: `${slug}-${n + 1}`, city, days: 10 + n, capacity }
    campaign.workshops.push(await createWorkshop(run, random, campaign, options, { campaign: slug }))
  }
  return campaign
}

async function createWorkshop(
  run: Run,
  random: Random,
  campaign: Campaign,
  { slug, city, days, capacity: [min, max] }: { slug: string; city: City; days: number; capacity: [number, number] },
  more: { campaign?: string } = {},
): Promise<Workshop> {
  const capacity = random.between(min, max)
  const startsAt = Date.now() + days * 24 * 3600 * 1000
  const venue = '张江科学会堂'
  await post(run, random, '/api/v1/workshops', {
    slug,
    ...more,
    title: { zh: 'RT-Thread 线下入门培训', en: 'RT-Thread beginner workshop' },
    city,
    venue,
    address: '海科路 1393 号',
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(startsAt + 7 * 3600 * 1000).toISOString(),
    capacity,
    publish: true,
  })
  return {
    ...{ slug, campaign, capacity: certainValue(capacity), venue: certainValue(venue), revision: 0, busy: false },
    state: certainValue<'draft' | 'published' | 'closed'>('published'),
  }
}

async function post(run: Run, random: Random, path: string, json: object): Promise<void> {
  const response = await sendToApi(run, random, { kind: 'create', method: 'POST', path, json })
  if (response.status !== 201) throw new Error(`${path} returned ${response.status}: ${response.body}`)
}
