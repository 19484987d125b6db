import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileTemplate, renderTemplate, renderTemplateGzip } from '../../src/lib/page-template.ts'

const binaryText = fc.string({ unit: 'binary', maxLength: 400 }).map((text) => text.replaceAll(/[KG]/g, ''))

test('each slot gets what is the visitor’s own, packed and not, however often the page is filled in', () => {
  fc.assert(
    fc.property(
      fc.array(binaryText, { maxLength: 6 }),
      fc.array(fc.tuple(binaryText, binaryText), { maxLength: 3 }),
      (texts, visitors) => {
        const slots = ['KEY', 'GUARD']
        const html = texts.reduce((html, text, n) => `${html}${slots[n % 2]}${text}`, '报名')
        const page = compileTemplate(html, slots)
        for (const [key, guard] of visitors) {
          const own = { KEY: key, GUARD: guard }
          const expected = Buffer.from(html.replaceAll('KEY', () => key).replaceAll('GUARD', () => guard))
          expect(renderTemplate(page, own)).toEqual(expected)
          expect(gunzipSync(renderTemplateGzip(page, own))).toEqual(expected)
        }
      },
    ),
  )
})

test('what is compressed once is smaller than the page by far', () => {
  const page = compileTemplate(`${'<p>报名，占一个名额</p>'.repeat(500)}KEY`, ['KEY'])
  expect(renderTemplateGzip(page, { KEY: 'a' }).length * 10).toBeLessThan(renderTemplate(page, { KEY: 'a' }).length)
})
