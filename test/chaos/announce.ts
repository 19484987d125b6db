import { believe, type Campaign } from './bookings.ts'
import { asOrganiser } from './organisers.ts'
import type { Random } from './random.ts'
import type { Run } from './run.ts'

const cities = [
  { zh: '上海', en: 'Shanghai' },
  { zh: '南京', en: 'Nanjing' },
  { zh: '深圳', en: 'Shenzhen' },
]

/** Publishes so many campaigns, each with a workshop in three cities, before anything fails. */
export async function announceCampaigns(run: Run, random: Random, count: number): Promise<void> {
  for (let n = 1; n <= count; n++) run.campaigns.push(await announce(run, random, `campaign-${n}`))
}

async function announce(run: Run, random: Random, slug: string): Promise<Campaign> {
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
    const capacity = random.between(30, 200)
    const startsAt = Date.now() + (10 + n) * 24 * 3600 * 1000
    const workshop = `${slug}-${n + 1}`
    await post(run, random, '/api/v1/workshops', {
      slug: workshop,
      campaign: slug,
      title: { zh: 'RT-Thread 线下入门培训', en: 'RT-Thread beginner workshop' },
      city,
      venue: '张江科学会堂',
      address: '海科路 1393 号',
      startsAt: new Date(startsAt).toISOString(),
      endsAt: new Date(startsAt + 7 * 3600 * 1000).toISOString(),
      capacity,
      publish: true,
    })
    campaign.workshops.push({
      slug: workshop,
      campaign,
      capacity: believe(capacity),
      state: believe<'published' | 'closed'>('published'),
      changes: 0,
      busy: false,
    })
  }
  return campaign
}

async function post(run: Run, random: Random, path: string, json: object): Promise<void> {
  const answer = await asOrganiser(run, random, { kind: 'announce', method: 'POST', path, json })
  if (answer.status !== 201) throw new Error(`${path} answered ${answer.status}: ${answer.body}`)
}
