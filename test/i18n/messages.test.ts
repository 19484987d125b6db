import { expect, test } from 'vitest'
import { en } from '../../src/i18n/en/public.ts'
import { itemTag } from '../../src/i18n/item-tags.ts'
import { zhCN } from '../../src/i18n/zh-CN/public.ts'

/** All sentences; functions are called with a number. */
function listSentences(messages: unknown): string[] {
  if (typeof messages === 'string') return [messages]
  if (typeof messages === 'function') return listSentences(messages(7, 7))
  return Object.values(messages as object).flatMap(listSentences)
}

test('Chinese sentences use full-width punctuation', () => {
  const halfWidth = /[\u4e00-\u9fff][,:;?!()]|[,:;?!()][\u4e00-\u9fff]/
  expect(listSentences(zhCN).filter((sentence) => halfWidth.test(sentence))).toEqual([])
})

test('Chinese numbers stay on one line with their units', () => {
  expect(listSentences(zhCN).filter((sentence) => /7 (?:个|位|人|天)/.test(sentence))).toEqual([])
})

test('both languages have the same number of sentences, and English ones contain no Chinese', () => {
  expect(listSentences(en).length).toBe(listSentences(zhCN).length)
  expect(listSentences({ ...en, otherLanguage: '' }).filter((sentence) => /[\u4e00-\u9fff]/.test(sentence))).toEqual([])
})

test('itemTag is install for a prerequisite with a URL and know for one without', () => {
  expect(itemTag({ kind: 'prerequisite', url: 'https://www.rt-thread.org' })).toBe('install')
  expect(itemTag({ kind: 'prerequisite', url: null })).toBe('know')
  expect(itemTag({ kind: 'bring', url: 'https://www.rt-thread.org' })).toBe('bring')
})
