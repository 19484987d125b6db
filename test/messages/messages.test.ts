import { expect, test } from 'vitest'
import { en } from '../../src/messages/en.ts'
import { tagOf } from '../../src/messages/items.ts'
import { zhCN } from '../../src/messages/zh-CN.ts'

/** Every sentence, those with a blank filled in with a number. */
function sentencesOf(messages: unknown): string[] {
  if (typeof messages === 'string') return [messages]
  if (typeof messages === 'function') return sentencesOf(messages(7, 7))
  return Object.values(messages as object).flatMap(sentencesOf)
}

test('Chinese sentences have full-width punctuation', () => {
  const beside = /[\u4e00-\u9fff][,:;?!()]|[,:;?!()][\u4e00-\u9fff]/
  expect(sentencesOf(zhCN).filter((sentence) => beside.test(sentence))).toEqual([])
})

test('Chinese numbers stay on one line with their units', () => {
  expect(sentencesOf(zhCN).filter((sentence) => /7 (?:个|位|人|天)/.test(sentence))).toEqual([])
})

test('both languages say the same number of things, and English says none of them in Chinese', () => {
  expect(sentencesOf(en).length).toBe(sentencesOf(zhCN).length)
  expect(sentencesOf({ ...en, otherLanguage: '' }).filter((sentence) => /[\u4e00-\u9fff]/.test(sentence))).toEqual([])
})

test('a prerequisite with an address is something to install, one without is something to know', () => {
  expect(tagOf({ kind: 'prerequisite', url: 'https://www.rt-thread.org' })).toBe('install')
  expect(tagOf({ kind: 'prerequisite', url: null })).toBe('know')
  expect(tagOf({ kind: 'bring', url: 'https://www.rt-thread.org' })).toBe('bring')
})
