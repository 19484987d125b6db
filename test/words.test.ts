import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './support/processes/processes.ts'

/** Phrases of the private dialect in which this code was written once: see .github/STYLE.md for what replaces them. */
const dialect = [
  /\bwho(?:so)?ever\b/i,
  /\bthose whom\b/i,
  /\bowe[sd]?\b/i,
  /\bat hand\b/i,
  /\bgood (?:for (?:nobody|nothing|once)|no longer)\b/i,
  /\bhand(?:ed|s|ing)? in\b/i,
  /\b(?:none )?of ours\b/i,
  /\b(?:stand|stands|stood|standing) (?:still|so|for itself)\b/i,
  /\bas (?:it|they) stands?\b/i,
  /\bhow things stand\b/i,
  /\b(?:is|are|was|were) told of\b/i,
  /\bis (?:none|nobody) any more\b/i,
  /\bcome[s]? to nothing\b/i,
  /\bwrit(?:es|ten) down\b/i,
  /\bgiv(?:en|es|e) up\b/i,
  /\bturned away\b/i,
]

/** Stored, public or quoted from an earlier release: `?done=owed`, the API's sentences for the reasons of mails. */
const exceptions = [
  /'owed'|done=owed/,
  /good no longer': 'link_expired'|link_expired: 'its link is good no longer'/,
  /given up after 24 hours/,
]

const files = execFileSync('git', ['ls-files', '-z', 'src', 'drizzle/functions', 'test'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\0')
  .filter((file) => /\.(tsx?|js|sql|css)$/.test(file))
  .filter(
    (file) => !/^test\/support\/databases\/(first|base)-release\.|^test\/words\.test\.ts$|^src\/i18n\//.test(file),
  )

test('comments, names and texts are free of the private dialect', () => {
  const found = files.flatMap((file) =>
    readLines(file).flatMap((line, n) =>
      dialect.some((phrase) => phrase.test(line)) && !exceptions.some((text) => text.test(line))
        ? [`${file}:${n + 1} ${line.trim()}`]
        : [],
    ),
  )
  expect(found).toEqual([])
})

test('at most five functions are named xOf', () => {
  const declaration = /\b(?:function|const) (\w+Of)\b(?=\(|<| = (?:async )?\()/g
  const names = files
    .filter((file) => file.startsWith('src/'))
    .flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(declaration)].map(([, name]) => `${file} ${name}`),
    )
  expect(names.slice(5)).toEqual([])
})

function readLines(file: string): string[] {
  return readFileSync(join(root, file), 'utf8').split('\n')
}
