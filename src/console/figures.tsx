import { type Context, Hono } from 'hono'
import type { Locale } from '../config.ts'
import type { App } from '../context.ts'
import { attendanceOf } from '../domain/attendance.ts'
import { type Attention, needsAttention } from '../domain/attention.ts'
import { findCampaign } from '../domain/campaigns.ts'
import { feedbackResults } from '../domain/feedback.ts'
import { type Channel, type Figures, figuresOf, type OverTime, type Scope } from '../domain/figures.ts'
import { findWorkshop, type Workshop } from '../domain/workshops.ts'
import { paths } from '../links.ts'
import { afterwardsMessagesFor } from '../messages/afterwards.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { figureMessagesFor } from '../messages/figures.ts'
import { day, month, number, pick } from '../messages/text.ts'
import { AttendanceNumbers } from './attendance.tsx'
import { AttentionList, nameOfWorkshop } from './attention.tsx'
import { Columns, Figure, NumberTable, Rows } from './charts.tsx'
import { FeedbackResults } from './feedback.tsx'
import { consolePage } from './layout.tsx'

/** What is counted of a campaign and of a workshop, for everyone who is signed in. */
export const figurePages = new Hono<App>()

figurePages.get('/console/campaigns/:slug/figures', async (c) => {
  const { deps } = c.env
  const campaign = await findCampaign(deps, c.req.param('slug'))
  if (!campaign) return c.notFound()
  const { workshops, id: campaignId, title, slug } = campaign
  const scope: Scope = { workshops, campaignId, timeZone: deps.config.timeZone }
  return figuresPage(c, scope, { name: pick(title, c.get('locale')), href: paths.consoleCampaign(slug) })
})

figurePages.get('/console/workshops/:slug/figures', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const scope: Scope = { workshops: [workshop], timeZone: workshop.timeZone }
  const name = nameOfWorkshop(workshop, c.get('locale'))
  return figuresPage(c, scope, { name, href: paths.consoleWorkshop(workshop.slug) })
})

async function figuresPage(c: Context<App>, scope: Scope, of: { name: string; href: string }) {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = figureMessagesFor(locale).figures
  const [figures, attention] = await Promise.all([figuresOf(deps, scope), needsAttention(deps, scope)])
  const [only, ...others] = scope.workshops
  const begun = only && others.length === 0 && only.state !== 'cancelled' && deps.now() >= only.startsAt
  const after = begun && (await Promise.all([attendanceOf(deps, only), feedbackResults(deps, only)]))
  return consolePage(
    c,
    { title: t.title(of.name), section: 'campaigns', back: { href: of.href, text: of.name } },
    <>
      <h1>{t.title(of.name)}</h1>
      <KeyNumbers figures={figures} locale={locale} />
      <Attentive c={c} found={attention} />
      {scope.workshops.length > 1 && <WorkshopTable workshops={scope.workshops} locale={locale} />}
      <Progress overTime={figures.overTime} locale={locale} />
      <Channels channels={figures.channels} now={deps.now()} locale={locale} />
      <ScansToSeats figures={figures} locale={locale} />
      <Answers figures={figures} locale={locale} />
      {after && (
        <>
          <h2>{afterwardsMessagesFor(locale).attendance.title}</h2>
          <AttendanceNumbers attendance={after[0]} locale={locale} />
          <FeedbackResults results={after[1]} came={after[0].came} workshop={only} withTexts={false} locale={locale} />
        </>
      )}
      <Mails figures={figures} locale={locale} />
    </>,
  )
}

function Attentive({ c, found }: { c: Context<App>; found: Attention[] }) {
  if (found.length === 0) return null
  return (
    <>
      <h2>{figureMessagesFor(c.get('locale')).figures.attention}</h2>
      <AttentionList c={c} found={found} />
    </>
  )
}

/** The numbers before the charts. */
export function KeyNumbers({
  figures: { seats, registrations },
  locale,
}: {
  figures: Pick<Figures, 'seats' | 'registrations'>
  locale: Locale
}) {
  const t = figureMessagesFor(locale).figures
  const said: [number, string][] = [
    [seats.taken, t.taken],
    [seats.capacity - seats.taken, t.left],
    [seats.capacity, t.seats],
    [seats.waitlisted, t.waitlisted],
    [registrations.all, t.registrations],
    [registrations.cancelled, t.cancelled],
  ]
  return (
    <ul class="numbers">
      {said.map(([n, what]) => (
        <li>
          <b>{number(n)}</b>
          <small>{what}</small>
        </li>
      ))}
    </ul>
  )
}

