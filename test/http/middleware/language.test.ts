import { expect, test } from 'vitest'
import { language } from '../../../src/http/middleware/language.ts'
import { createMiddlewareApp } from '../../support/http/middleware-app.ts'
import { createWorld, type World } from '../../support/world.ts'

test.each([
  ['/', {}, 'zh-CN'],
  ['/', { 'Accept-Language': 'en-GB,en;q=0.9' }, 'en'],
  ['/', { 'Accept-Language': 'zh-Hant-TW' }, 'zh-CN'],
  ['/', { 'Accept-Language': 'de, en;q=0.2, zh;q=0.8' }, 'zh-CN'],
  ['/', { 'Accept-Language': 'de' }, 'zh-CN'],
  ['/', { Cookie: 'lang=en', 'Accept-Language': 'zh' }, 'en'],
  ['/?lang=zh', { Cookie: 'lang=en' }, 'zh-CN'],
  ['/?lang=klingon', { Cookie: 'lang=en' }, 'en'],
  ['/api/v1/workshops', { Cookie: 'lang=en', 'Accept-Language': 'zh' }, 'zh-CN'],
])('language of %s with %j', async (path, headers, locale) => {
  await using world = await createWorld()
  expect((await detect(world, path, headers)).locale).toBe(locale)
})

test('language stores the choice of ?lang= for pages only', async () => {
  await using world = await createWorld()
  expect((await detect(world, '/?lang=en', {})).cookie).toMatch(/^lang=en; .*HttpOnly/)
  expect((await detect(world, '/', { 'Accept-Language': 'en' })).cookie).toBeNull()
  expect((await detect(world, '/api/v1/workshops?lang=en', {})).cookie).toBeNull()
})

async function detect(world: World, path: string, headers: Record<string, string>) {
  let locale: string | undefined
  const app = createMiddlewareApp(world, [language()], (c) => {
    locale = c.get('locale')
  })
  const response = await app.request(path, { headers })
  return { locale, cookie: response.headers.get('set-cookie') }
}
