import { networkInterfaces } from 'node:os'
import QRCode from 'qrcode'
import type { Deps } from '../domain/deps.ts'
import { hasOwner } from '../domain/organisers/organisers.ts'
import { findFirstLink } from '../domain/promotion/registration-links.ts'
import { createFirstOwnerCode, createMailboxKey } from '../domain/tickets/signed-tokens.ts'
import { isMailPreviewEnabled } from '../http/context.ts'
import { absoluteUrl, paths, withQuery } from '../http/links.ts'

/**
 * Base URL for a listening address. For a wildcard address the LAN address, so that a phone on the same network can
 * open it.
 */
export function defaultBaseUrl(host: string, port: number, interfaces = networkInterfaces()): string {
  const lanAddress = Object.values(interfaces)
    .flat()
    .find((net) => net?.family === 'IPv4' && !net.internal)?.address
  const names: Record<string, string> = {
    '0.0.0.0': lanAddress ?? 'localhost',
    '::': lanAddress ?? 'localhost',
    '127.0.0.1': 'localhost',
    '::1': 'localhost',
  }
  const name = names[host] ?? host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}

/** URL of the mail preview, with its key. It gives access to all mails. */
export function mailPreviewUrl({ config: { port, secret } }: Deps): string {
  return absoluteUrl(`http://localhost:${port}`, withQuery(paths.mailbox(), { key: createMailboxKey(secret) }))
}

/**
 * Renders what is printed after the start: address, QR of the first link, mails, console, API and how to create a
 * token.
 */
export async function renderStartupBanner(deps: Deps): Promise<string> {
  const { config } = deps
  const lines = ['', `  baoming is at ${config.baseUrl}`]
  const link = await findFirstLink(deps)
  if (link) {
    const url = absoluteUrl(config.baseUrl, paths.registrationLink(link.code))
    // Black on white whatever the terminal's colours: some scanners cannot read inverted codes.
    lines.push('', await QRCode.toString(url, { type: 'terminal', small: true }), `  ${url}  (${link.channel})`)
  }
  lines.push('')
  if (config.smtpUrl) lines.push(`  mails      go out through ${new URL(config.smtpUrl).host}`)
  else if (isMailPreviewEnabled(deps)) lines.push(`  mails      ${mailPreviewUrl(deps)}  (from this machine only)`)
  else lines.push('  mails      are kept until SMTP_URL is set')
  lines.push(
    (await hasOwner(deps))
      ? `  console    ${absoluteUrl(config.baseUrl, paths.console())}`
      : `  console    ${absoluteUrl(config.baseUrl, paths.firstOwner(createFirstOwnerCode(config.secret)))}  (creates the first owner, once)`,
    `  API        ${absoluteUrl(config.baseUrl, paths.apiDocs())}`,
    '  token      npm run --silent cli -- token create --name me --role organiser',
    '',
  )
  return lines.join('\n')
}
