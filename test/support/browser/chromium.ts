import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { inflate } from '@sparticuz/chromium'
import type { SharedResources } from '../vitest/shared-resources.ts'

/**
 * Unpacks the Chromium from npm into a folder, with what a bare machine lacks: the system libraries NSS and expat, and
 * a font without Chinese glyphs. Those of the machine are used if there are any.
 */
export async function unpackChromium(folder: string): Promise<SharedResources['chromium']> {
  const packageBin = join(createRequire(import.meta.url).resolve('@sparticuz/chromium'), '../../bin')
  const [executable, libraries, fonts] = await unpackInto(folder, [
    join(packageBin, 'chromium.br'),
    join(packageBin, 'al2023.tar.br'),
    join(packageBin, 'fonts.tar.br'),
  ])
  const fontConfig = join(folder, 'fonts.conf')
  await writeFile(
    fontConfig,
    `<fontconfig>
      <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
      <dir>${fonts}</dir>
      <cachedir>${join(folder, 'font-cache')}</cachedir>
    </fontconfig>`,
  )
  return { executable, env: { LD_LIBRARY_PATH: join(libraries, 'lib'), FONTCONFIG_FILE: fontConfig } }
}

/** The package unpacks into the temporary folder only, where an interrupted run may have left an incomplete browser. */
async function unpackInto<Files extends string[]>(folder: string, files: [...Files]): Promise<Files> {
  const originalTmpDir = process.env.TMPDIR
  process.env.TMPDIR = folder
  try {
    return (await Promise.all(files.map((file) => inflate(file)))) as Files
  } finally {
    if (originalTmpDir === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = originalTmpDir
  }
}
