import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { normalizeHalfWidth, normalizeLine, normalizeText, normalizeUnicode, parseSearch } from '../../src/lib/text.ts'
import { root } from '../support/processes/processes.ts'

test.each([
  ['a Persian name', 'علی\u200cرضا'],
  ['an emoji sequence', '👩🏽\u200d💻 小明'],
  ['a family emoji', '👨\u200d👩\u200d👧'],
  ['a Sinhalese name', 'ශ්\u200dරී'],
])('normalizeLine keeps joiners inside %s', (_, text) => {
  expect(normalizeLine(text, 80)).toBe(text)
})

test.each([
  ['\u200d王\u200c', '王'],
  ['王 \u200d 小明', '王 小明'],
  ['王\u200c\u200d小明', '王小明'],
  ['evil\u200d.\u200dcom', 'evil.com'],
  ['\u200c', ''],
  ['王\u200b小\u202e明\ufeff', '王 小 明'],
  ['王\u3000小明\r\n', '王 小明'],
])('normalizeLine turns other invisible characters into a space or nothing: %j', (text, line) => {
  expect(normalizeLine(text, 80)).toBe(line)
})

test('normalizeText keeps paragraphs', () => {
  expect(normalizeText('a\u0000b\r\n\r\n c\u200d ', 80)).toBe('a b\n\nc')
})

describe('text over the length limit', () => {
  test.each([
    ['normalizeLine', normalizeLine],
    ['normalizeText', normalizeText],
    ['normalizeHalfWidth', normalizeHalfWidth],
  ])('%s returns undefined, counting the length after normalization', (_, normalize) => {
    expect(normalize('x'.repeat(80), 80)).toBe('x'.repeat(80))
    expect(normalize('x'.repeat(81), 80)).toBeUndefined()
    // Decomposed, surrounded by invisible characters and spaces.
    expect(normalize(`${' '.repeat(70)}${'e\u0301'.repeat(80)}${'\u200d'.repeat(90)}`, 80)).toBe('é'.repeat(80))
  })

  test('normalizeLine rejects input of more than four times the limit without reading it', () => {
    expect(normalizeLine(' '.repeat(320), 80)).toBe('')
    expect(normalizeLine(' '.repeat(321), 80)).toBeUndefined()
  })

  test('parseSearch truncates', () => {
    expect(parseSearch(` ${'x'.repeat(99)}😀`)).toBe('x'.repeat(99))
    expect([parseSearch(' '), parseSearch(undefined)]).toEqual([undefined, undefined])
  })
})

describe('normalizeUnicode', () => {
  test('drops combining marks after the 30th in a row, and no others', () => {
    const marks = '\u0301\u0323'.repeat(15)
    expect(normalizeUnicode(`e${marks}`, 'NFD')).toBe(`e${'\u0323'.repeat(15)}${'\u0301'.repeat(15)}`)
    expect(normalizeUnicode(`e${marks}\u0301\u0302x\u0301`, 'NFD')).toBe(normalizeUnicode(`e${marks}x\u0301`, 'NFD'))
    expect(normalizeUnicode(`か${'\uff9e\u0301'.repeat(100)}`, 'NFKC')).toHaveLength(30)
  })

  test('counts every character that normalizes to combining marks only', () => {
    const characters = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code)).filter(
      (character) => /^\p{M}+$/u.test(character.normalize('NFKD')) && !/\p{M}/u.test(character),
    )
    expect(characters).toEqual(['\uff9e', '\uff9f'])
  })

  test('is the only place in src that normalizes', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    const filesThatNormalize = files.filter(
      (file) => /\.tsx?$/.test(file) && /\.normalize\(/.test(readFileSync(join(root, 'src', file), 'utf8')),
    )
    expect(filesThatNormalize).toEqual([join('lib', 'text.ts')])
  })
})
