import { expect, test } from 'vitest'
import { findCampaign } from '../../src/domain/campaigns/campaigns.ts'
import { renderChatMessage } from '../../src/promotion/chat-message.ts'
import { createAnnouncedCampaign } from '../support/seeds/campaigns.ts'
import { createWorld } from '../support/world.ts'

const url = 'https://baoming.example.com/q/w7kd3fp'

test('renderChatMessage contains title, dates with seats left, what to bring and the link', async () => {
  await using world = await createWorld()
  const campaign = await createAnnouncedCampaign(world, 2, { workshop: { capacity: 2 } })
  const [shanghai, nanjing] = campaign.workshops
  if (!shanghai || !nanjing) throw new Error('expected two workshops')
  await world.register(shanghai)
  await world.register(nanjing)
  await world.register(nanjing)
  const now = await findCampaign(world.deps, campaign.slug)
  if (!now) throw new Error('campaign not found')
  expect(renderChatMessage(now, { url, locale: 'zh-CN' })).toBe(
    `RT-Thread 线下入门培训
上海：12月19日 周六 09:30 – 17:00，张江科学会堂，还有 1 个名额
南京：12月26日 周六 09:30 – 17:00，东南大学四牌楼校区，已满，可候补
请自带：笔记本电脑；插线板，给笔记本电脑充电用
点这里报名：
${url}`,
  )
  expect(renderChatMessage(now, { url, locale: 'en' })).toBe(
    `RT-Thread beginner workshop
Shanghai: Sat 19 Dec, 09:30 – 17:00, Zhangjiang Science Hall, 1 seat left
Nanjing: Sat 26 Dec, 09:30 – 17:00, Southeast University, Sipailou campus, Full, waitlist open
Bring: A laptop; A power strip, to charge the laptop
Register here:
${url}`,
  )
})

test('renderChatMessage of a single workshop has one date and omits an empty list of items to bring', async () => {
  await using world = await createWorld()
  const workshop = await world.workshop({ title: { zh: '只有一场\n两行' }, venue: {} })
  expect(renderChatMessage(workshop, { url, locale: 'zh-CN' })).toBe(
    `只有一场 两行
上海：12月11日 周五 10:00 – 17:00，还有 2 个名额
点这里报名：
${url}`,
  )
})