function WorkshopTable({ workshops, locale }: { workshops: Workshop[]; locale: Locale }) {
  const t = figureMessagesFor(locale).figures
  return (
    <>
      <h2>{t.workshopsHeading}</h2>
      <NumberTable
        heads={[t.workshop, t.taken, t.seats, t.waitlisted]}
        rows={workshops.map((workshop) => [
          <a href={paths.workshopFigures(workshop.slug)}>{nameOfWorkshop(workshop, locale)}</a>,
          workshop.taken,
          workshop.capacity,
          workshop.waitlisted,
        ])}
      />
    </>
  )
}

/** When people signed up. */
export function Progress({ overTime, locale }: { overTime: OverTime; locale: Locale }) {
  const t = figureMessagesFor(locale).figures
  const { unit, points } = overTime
  const short = (from: string) =>
    unit === 'month' ? month(new Date(from), 'UTC', locale) : day(new Date(from), 'UTC', locale)
  const name = (from: string) => (unit === 'week' ? t.weekOf(short(from)) : short(from))
  const all = points.reduce((sum, { registrations }) => sum + registrations, 0)
  const peak = points.reduce((a, b) => (b.registrations > a.registrations ? b : a), points[0] as OverTime['points'][0])
  const [first, last] = [points[0], points.at(-1)]
  return (
    <>
      <h2>{t.overTime}</h2>
      {first && last ? (
        <Figure
          caption={t.overTimeBy[unit]}
          keys={[
            { tone: 'accent', text: t.stands },
            { tone: 'grey', text: t.cancelledSince },
          ]}
          open={t.numbers}
          numbers={{
            heads: [t.when, t.all, t.stands, t.cancelledSince],
            rows: points.map(({ from, registrations, cancelled }) => [
              name(from),
              registrations,
              registrations - cancelled,
              cancelled,
            ]),
          }}
        >
          <Columns
            id="over-time"
            title={t.overTime}
            description={t.overTimeSaid(all, short(first.from), short(last.from), peak.registrations, name(peak.from))}
            bars={points.map(({ from, registrations, cancelled }) => ({
              name: name(from),
              label: short(from),
              parts: [
                { tone: 'accent', value: registrations - cancelled },
                { tone: 'grey', value: cancelled },
              ],
            }))}
          />
        </Figure>
      ) : (
        <p>{t.none}</p>
      )}
    </>
  )
}

/** Through which links people came. */
export function Channels({ channels, now, locale }: { channels: Channel[]; now: Date; locale: Locale }) {
  const t = figureMessagesFor(locale).figures
  const pair = figureMessagesFor(locale).pair
  if (channels.length === 0) return null
  const nameOf = ({ link }: Channel) => {
    if (!link) return t.direct
    const state = !link.active ? t.off : link.expiresAt && link.expiresAt <= now ? t.expired : undefined
    return state ? pair(link.channel, state) : link.channel
  }
  const shown = channels.slice(0, mostChannels).map((channel) => ({ name: nameOf(channel), n: channel.registrations }))
  const rest = channels.slice(mostChannels)
  if (rest.length > 0) {
    shown.push({ name: t.others(rest.length), n: rest.reduce((sum, { registrations }) => sum + registrations, 0) })
  }
  const all = channels.reduce((sum, { registrations }) => sum + registrations, 0)
  return (
    <>
      <h2>{t.channels}</h2>
      <Figure
        open={t.numbers}
        numbers={{
          heads: [t.channel, t.scans, t.all, t.seated],
          rows: channels.map((channel) => [
            channel.link ? pair(nameOf(channel), channel.link.code) : nameOf(channel),
            channel.scans ?? t.notCounted,
            channel.registrations,
            channel.seated,
          ]),
        }}
      >
        <Rows
          id="channels"
          title={t.channels}
          description={t.channelsSaid(shown[0]?.name ?? '', shown[0]?.n ?? 0)}
          rows={shown.map(({ name, n }) => ({
            label: name,
            parts: [{ tone: 'accent', value: n }],
            said: all > 0 ? pair(number(n), shareOf(n, all, locale)) : number(n),
          }))}
        />
        {channels.some(({ link, scans }) => link && scans === null) && <p class="hint">{t.scansElsewhere}</p>}
      </Figure>
    </>
  )
}

