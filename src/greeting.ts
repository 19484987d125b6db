import { networkInterfaces } from 'node:os'
import QRCode from 'qrcode'
import { hasMailbox } from './context.ts'
import type { Deps } from './deps.ts'
import { hasOwner } from './domain/organisers.ts'
import { firstLink } from './domain/registration-links.ts'
import { firstOwnerCodeOf, mailboxKeyOf } from './domain/tickets.ts'
import { paths, urlOf, withQuery } from './links.ts'

/**
 * The address under which a server is reached: where it listens to the network, one that a phone in the same network
 * can open.
 */
export function printedAddress(host: string, port: number, interfaces = networkInterfaces()): string {
  const inNetwork = Object.values(interfaces)
    .flat()
    .find((net) => net?.family === 'IPv4' && !net.internal)?.address
  const names: Record<string, string> = {
    '0.0.0.0': inNetwork ?? 'localhost',
    '::': inNetwork ?? 'localhost',
    '127.0.0.1': 'localhost',
    '::1': 'localhost',
  }
  const name = names[host] ?? host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}

/** The address that opens the mailbox, where there is one. It gives access to all mails. */
export function mailboxUrl({ config: { port, secret } }: Deps): string {
  return urlOf(`http://localhost:${port}`, withQuery(paths.mailbox(), { key: mailboxKeyOf(secret) }))
}

/** What a newcomer needs to go on: the address, the QR to scan, the mails, the command that makes a token. */
export async function greeting(deps: Deps): Promise<string> {
  const { config } = deps
  const lines = ['', `  baoming is at ${config.baseUrl}`]
  const link = await firstLink(deps)
  if (link) {
    const url = urlOf(config.baseUrl, paths.link(link.code))
    // In black on white whatever the terminal's colours are: not every reader takes the inverse.
    lines.push('', await QRCode.toString(url, { type: 'terminal', small: true }), `  ${url}  (${link.channel})`)
  }
  lines.push('')
  if (config.smtpUrl) lines.push(`  mails      go out through ${new URL(config.smtpUrl).host}`)
  else if (hasMailbox(deps)) lines.push(`  mails      ${mailboxUrl(deps)}  (from this machine only)`)
  else lines.push('  mails      are kept until SMTP_URL is set')
  lines.push(
    (await hasOwner(deps))
      ? `  console    ${urlOf(config.baseUrl, paths.console())}`
      : `  console    ${urlOf(config.baseUrl, paths.firstOwner(firstOwnerCodeOf(config.secret)))}  (makes the first owner, once)`,
    `  API        ${urlOf(config.baseUrl, paths.apiDocs())}`,
    '  token      npm run --silent cli -- token create --name me --role organiser',
    '',
  )
  return lines.join('\n')
}
