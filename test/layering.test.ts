import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './support/processes/processes.ts'

/**
 * The layers, lowest first. A file may import from its own folder and from every lower layer; folders of one layer do
 * not import from each other.
 */
const layers = [
  ['lib'],
  ['db'],
  ['domain'],
  ['i18n'],
  ['http'],
  ['email', 'promotion'],
  ['web/ui'],
  ['api', 'web/public', 'web/console', 'web/door'],
  ['http/middleware'],
  ['http/fast-path.ts'],
  ['http/app.ts'],
  ['server'],
  ['node.ts', 'worker.ts', 'cli.ts'],
]

/** Not for the server: bundled or copied for browsers. */
const browserFolders = ['client', 'styles']

/**
 * The code that `client` shares with the server: pure, without packages. Types it may import from anywhere, as they are
 * erased.
 */
const sharedWithClient = [
  'lib/text.ts',
  'domain/door/queue.ts',
  'domain/door/search.ts',
  'domain/registrations/search-key.ts',
  'domain/registrations/status.ts',
  'domain/tickets/token-subject.ts',
]

type Import = { from: string; to: string; typeOnly: boolean }

const entries = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
const allFiles = entries
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name).slice(join(root, 'src').length + 1))
  .sort()
const files = allFiles.filter((file) => !browserFolders.includes(file.split('/')[0] ?? ''))
const clientFiles = allFiles.filter((file) => file.startsWith('client/'))
const imports = files.flatMap(findImports)
const clientImports = clientFiles.flatMap(findImports)

test('the top of src holds the three entries and the folders of the layers', () => {
  const folders = [...new Set(layers.flat().map((name) => name.split('/')[0]))].filter((name) => !name?.includes('.'))
  const top = entries.filter(({ parentPath }) => parentPath === join(root, 'src')).map(({ name }) => name)
  expect(top.toSorted()).toEqual([...folders, ...browserFolders, 'node.ts', 'worker.ts', 'cli.ts'].toSorted())
})

test('every file belongs to a layer', () => {
  expect(files.filter((file) => layerIndex(file) === -1)).toEqual([])
})

test('files import from lower layers only', () => {
  const upwards = imports.filter(
    ({ from, to }) => files.includes(to) && layerName(from) !== layerName(to) && layerIndex(to) >= layerIndex(from),
  )
  expect(upwards.map(describeImport)).toEqual([])
})

test('there is no import cycle', () => {
  expect(files.filter((file) => reachableFrom(file).has(file))).toEqual([])
})

test('pages of the console and the door import no other pages', () => {
  const isPage = (file: string) =>
    /^web\/(console|door)\//.test(file) && !file.endsWith('/routes.tsx') && readSource(file).includes('new Hono<App>()')
  const pages = files.filter(isPage)
  expect(pages.length).toBeGreaterThan(30)
  expect(imports.filter(({ from, to }) => pages.includes(from) && pages.includes(to)).map(describeImport)).toEqual([])
})

test('a folder of src has at most 16 files', () => {
  const counts = Map.groupBy(files, (file) => dirname(file))
  const overfull = [...counts]
    .filter(([, inFolder]) => inFolder.length > 16)
    .map(([folder, { length }]) => `${folder} ${length}`)
  expect(overfull).toEqual([])
})

test('domain imports no HTTP, JSX, file system or driver', () => {
  const forbidden = /^(hono|@hono\/.*|nodemailer|qrcode|pino|node:(http|https|net|fs|fs\/promises))(\/|$)/
  expect(
    imports.filter(({ from, to }) => layerName(from) === 'domain' && forbidden.test(to)).map(describeImport),
  ).toEqual([])
  expect(files.filter((file) => layerName(file) === 'domain' && file.endsWith('.tsx'))).toEqual([])
})

