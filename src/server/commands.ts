import { parseArgs } from 'node:util'
import { type Role, roles } from '../db/schema.ts'
import { hasCampaigns } from '../domain/campaigns/campaigns.ts'
import type { Deps } from '../domain/deps.ts'
import {
  createToken,
  inviteOrganiser,
  listOrganisers,
  listTokens,
  parseTokenName,
  revokeToken,
} from '../domain/organisers/organisers.ts'
import { purge } from '../domain/registrations/privacy.ts'
import { findViolations } from '../domain/reports/doctor.ts'
import { findWorkshop } from '../domain/workshops/workshops.ts'
import { attendeesCsv, attendeesXlsx } from '../http/attendee-export.ts'
import { isMailPreviewEnabled } from '../http/context.ts'
import { absoluteUrl, paths } from '../http/links.ts'
import { createSignInLink } from '../http/sign-in.ts'
import { locales } from '../lib/config.ts'
import { truncate } from '../lib/text.ts'
import { seed } from './seed.ts'
import { mailPreviewUrl } from './startup-banner.ts'

/** Where a command writes: its result to `out`, hints and errors to `err`. */
export type CommandOutput = { out(chunk: string | Uint8Array): void; err(line: string): void }

/** Invalid usage. The message tells what is expected. */
class CommandError extends Error {}

export const usage = `commands:
  migrate                                      bring the database up to this release
  seed                                         create the example campaign
  organiser invite EMAIL --role ROLE [--name NAME]
                                               create an account and mail its owner a sign-in link (owner, organiser, viewer)
  organiser link EMAIL                         print a link that signs this account in, once and within 15 minutes
  organiser list                               names, addresses and roles
  token create --name NAME --role ROLE         create an API token (owner, organiser or viewer); shown once
  token list                                   names and roles of the tokens
  token revoke ID                              revoke a token
  mailbox                                      print the link to the mail preview (while SMTP_URL is not set)
  doctor                                       check the invariants of the data; exit code 1 if one is violated
  export WORKSHOP --format csv|xlsx [--lang zh-CN|en]
                                               write the attendee list of the workshop with this slug to stdout
  purge                                        erase the attendees of workshops that ended RETENTION_DAYS ago`

const maxArguments = 20
const maxArgumentLength = 500

/** Runs an operator command and returns its exit code. */
export async function runCommand(deps: Deps, args: readonly string[], output: CommandOutput): Promise<number> {
  try {
    if (args.length > maxArguments) throw new CommandError(`a command takes at most ${maxArguments} arguments`)
    const tooLongIndex = args.findIndex((arg) => arg.length > maxArgumentLength)
    if (tooLongIndex >= 0)
      throw new CommandError(`argument ${tooLongIndex + 1} is too long: at most ${maxArgumentLength} characters`)
    const [name = 'help', ...rest] = args
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (!command) throw new CommandError(`unknown command ${name}`)
    return (await command(deps, rest, output)) ?? 0
  } catch (error) {
    const isUsageError =
      error instanceof CommandError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
    if (!isUsageError) throw error
    output.err(`${(error as Error).message}\n\n${usage}`)
    return 2
  }
}

