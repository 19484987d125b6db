import { expect, test } from 'vitest'
import { ConfigError, parseConfig } from '../../src/lib/config.ts'

test('parseConfig defaults to localhost, Chinese and Asia/Shanghai', () => {
  expect(parseConfig({})).toMatchObject({
    port: 3000,
    host: '127.0.0.1',
    databaseUrl: undefined,
    dataDir: './data',
    defaultLocale: 'zh-CN',
    timeZone: 'Asia/Shanghai',
    retentionDays: 90,
    rateLimit: true,
    trustProxy: 0,
  })
})

test('parseConfig treats an empty variable as unset', () => {
  expect(parseConfig({ PORT: '', BASE_URL: '', SMTP_URL: '' })).toEqual(parseConfig({}))
})

test.each([
  ['PORT', '80 80'],
  ['PORT', '70000'],
  ['BASE_URL', 'workshops.example.com'],
  ['BASE_URL', 'https://example.com/path'],
  ['BASE_URL', 'http://[::1'],
  ['BASE_URL', 'http://example.com:99999'],
  ['BASE_URL', 'https://user:password@example.com'],
  ['PORT', '0x1F90'],
  ['TIME_ZONE', '+08:00'],
  ['RETENTION_DAYS', '99999999999'],
  ['DATABASE_URL', 'mysql://localhost/x'],
  ['SMTP_URL', 'http://localhost'],
  ['MAIL_FROM', 'nobody'],
  ['SECRET', 'short'],
  ['DEFAULT_LOCALE', 'fr'],
  ['TIME_ZONE', 'Asia/Peking'],
  ['RETENTION_DAYS', '0'],
  ['RATE_LIMIT', 'maybe'],
  ['TRUST_PROXY', '-1'],
  ['MAIL_RATE', 'fast'],
  ['WECHAT_VERIFY', '../secret'],
])('parseConfig rejects %s=%s in one line that names the variable', (name, value) => {
  const read = () => parseConfig({ [name]: value })
  expect(read).toThrow(ConfigError)
  expect(read).toThrow(new RegExp(`^wrong setting, ${name}: [^\\n]+$`))
})

test('parseConfig requires SECRET with a Postgres and MAIL_FROM with SMTP_URL', () => {
  expect(() => parseConfig({ DATABASE_URL: 'postgres://localhost/x' })).toThrow(/^missing setting, SECRET: /)
  expect(() => parseConfig({ SMTP_URL: 'smtp://localhost' })).toThrow(/^missing setting, MAIL_FROM: /)
})

test('parseConfig removes the trailing slash of BASE_URL', () => {
  expect(parseConfig({ BASE_URL: 'https://workshops.example.com/' }).baseUrl).toBe('https://workshops.example.com')
})
