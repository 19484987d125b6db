import fc from 'fast-check'
import { expect, test } from 'vitest'
import { containsUrl, findUrls, linkUrls } from '../../src/lib/urls.ts'

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
])('containsUrl finds a URL in %s', (text) => {
  expect(containsUrl(text)).toBe(true)
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
])('containsUrl finds no URL in %s', (text) => {
  expect(containsUrl(text)).toBe(false)
})

const address = 'https://a.example/wiki_(x)?b=[1]&c=~;d'

test('findUrls ends a URL before closing punctuation, quotes and non-ASCII characters', () => {
  const opened = [...'，。；：！？、（「『【《“‘…—｜', '', ' ', '(', '[', '"', "'", '<', '*', '[x](']
  const closed = [
    ...'，。；：！？、）（」』】》”’…—｜请路é',
    ...' .,;:!?)]("\'<>*`|\\{}\n',
    '',
    ').',
    '!!',
    '**',
    '{{ticket}}',
  ]
  for (const before of opened) {
    for (const after of closed) {
      for (const rest of ['', '密码1234', ' x']) {
        const text = `见${before}${address}${after}${rest}`
        const found = findUrls(text).map(({ start, end }) => text.slice(start, end))
        expect([text, found]).toEqual([text, [address]])
      }
    }
  }
})

test.each([
  ['(https://a.example/x)(y)', ['https://a.example/x']],
  ["'https://a.example/x'y, https://a.example/o'clock'", ['https://a.example/x', "https://a.example/o'clock"]],
  ['_https://a.example/x_ https://a.example/x_', ['https://a.example/x', 'https://a.example/x_']],
  ['https://a.example/路径', ['https://a.example/']],
  ['WWW.a.example, http://a.example:8080/#x', ['WWW.a.example', 'http://a.example:8080/#x']],
  ['https://例子.中国/x xhttps://a.example https:// www.', []],
])('findUrls in %s finds %j', (text, addresses) => {
  expect(findUrls(text).map(({ start, end }) => text.slice(start, end))).toEqual(addresses)
})

test('linkUrls neither loses nor repeats any part of a text', () => {
  const piece = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('https://', 'www.', 'a.example', '(', ')', "'"))
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join('')
      const linked = linkUrls(text)
      expect(linked.map((part) => (typeof part === 'string' ? part : part.url)).join('')).toBe(text)
      for (const part of linked) if (typeof part === 'object') expect(part.url).toMatch(/^https?:\/\/[!-~]+$/i)
    }),
  )
})
