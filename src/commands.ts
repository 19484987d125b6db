import { parseArgs } from 'node:util'
import { locales } from './config.ts'
import { hasMailbox } from './context.ts'
import { type Role, roles } from './db/schema.ts'
import type { Deps } from './deps.ts'
import { hasCampaigns } from './domain/campaigns.ts'
import { examine } from './domain/doctor.ts'
import {
  createToken,
  inviteOrganiser,
  listOrganisers,
  listTokens,
  readTokenName,
  revokeToken,
} from './domain/organisers.ts'
import { beginning } from './domain/plain-text.ts'
import { purge } from './domain/privacy.ts'
import { findWorkshop } from './domain/workshops.ts'
import { mailboxUrl } from './greeting.ts'
import { paths, urlOf } from './links.ts'
import { rosterCsv, rosterXlsx } from './roster-files.ts'
import { seed } from './seed.ts'
import { createSignInLink } from './sign-in.ts'

/** Where a command writes: its result to `out`, what a person should know beside it to `err`. */
export type Output = { out(chunk: string | Uint8Array): void; err(line: string): void }

/** A command that cannot be done as it was asked for. The message says what to do instead. */
class CommandError extends Error {}

export const usage = `commands:
  migrate                                      bring the database up to this release
  seed                                         create the example campaign
  organiser invite EMAIL --role ROLE [--name NAME]
                                               make an account and mail its person a link to sign in (owner, organiser, viewer)
  organiser link EMAIL                         print a link that signs this account in, once and within 15 minutes
  organiser list                               names, addresses and roles
  token create --name NAME --role ROLE         make an API token (owner, organiser or viewer); shown once
  token list                                   names and roles of the tokens
  token revoke ID                              make a token useless
  mailbox                                      print the link to the mails that are kept while SMTP_URL is not set
  doctor                                       check what must always hold; exit code 1 if anything is broken
  export WORKSHOP --format csv|xlsx [--lang zh-CN|en]
                                               write the attendee list of the workshop with this slug to stdout
  purge                                        forget the people of workshops that ended RETENTION_DAYS ago`

/** How many arguments a command takes at the most, and how many characters each of them has. */
const mostArguments = 20
const longestArgument = 500

/** Runs one of the operator's commands. Gives its exit code. */
export async function runCommand(deps: Deps, args: readonly string[], output: Output): Promise<number> {
  try {
    if (args.length > mostArguments) throw new CommandError(`a command takes at most ${mostArguments} arguments`)
    const long = args.findIndex((arg) => arg.length > longestArgument)
    if (long >= 0) throw new CommandError(`argument ${long + 1} is too long: at most ${longestArgument} characters`)
    const [name = 'help', ...rest] = args
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (!command) throw new CommandError(`there is no command ${name}`)
    return (await command(deps, rest, output)) ?? 0
  } catch (error) {
    const wrongUse = error instanceof CommandError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
    if (!wrongUse) throw error
    output.err(`${(error as Error).message}\n\n${usage}`)
    return 2
  }
}

const commands: Record<string, (deps: Deps, args: string[], output: Output) => Promise<number | undefined>> = {
  async help(_deps, _args, { out }) {
    out(`${usage}\n`)
    return 0
  },

  /** The database was brought up to date when it was opened. */
  async migrate(_deps, _args, { err }) {
    err('the database is up to date')
    return 0
  },

  async seed(deps, _args, { out, err }) {
    if (await hasCampaigns(deps)) {
      err('there are campaigns already: the example is for an empty installation')
      return 1
    }
    const link = await seed(deps)
    out(`${urlOf(deps.config.baseUrl, paths.link(link.code))}\n`)
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
        err('good for one sign-in within 15 minutes')
        return 0
      }
      err(`there is no account for ${email}: see organiser list`)
      return 1
    }
    const role = roles.find((known) => known === values.role)
    if (action !== 'invite' || !email || !role) {
      throw new CommandError(`organiser invite needs an address and --role (${roles.join(', ')})`)
    }
    const name = values.name ?? beginning(email.split('@')[0] ?? email, 80)
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
      const name = readTokenName(values.name ?? '')
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
    if (hasMailbox(deps)) {
      out(`${mailboxUrl(deps)}\n`)
      return 0
    }
    err('there is no mailbox: it is for the embedded database on this machine while SMTP_URL is not set')
    return 1
  },

  async doctor(deps, _args, { out }) {
    const findings = await examine(deps)
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
    const roster = values.format === 'xlsx' ? rosterXlsx : rosterCsv
    for await (const chunk of roster(deps, [workshop], locale)) out(chunk)
    return 0
  },

  async purge(deps, _args, { out }) {
    out(`${await purge(deps)} people forgotten\n`)
    return 0
  },
}
