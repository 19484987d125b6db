import { expect, test } from 'vitest'
import { oneLine, plainLines } from '../../src/domain/plain-text.ts'

test.each([
  ['a Persian name', 'علی\u200cرضا'],
  ['an emoji of several', '👩🏽\u200d💻 小明'],
  ['a family', '👨\u200d👩\u200d👧'],
  ['a Sinhalese name', 'ශ්\u200dරී'],
])('the joiners inside of %s stay', (_, text) => {
  expect(oneLine(text)).toBe(text)
})

test.each([
  ['\u200d王\u200c', '王'],
  ['王 \u200d 小明', '王 小明'],
  ['王\u200c\u200d小明', '王小明'],
  ['evil\u200d.\u200dcom', 'evil.com'],
  ['\u200c', ''],
  ['王\u200b小\u202e明\ufeff', '王 小 明'],
  ['王\u3000小明\r\n', '王 小明'],
])('whatever else has no shape is a space or nothing: %j', (text, line) => {
  expect(oneLine(text)).toBe(line)
})

test('paragraphs keep their lines', () => {
  expect(plainLines('a\u0000b\r\n\r\n c\u200d ')).toBe('a b\n\nc')
})

test('it takes no long text long', () => {
  const begun = performance.now()
  for (const part of ['\u200d', '\u200da', ' ', '\u200b', 'a ']) oneLine(`${part.repeat(30_000)}a`)
  expect(performance.now() - begun).toBeLessThan(2000)
})
