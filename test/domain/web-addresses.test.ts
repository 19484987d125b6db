import { expect, test } from 'vitest'
import { holdsWebAddress } from '../../src/domain/web-addresses.ts'

test.each([
  'https://evil.de',
  'www.evil',
  'win@evil',
  'win prize evil.de',
  'evil.pro/x',
  'evil.page',
  'evil.online',
  'evil.store',
  'call evil.us now',
  'bit.do/x',
  'bit.do',
  't.me/x',
  'go.zz/x',
  'evil.中国',
  '恶意.公司',
  'evil.xn--fiqs8s',
  '1.2.3.4/a',
  '1.2.3.4',
  'ｅｖｉｌ．ｃｏｍ',
  'evil。com',
  'evil｡com',
  'evil․com',
  'e\u200dvil\u200d.c\u00adom',
  'EVIL.COM',
  'evil.com点击',
  '点击evil.com',
  'a.b.evil.ws.',
  'evil.wang',
  'evil.ltd',
])('%s is a web address', (text) => {
  expect(holdsWebAddress(text)).toBe(true)
})

test.each([
  'J.R. Smith',
  'J.R.Smith',
  'St. John',
  'St.John',
  "O'Neil",
  'Dr.Wang',
  'Prof.Wang',
  'Mrs.Li',
  'Dr.Ren',
  'Jack.Zhang',
  'Node.js 工作室',
  'A.B.C. Ltd.',
  'ABC Co.Ltd.',
  'ABC Co.,Ltd.',
  'ABC Pty.Ltd.',
  'ACME Inc.',
  '王小明 No.1',
  '3.5 英寸',
  '3.5/2.5 英寸',
  'V1.2.3',
  '研发一部/测试组',
  '某某有限公司。北京分公司',
  '阿卜杜拉·买买提',
  'Vincent van der Berg',
])('%s is none', (text) => {
  expect(holdsWebAddress(text)).toBe(false)
})

test('it takes no long text long', () => {
  const begun = performance.now()
  for (const part of ['a.', 'a', '1.', '1', '.', '-', 'a.a', 'prof.', '中.']) holdsWebAddress(part.repeat(30_000))
  expect(performance.now() - begun).toBeLessThan(2000)
})
