import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './support/processes.ts'

/**
 * The floors of the house, from the ground up. A file may import from its own folder and from every floor below;
 * neighbours on one floor do not know each other.
 */
const floors = [
  ['config.ts', 'files.ts', 'links.ts', 'workbook.ts'],
  ['db'],
  ['deps.ts'],
  ['domain'],
  ['messages'],
  ['calendar.ts', 'qr.ts', 'roster-files.ts'],
  ['mail', 'spread'],
  ['access.ts', 'auth.ts', 'context.ts'],
  ['answer.ts', 'audited.ts', 'form-body.ts', 'sign-in.ts'],
  ['site', 'console', 'door', 'api', 'operations.ts'],
  ['app.tsx'],
  ['seed.ts', 'metrics.ts', 'installation.ts', 'greeting.ts'],
  ['commands.ts', 'serve.ts'],
  ['node.ts', 'worker.ts', 'cli.ts', 'build'],
]

type Import = { from: string; to: string; typeOnly: boolean }

const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file))
  .sort()
const imports = files.flatMap(importsOf)

test('every file has its floor', () => {
  const known = floors.flat()
  expect(files.filter((file) => !known.includes(partOf(file)))).toEqual([])
})

test('imports point down only', () => {
  const upwards = imports.filter(({ from, to, typeOnly }) => {
    if (!files.includes(to) || partOf(from) === partOf(to)) return false
    // deps.ts only says what everyone is given, in types: whoever needs to may name it.
    if (to === 'deps.ts' && typeOnly) return false
    return floorOf(to) >= floorOf(from)
  })
  expect(upwards.map(say)).toEqual([])
})

test('no import leads back to where it came from', () => {
  const circles = files.filter((file) => reachableFrom(file).has(file))
  expect(circles).toEqual([])
})

test('the domain knows no HTTP, no page, no language, no file and no driver', () => {
  const foreign = /^(hono|@hono\/.*|nodemailer|qrcode|pino|node:(http|https|net|fs|fs\/promises))(\/|$)/
  expect(imports.filter(({ from, to }) => partOf(from) === 'domain' && foreign.test(to)).map(say)).toEqual([])
  expect(files.filter((file) => partOf(file) === 'domain' && file.endsWith('.tsx'))).toEqual([])
})

test('SQL is written in db and domain, and drivers are opened in db', () => {
  const sql = imports.filter(({ to }) => /^drizzle-orm(\/|$)/.test(to))
  const drivers = imports.filter(({ to }) => /^(postgres|@electric-sql\/pglite|drizzle-orm\/(?!pg-core))/.test(to))
  expect(sql.filter(({ from }) => !['db', 'domain'].includes(partOf(from))).map(say)).toEqual([])
  expect(drivers.filter(({ from }) => partOf(from) !== 'db').map(say)).toEqual([])
})

test('what the Worker loads knows no files, no embedded database and no migrations', () => {
  const onlyOnNode =
    /^(node:(fs|child_process|os|http)|@electric-sql\/|drizzle-orm\/(pglite|migrator)|@hono\/node-server|pino$|prom-client$)/
  expect([...reachableFrom('worker.ts')].filter((name) => onlyOnNode.test(name))).toEqual([])
})

test('folders and files are called after what they do, not after what they are', () => {
  const names = [...files, ...readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })]
  const empty = /(^|\/)(utils?|helpers?|services?|repositor(y|ies)|controllers?|common|misc)\b/
  expect(names.filter((name) => empty.test(name))).toEqual([])
})

test('no file is there only to hand on what others export', () => {
  const handsOn = (text: string) => /^export [^;]*? from '/m.test(text)
  const hasOwn = (text: string) => /^(export )?(async )?(const|let|function|class|type \w+ =|interface)\b/m.test(text)
  expect(files.filter((file) => handsOn(textOf(file)) && !hasOwn(textOf(file)))).toEqual([])
})

/** The imports of a file, which Biome keeps one a statement, at the beginning of a line and in single quotes. */
function importsOf(file: string): Import[] {
  const text = textOf(file)
  const named = [...text.matchAll(/^(?:import|export) (type )?(?:[^'";]*? from )?'([^']+)'/gm)]
  const later = [...text.matchAll(/\bimport\('([^']+)'\)/g)]
  return [
    ...named.map(([, type, to = '']) => ({ from: file, to: resolve(file, to), typeOnly: type !== undefined })),
    ...later.map(([, to = '']) => ({ from: file, to: resolve(file, to), typeOnly: false })),
  ]
}

/** A file is named by its path in src, a package by its name. */
function resolve(from: string, to: string): string {
  return to.startsWith('.') ? join(dirname(from), to) : to
}

/** All files and packages that are loaded when a file is; types are not. */
function reachableFrom(file: string, reached = new Set<string>()): Set<string> {
  for (const { from, to, typeOnly } of imports) {
    if (from !== file || typeOnly || reached.has(to)) continue
    reached.add(to)
    reachableFrom(to, reached)
  }
  return reached
}

function textOf(file: string): string {
  return readFileSync(join(root, 'src', file), 'utf8')
}

/** The folder or, at the top of src, the file that stands on a floor. */
function partOf(file: string): string {
  return file.split('/')[0] ?? ''
}

function floorOf(file: string): number {
  return floors.findIndex((floor) => floor.includes(partOf(file)))
}

function say({ from, to }: Import): string {
  return `${from} imports ${to}`
}
