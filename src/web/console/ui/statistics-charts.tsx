import type { ChannelStats, Statistics, TimeSeries } from '../../../domain/reports/statistics.ts'
import { formatDay, formatMonth, formatNumber, localize } from '../../../i18n/format.ts'
import { reportMessages } from '../../../i18n/reports.ts'
import type { Locale } from '../../../lib/config.ts'
import { BarChart, ColumnChart, Figure } from './charts.tsx'
import { formatShare, KeyNumbers } from './numbers.tsx'

export function KeyStats({
  stats: { seats, registrations },
  locale,
}: {
  stats: Pick<Statistics, 'seats' | 'registrations'>
  locale: Locale
}) {
  const t = reportMessages(locale).figures
  return (
    <KeyNumbers
      numbers={[
        [seats.taken, t.taken],
        [seats.capacity - seats.taken, t.left],
        [seats.capacity, t.seats],
        [seats.waitlisted, t.waitlisted],
        [registrations.all, t.registrations],
        [registrations.cancelled, t.cancelled],
      ]}
    />
  )
}

export function RegistrationsOverTime({ overTime, locale }: { overTime: TimeSeries; locale: Locale }) {
  const t = reportMessages(locale).figures
  const { unit, points } = overTime
  const shortLabel = (from: string) =>
    unit === 'month' ? formatMonth(new Date(from), 'UTC', locale) : formatDay(new Date(from), 'UTC', locale)
  const fullLabel = (from: string) => (unit === 'week' ? t.weekOf(shortLabel(from)) : shortLabel(from))
  const total = points.reduce((sum, { registrations }) => sum + registrations, 0)
  const peak = points.reduce(
    (a, b) => (b.registrations > a.registrations ? b : a),
    points[0] as TimeSeries['points'][0],
  )
  const [first, last] = [points[0], points.at(-1)]
  return (
    <>
      <h2>{t.overTime}</h2>
      {first && last ? (
        <Figure
          caption={t.overTimeBy[unit]}
          legend={[
            { tone: 'accent', text: t.stands },
            { tone: 'grey', text: t.cancelledSince },
          ]}
          tableLabel={t.numbers}
          table={{
            heads: [t.when, t.all, t.stands, t.cancelledSince],
            rows: points.map(({ from, registrations, cancelled }) => [
              fullLabel(from),
              registrations,
              registrations - cancelled,
              cancelled,
            ]),
          }}
        >
          <ColumnChart
            id="over-time"
            title={t.overTime}
            description={t.overTimeSaid(
              total,
              shortLabel(first.from),
              shortLabel(last.from),
              peak.registrations,
              fullLabel(peak.from),
            )}
            bars={points.map(({ from, registrations, cancelled }) => ({
              name: fullLabel(from),
              label: shortLabel(from),
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

/** Registrations per registration link. */
export function ChannelChart({ channels, now, locale }: { channels: ChannelStats[]; now: Date; locale: Locale }) {
  const t = reportMessages(locale).figures
  const pair = reportMessages(locale).pair
  if (channels.length === 0) return null
  const channelName = ({ link }: ChannelStats) => {
    if (!link) return t.direct
    const state = !link.active ? t.off : link.expiresAt && link.expiresAt <= now ? t.expired : undefined
    return state ? pair(link.channel, state) : link.channel
  }
  const bars = channels
    .slice(0, maxChannels)
    .map((channel) => ({ name: channelName(channel), n: channel.registrations }))
  const rest = channels.slice(maxChannels)
  if (rest.length > 0) {
    bars.push({ name: t.others(rest.length), n: rest.reduce((sum, { registrations }) => sum + registrations, 0) })
  }
  const total = channels.reduce((sum, { registrations }) => sum + registrations, 0)
  return (
    <>
      <h2>{t.channels}</h2>
      <Figure
        tableLabel={t.numbers}
        table={{
          heads: [t.channel, t.scans, t.all, t.seated],
          rows: channels.map((channel) => [
            channel.link ? pair(channelName(channel), channel.link.code) : channelName(channel),
            channel.scans ?? t.notCounted,
            channel.registrations,
            channel.seated,
          ]),
        }}
      >
        <BarChart
          id="channels"
          title={t.channels}
          description={t.channelsSaid(bars[0]?.name ?? '', bars[0]?.n ?? 0)}
          rows={bars.map(({ name, n }) => ({
            label: name,
            parts: [{ tone: 'accent', value: n }],
            valueText: total > 0 ? pair(formatNumber(n), formatShare(n, total, locale)) : formatNumber(n),
          }))}
        />
        {channels.some(({ link, scans }) => link && scans === null) && <p class="hint">{t.scansElsewhere}</p>}
      </Figure>
    </>
  )
}

/** The remaining channels are summed up in the chart, and listed in its table. */
const maxChannels = 8

/** Answers to each required item. */
export function ReadinessChart({
  answers,
  caption,
  locale,
}: {
  answers: Statistics['readiness']
  caption?: string
  locale: Locale
}) {
  const t = reportMessages(locale).figures
  const items = answers.map(({ item, ...counts }) => ({
    ...counts,
    name: localize(item.text, locale),
    all: counts.ready + counts.notYet + counts.noAnswer,
  }))
  return (
    <Figure
      caption={caption}
      legend={[
        { tone: 'accent', text: t.ready },
        { tone: 'grey', text: t.notYet },
        { tone: 'pale', text: t.noAnswer },
      ]}
      tableLabel={t.numbers}
      table={{
        heads: [t.item, t.ready, t.notYet, t.noAnswer],
        rows: items.map(({ name, ready, notYet, noAnswer }) => [name, ready, notYet, noAnswer]),
      }}
    >
      <BarChart
        id="readiness"
        title={t.readiness}
        description={items.map((item) => t.readinessSaid(item.name, item.ready, item.notYet, item.noAnswer)).join(' ')}
        max={Math.max(1, ...items.map(({ all }) => all))}
        rows={items.map(({ name, ready, notYet, noAnswer, all }) => ({
          label: name,
          parts: [
            { tone: 'accent', value: ready },
            { tone: 'grey', value: notYet },
            { tone: 'pale', value: noAnswer },
          ],
          valueText: reportMessages(locale).pair(
            `${formatNumber(ready)} / ${formatNumber(all)}`,
            formatShare(ready, all, locale),
          ),
        }))}
      />
    </Figure>
  )
}
