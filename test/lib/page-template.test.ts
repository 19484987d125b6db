import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileTemplate, renderTemplate, renderTemplateGzip } from '../../src/lib/page-template.ts'

const binaryText = fc.string({ unit: 'binary', maxLength: 400 }).map((text) => text.replaceAll(/[KG]/g, ''))

test('renderTemplate and renderTemplateGzip fill every placeholder, repeatedly', () => {
  fc.assert(
    fc.property(
      fc.array(binaryText, { maxLength: 6 }),
      fc.array(fc.tuple(binaryText, binaryText), { maxLength: 3 }),
      (texts, visitors) => {
        const placeholders = ['KEY', 'GUARD']
        const html = texts.reduce((html, text, n) => `${html}${placeholders[n % 2]}${text}`, '报名')
        const page = compileTemplate(html, placeholders)
        for (const [key, guard] of visitors) {
          const values = { KEY: key, GUARD: guard }
          const expected = Buffer.from(html.replaceAll('KEY', () => key).replaceAll('GUARD', () => guard))
          expect(renderTemplate(page, values)).toEqual(expected)
          expect(gunzipSync(renderTemplateGzip(page, values))).toEqual(expected)
        }
      },
    ),
  )
})

test('renderTemplateGzip is at least ten times smaller than the page', () => {
  const page = compileTemplate(`${'<p>报名，占一个名额</p>'.repeat(500)}KEY`, ['KEY'])
  expect(renderTemplateGzip(page, { KEY: 'a' }).length * 10).toBeLessThan(renderTemplate(page, { KEY: 'a' }).length)
})