test('only db and domain import Drizzle, and only db imports drivers', () => {
  const sql = imports.filter(({ to }) => /^drizzle-orm(\/|$)/.test(to))
  const drivers = imports.filter(({ to }) => /^(postgres|@electric-sql\/pglite|drizzle-orm\/(?!pg-core))/.test(to))
  expect(sql.filter(({ from }) => !['db', 'domain'].includes(layerName(from))).map(describeImport)).toEqual([])
  expect(drivers.filter(({ from }) => layerName(from) !== 'db').map(describeImport)).toEqual([])
})

test('the Worker loads no file system, no embedded database and no migrations', () => {
  const onlyOnNode =
    /^(node:(fs|child_process|os|http)|@electric-sql\/|drizzle-orm\/(pglite|migrator)|@hono\/node-server|pino$|prom-client$)/
  expect([...reachableFrom('worker.ts')].filter((name) => onlyOnNode.test(name))).toEqual([])
})

test('client imports types, itself, the QR scanner and the pure code it shares with the server', () => {
  const allowed = [...clientFiles, ...sharedWithClient, 'qr-scanner', 'qr-scanner/qr-scanner-worker.min.js']
  const loaded = clientImports.filter(({ typeOnly }) => !typeOnly)
  expect(loaded.filter(({ to }) => !allowed.includes(to)).map(describeImport)).toEqual([])
  for (const file of sharedWithClient)
    expect([file, [...reachableFrom(file)].filter((to) => !sharedWithClient.includes(to))]).toEqual([file, []])
})

test('the server imports nothing from client', () => {
  expect(imports.filter(({ to }) => to.startsWith('client/')).map(describeImport)).toEqual([])
})

test('no folder or file is named utils, helpers, services or the like', () => {
  const names = [...files, ...readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })]
  const vagueNames = /(^|\/)(utils?|helpers?|services?|repositor(y|ies)|controllers?|common|misc)\b/
  expect(names.filter((name) => vagueNames.test(name))).toEqual([])
})

test('no file only re-exports others', () => {
  const reexports = (text: string) => /^export [^;]*? from '/m.test(text)
  const hasDeclaration = (text: string) =>
    /^(export )?(async )?(const|let|function|class|type \w+ =|interface)\b/m.test(text)
  expect(files.filter((file) => reexports(readSource(file)) && !hasDeclaration(readSource(file)))).toEqual([])
})

/** The imports of a file. Biome writes one per statement, at the beginning of a line and in single quotes. */
function findImports(file: string): Import[] {
  const text = readSource(file)
  const named = [...text.matchAll(/^(?:import|export) (type )?(?:[^'";]*? from )?'([^']+)'/gm)]
  const dynamic = [...text.matchAll(/\bimport\('([^']+)'\)/g)]
  return [
    ...named.map(([, type, to = '']) => ({ from: file, to: resolve(file, to), typeOnly: type !== undefined })),
    ...dynamic.map(([, to = '']) => ({ from: file, to: resolve(file, to), typeOnly: false })),
  ]
}

/** Returns the path in src of an imported file, or the name of a package. */
function resolve(from: string, to: string): string {
  return to.startsWith('.') ? join(dirname(from), to) : to
}

/** All files and packages that a file loads, directly or indirectly. Type imports load nothing. */
function reachableFrom(file: string, reached = new Set<string>()): Set<string> {
  for (const { from, to, typeOnly } of imports) {
    if (from !== file || typeOnly || reached.has(to)) continue
    reached.add(to)
    reachableFrom(to, reached)
  }
  return reached
}

function readSource(file: string): string {
  return readFileSync(join(root, 'src', file), 'utf8')
}

function layerName(file: string): string {
  return layers.flat().findLast((name) => file === name || file.startsWith(`${name}/`)) ?? file
}

function layerIndex(file: string): number {
  return layers.findIndex((layer) => layer.includes(layerName(file)))
}

function describeImport({ from, to }: Import): string {
  return `${from} imports ${to}`
}