/** More are in the table only. */
const mostChannels = 8

function ScansToSeats({ figures: { funnel }, locale }: { figures: Figures; locale: Locale }) {
  const t = figureMessagesFor(locale).figures
  if (!funnel) return null
  const steps = (['scans', 'registrations', 'seated'] as const).map((step, index, all) => {
    const before = all[index - 1]
    const share = before ? shareOf(funnel[step], funnel[before], locale) : undefined
    return { name: t.steps[step], n: funnel[step], share }
  })
  return (
    <>
      <h2>{t.funnel}</h2>
      <Figure
        open={t.numbers}
        numbers={{
          heads: [t.step, t.all, t.share],
          rows: steps.map(({ name, n, share }) => [name, n, share ?? t.notCounted]),
        }}
      >
        <Rows
          id="funnel"
          title={t.funnel}
          description={t.funnelSaid(funnel.scans, funnel.registrations, funnel.seated)}
          centred
          rows={steps.map(({ name, n, share }) => ({
            label: name,
            parts: [{ tone: 'accent', value: n }],
            said: share ? figureMessagesFor(locale).pair(number(n), share) : number(n),
          }))}
        />
      </Figure>
    </>
  )
}

function Answers({ figures: { readiness }, locale }: { figures: Figures; locale: Locale }) {
  const t = figureMessagesFor(locale).figures
  if (readiness.length === 0) return null
  return (
    <>
      <h2>{t.readiness}</h2>
      <AnswersFigure answers={readiness} caption={t.readinessNote} locale={locale} />
    </>
  )
}

/** What was answered to each item, as bars with their numbers. */
export function AnswersFigure({
  answers,
  caption,
  locale,
}: {
  answers: Figures['readiness']
  caption?: string
  locale: Locale
}) {
  const t = figureMessagesFor(locale).figures
  const items = answers.map(({ item, ...counts }) => ({
    ...counts,
    name: pick(item.text, locale),
    all: counts.ready + counts.notYet + counts.noAnswer,
  }))
  return (
    <Figure
      caption={caption}
      keys={[
        { tone: 'accent', text: t.ready },
        { tone: 'grey', text: t.notYet },
        { tone: 'pale', text: t.noAnswer },
      ]}
      open={t.numbers}
      numbers={{
        heads: [t.item, t.ready, t.notYet, t.noAnswer],
        rows: items.map(({ name, ready, notYet, noAnswer }) => [name, ready, notYet, noAnswer]),
      }}
    >
      <Rows
        id="readiness"
        title={t.readiness}
        description={items.map((item) => t.readinessSaid(item.name, item.ready, item.notYet, item.noAnswer)).join(' ')}
        most={Math.max(1, ...items.map(({ all }) => all))}
        rows={items.map(({ name, ready, notYet, noAnswer, all }) => ({
          label: name,
          parts: [
            { tone: 'accent', value: ready },
            { tone: 'grey', value: notYet },
            { tone: 'pale', value: noAnswer },
          ],
          said: figureMessagesFor(locale).pair(`${number(ready)} / ${number(all)}`, shareOf(ready, all, locale)),
        }))}
      />
    </Figure>
  )
}

function Mails({ figures: { mails }, locale }: { figures: Figures; locale: Locale }) {
  const t = figureMessagesFor(locale).figures
  return (
    <>
      <h2>{t.mails}</h2>
      {mails.length === 0 ? (
        <p>{t.noMails}</p>
      ) : (
        <NumberTable
          heads={[t.mail, t.sent, t.owed, t.failed, t.pointless]}
          rows={mails.map(({ kind, sent, owed, failed, pointless }) => [
            consoleMessagesFor(locale).mailKinds[kind],
            sent,
            owed,
            failed > 0 ? <strong class="warning">{number(failed)}</strong> : 0,
            pointless,
          ])}
        />
      )}
    </>
  )
}

/** 83%; of nothing there is no share. */
export function shareOf(part: number, whole: number, locale: Locale): string {
  const messages = figureMessagesFor(locale)
  return whole > 0 ? messages.percent(String(Math.round((100 * part) / whole))) : messages.figures.notCounted
}
