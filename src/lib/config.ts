import { z } from 'zod'

export const locales = ['zh-CN', 'en'] as const
export type Locale = (typeof locales)[number]

const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`))
const timeZone = z.string().refine(isTimeZone, 'is not an IANA time zone such as Asia/Shanghai')

/** Treats an empty value as unset, which is what `NAME=` in an env file means. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional())

/** In characters, for SECRET and for the secret file in DATA_DIR. */
export const minSecretLength = 32

const environmentSchema = z.object({
  PORT: optional(integer(1, 65_535)).default(3000),
  HOST: optional(z.string()).default('127.0.0.1'),
  BASE_URL: optional(
    z.string().refine(isOrigin, 'must be an address without a path, such as https://workshops.example.com'),
  ),
  DATABASE_URL: optional(
    z.url({ protocol: /^postgres(ql)?$/, error: 'must be postgres://user:password@host:5432/database' }),
  ),
  DATA_DIR: optional(z.string()).default('./data'),
  SMTP_URL: optional(
    z.url({ protocol: /^smtps?$/, error: 'must be smtps://user:password@host:465 or smtp://host:25' }),
  ),
  MAIL_FROM: optional(
    z
      .string()
      .regex(
        /^(?:[^<>"\r\n]* <[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/,
        'must be address@host or Name <address@host>',
      ),
  ),
  SECRET: optional(z.string().min(minSecretLength, `must have at least ${minSecretLength} characters`)),
  DEFAULT_LOCALE: optional(z.enum(locales)).default('zh-CN'),
  TIME_ZONE: optional(timeZone).default('Asia/Shanghai'),
  PRIVACY_CONTACT: optional(z.string()),
  RETENTION_DAYS: optional(integer(1, 36_500)).default(90),
  RATE_LIMIT: optional(z.enum(['on', 'off'])).default('on'),
  TRUST_PROXY: optional(integer(0, 10)).default(0),
  MAIL_RATE: optional(integer(1, 1_000_000)),
  FOOTER: optional(z.string()),
  WECHAT_VERIFY: optional(z.string().regex(/^MP_verify_[A-Za-z0-9]+\.txt$/, 'must be the file name, MP_verify_….txt')),
  LOG_LEVEL: optional(z.enum(['debug', 'info', 'warn', 'error', 'silent'])).default('info'),
})

/** The validated settings. Undefined: not set and without a default. */
export type Config = {
  port: number
  host: string
  /** Origin under which visitors reach the service, without a trailing slash. Undefined until the server knows its address. */
  baseUrl: string | undefined
  databaseUrl: string | undefined
  dataDir: string
  smtpUrl: string | undefined
  mailFrom: string
  /** Undefined only with the embedded database, whose secret is in DATA_DIR. */
  secret: string | undefined
  defaultLocale: Locale
  timeZone: string
  privacyContact: string | undefined
  retentionDays: number
  rateLimit: boolean
  /** Number of reverse proxies whose entries in X-Forwarded-For are trusted. */
  trustProxy: number
  /** Maximum number of mails per minute. */
  mailRate: number | undefined
  footer: string | undefined
  wechatVerify: string | undefined
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
}

/** A failed start that the operator can fix. `message` is one line: the problem and how to fix it. */
export class StartupError extends Error {}

/** A missing or invalid setting. */
export class ConfigError extends StartupError {}

/**
 * Reads the settings from environment variables.
 * @throws {ConfigError} listing every invalid variable with the reason
 */
export function parseConfig(env: Record<string, string | undefined>): Config {
  const parsed = environmentSchema.safeParse(env)
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new ConfigError(`wrong setting, ${problems.join('; ')}`)
  }
  const { data } = parsed
  if (data.DATABASE_URL && !data.SECRET) {
    throw new ConfigError(
      'missing setting, SECRET: required with DATABASE_URL; tickets are derived from it, so keep it. Make one with: openssl rand -base64 32',
    )
  }
  if (data.SMTP_URL && !data.MAIL_FROM) {
    throw new ConfigError(
      'missing setting, MAIL_FROM: required with SMTP_URL, for example: Workshops <workshops@example.com>',
    )
  }
  return {
    port: data.PORT,
    host: data.HOST,
    baseUrl: data.BASE_URL?.replace(/\/$/, ''),
    databaseUrl: data.DATABASE_URL,
    dataDir: data.DATA_DIR,
    smtpUrl: data.SMTP_URL,
    mailFrom: data.MAIL_FROM ?? 'baoming <baoming@localhost>',
    secret: data.SECRET,
    defaultLocale: data.DEFAULT_LOCALE,
    timeZone: data.TIME_ZONE,
    privacyContact: data.PRIVACY_CONTACT,
    retentionDays: data.RETENTION_DAYS,
    rateLimit: data.RATE_LIMIT === 'on',
    trustProxy: data.TRUST_PROXY,
    mailRate: data.MAIL_RATE,
    footer: data.FOOTER,
    wechatVerify: data.WECHAT_VERIFY,
    logLevel: data.LOG_LEVEL,
  }
}

/** True for the name of a time zone that Intl knows. Offsets such as +08:00 are rejected: they have no daylight saving time. */
export function isTimeZone(name: string): boolean {
  // The longest names have about thirty characters.
  if (!/^[A-Za-z][\w/+-]{0,63}$/.test(name)) return false
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}

function isOrigin(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { origin, href, protocol } = new URL(address)
  return /^https?:$/.test(protocol) && href === `${origin}/`
}