const commands: Record<string, (deps: Deps, args: string[], output: CommandOutput) => Promise<number | undefined>> = {
  async help(_deps, _args, { out }) {
    out(`${usage}\n`)
    return 0
  },

  /** Opening the database has migrated it. */
  async migrate(_deps, _args, { err }) {
    err('the database is up to date')
    return 0
  },

  async seed(deps, _args, { out, err }) {
    if (await hasCampaigns(deps)) {
      err('there are campaigns already: the example needs an empty database')
      return 1
    }
    const link = await seed(deps)
    out(`${absoluteUrl(deps.config.baseUrl, paths.registrationLink(link.code))}\n`)
    return 0
  },

  async organiser(deps, args, { out, err }) {
    const { positionals, values } = parseArgs({
      args,
      allowPositionals: true,
      options: { name: { type: 'string' }, role: { type: 'string' } },
    })
    const [action, email] = positionals
    if (action === 'list') {
      for (const { name, email, role } of await listOrganisers(deps)) out(`${role.padEnd(9)}  ${email}  ${name}\n`)
      return 0
    }
    if (action === 'link') {
      if (!email) throw new CommandError('organiser link needs an address')
      const link = await createSignInLink(deps, email)
      if (link) {
        out(`${link}\n`)
        err('valid once, for 15 minutes')
        return 0
      }
      err(`there is no account for ${email}: see organiser list`)
      return 1
    }
    const role = roles.find((known) => known === values.role)
    if (action !== 'invite' || !email || !role) {
      throw new CommandError(`organiser invite needs an address and --role (${roles.join(', ')})`)
    }
    const name = values.name ?? truncate(email.split('@')[0] ?? email, 80)
    const invited = await inviteOrganiser(deps, { name, email, role })
    if (invited.kind === 'changed') {
      err(
        deps.config.smtpUrl
          ? 'the invitation is on its way'
          : 'the invitation is mailed once SMTP_URL is set; organiser link prints a link to sign in',
      )
      return 0
    }
    if (invited.refusal === 'name_too_long') throw new CommandError('the name is too long: at most 80 characters')
    if (invited.refusal === 'email_too_long') throw new CommandError('the address is too long: at most 254 characters')
    err(invited.refusal === 'exists' ? `${email} has an account already` : `${email} is no e-mail address`)
    return 1
  },

  async token(deps, args, { out, err }) {
    const { positionals, values } = parseArgs({
      args,
      allowPositionals: true,
      options: { name: { type: 'string' }, role: { type: 'string' } },
    })
    const [action, id] = positionals
    if (action === 'create') {
      const role = roles.find((known) => known === values.role)
      const name = parseTokenName(values.name ?? '')
      if (name === undefined) throw new CommandError('the name is too long: at most 80 characters')
      if (!name || !role) throw new CommandError(`token create needs --name and --role (${roles.join(', ')})`)
      out(`${await createToken(deps, name, role satisfies Role)}\n`)
      err('keep it: only its hash is stored')
      return 0
    }
    if (action === 'list') {
      for (const token of await listTokens(deps)) {
        out(`${token.id}  ${token.role.padEnd(9)}  ${token.revokedAt ? 'revoked' : 'valid  '}  ${token.name}\n`)
      }
      return 0
    }
    if (action === 'revoke' && id) {
      if (await revokeToken(deps, id)) return 0
      err(`there is no token ${id}: see token list`)
      return 1
    }
    throw new CommandError('token create, token list or token revoke ID')
  },

  async mailbox(deps, _args, { out, err }) {
    if (isMailPreviewEnabled(deps)) {
      out(`${mailPreviewUrl(deps)}\n`)
      return 0
    }
    err('there is no mailbox: it is for the embedded database on this machine while SMTP_URL is not set')
    return 1
  },

  async doctor(deps, _args, { out }) {
    const findings = await findViolations(deps)
    for (const { invariant, broken } of findings)
      out(`broken: ${invariant}\n${broken.map((what) => `  ${what}\n`).join('')}`)
    if (findings.length === 0) out('all invariants hold\n')
    return findings.length === 0 ? 0 : 1
  },

  async export(deps, args, { out, err }) {
    const { positionals, values } = parseArgs({
      args,
      allowPositionals: true,
      options: { format: { type: 'string', default: 'csv' }, lang: { type: 'string' } },
    })
    const [slug] = positionals
    const locale = locales.find((known) => known === (values.lang ?? deps.config.defaultLocale))
    if (!slug || !['csv', 'xlsx'].includes(values.format) || !locale) {
      throw new CommandError('export needs the slug of a workshop and --format csv or xlsx')
    }
    const workshop = await findWorkshop(deps, slug)
    if (!workshop) {
      err(`there is no workshop ${slug}`)
      return 1
    }
    const exportAttendees = values.format === 'xlsx' ? attendeesXlsx : attendeesCsv
    for await (const chunk of exportAttendees(deps, [workshop], locale)) out(chunk)
    return 0
  },

  async purge(deps, _args, { out }) {
    out(`${await purge(deps)} people forgotten\n`)
    return 0
  },
}
