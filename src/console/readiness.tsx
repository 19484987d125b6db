import { type Context, Hono } from 'hono'
import type { App } from '../context.ts'
import { reminderKinds } from '../db/schema.ts'
import { type Coming, comings, countComing } from '../domain/coming.ts'
import { countReminders, type MailCount } from '../domain/figures.ts'
import { type Answers, countAnswers } from '../domain/readiness.ts'
import { remindersOf } from '../domain/reminders.ts'
import { findWorkshop, type Workshop } from '../domain/workshops.ts'
import { paths, withQuery } from '../links.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { figureMessagesFor } from '../messages/figures.ts'
import { peopleMessagesFor } from '../messages/people.ts'
import { readinessMessagesFor } from '../messages/readiness.ts'
import { moment, number, pick, placeOf, when } from '../messages/text.ts'
import { mayChange, whenOf } from './campaigns.tsx'
import { Figure, NumberTable, Rows } from './charts.tsx'
import { AnswersFigure } from './figures.tsx'
import { consolePage } from './layout.tsx'
import { backTo } from './workshop-form.tsx'

/** Before the day: who is ready with what, who comes, and what they are reminded of. */
export const readinessPages = new Hono<App>()

readinessPages.get('/console/workshops/:slug/readiness', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  const [answers, coming, mails] = await Promise.all([
    countAnswers(deps, [workshop], ['confirmed']),
    countComing(deps, workshop),
    countReminders(deps, workshop),
  ])
  const { console: t } = readinessMessagesFor(c.get('locale'))
  const people = comings.reduce((sum, stands) => sum + coming[stands], 0)
  return consolePage(
    c,
    {
      title: `${t.title} · ${placeOf(workshop, c.get('locale'))}`,
      section: 'campaigns',
      back: backTo(workshop, c, true),
    },
    <>
      <h1>{t.title}</h1>
      <p class="lead">
        {placeOf(workshop, c.get('locale'))} · {whenOf(workshop, c)}
        <br />
        {people === 0 ? t.nobody : t.lead(people)}
      </p>
      {people > 0 && <Items c={c} workshop={workshop} answers={answers} />}
      {people > 0 && <WhoComes c={c} workshop={workshop} coming={coming} />}
      <Reminders c={c} workshop={workshop} mails={mails} />
    </>,
  )
})

function Items({ c, workshop, answers }: { c: Context<App>; workshop: Workshop; answers: Answers[] }) {
  const locale = c.get('locale')
  const { console: t } = readinessMessagesFor(locale)
  const list = (ready: string) => withQuery(paths.workshopPeople(workshop.slug), { status: 'confirmed', ready })
  if (answers.length === 0) return <p>{t.nothingAsked}</p>
  return (
    <>
      <h2>{t.items}</h2>
      <AnswersFigure answers={answers} locale={locale} />
      {mayChange(c) && (
        <ul class="rows">
          {answers.map(({ item, ready, notYet, noAnswer }) => (
            <li>
              {pick(item.text, locale)}{' '}
              <span class="links">
                <a href={list(`${item.id}.not`)}>{t.whoMissing(notYet + noAnswer)}</a>
                <a href={list(`${item.id}.ready`)}>{t.whoReady(ready)}</a>
              </span>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function WhoComes({ c, workshop, coming }: { c: Context<App>; workshop: Workshop; coming: Record<Coming, number> }) {
  const locale = c.get('locale')
  const { console: t } = readinessMessagesFor(locale)
  const { comings: words, list: labels } = peopleMessagesFor(locale)
  const list = (stands: Coming) => withQuery(paths.workshopPeople(workshop.slug), { coming: stands })
  return (
    <>
      <h2>{t.coming}</h2>
      <Figure
        caption={t.comingNote}
        open={figureMessagesFor(locale).figures.numbers}
        numbers={{ heads: [t.coming, t.people], rows: comings.map((stands) => [words[stands], coming[stands]]) }}
      >
        <Rows
          id="coming"
          title={t.coming}
          description={comings.map((stands) => `${words[stands]}: ${number(coming[stands])}`).join(', ')}
          most={Math.max(1, coming.yes + coming.asked + coming.not_asked)}
          rows={comings.map((stands) => ({
            label: words[stands],
            parts: [{ tone: stands === 'yes' ? 'accent' : 'grey', value: coming[stands] }],
            said: number(coming[stands]),
          }))}
        />
      </Figure>
      {mayChange(c) && (
        <p class="links">
          {comings.map((stands) => (
            <a href={list(stands)}>{labels.of(words[stands], coming[stands])}</a>
          ))}
        </p>
      )}
    </>
  )
}

/** What goes out when, by the clocks of the workshop, and what became of it. */
function Reminders({ c, workshop, mails }: { c: Context<App>; workshop: Workshop; mails: MailCount[] }) {
  const locale = c.get('locale')
  const { console: t } = readinessMessagesFor(locale)
  const { mailKinds } = consoleMessagesFor(locale)
  const { timeZone, state } = workshop
  const plan = remindersOf(workshop)
  const sends = state === 'published' || state === 'closed'
  return (
    <>
      <h2>{t.reminders}</h2>
      {!sends && <p>{t.none}</p>}
      <NumberTable
        heads={[t.heads.kind, t.heads.at, t.heads.sent, t.heads.owed, t.heads.failed, t.heads.pointless]}
        rows={reminderKinds.map((kind) => {
          const planned = plan.find((reminder) => reminder.kind === kind)
          const { sent, owed, failed, pointless } = mails.find((count) => count.kind === kind) ?? {
            ...{ sent: 0, owed: 0, failed: 0, pointless: 0 },
          }
          return [
            <>
              {mailKinds[kind]}
              <small>{t.whoGets[kind]}</small>
            </>,
            planned ? (
              <>
                <time datetime={planned.at.toISOString()}>{moment(planned.at, timeZone, locale)}</time>
                <small>{t.until(moment(planned.until, timeZone, locale))}</small>
              </>
            ) : (
              t.off
            ),
            ...[sent, owed, failed, pointless],
          ]
        })}
      />
      <p class="hint">{t.zone(when(workshop, locale).zone)}</p>
      {mayChange(c) && state !== 'cancelled' && (
        <p class="links">
          <a href={`${paths.editWorkshop(workshop.slug)}#reminders`}>{t.change}</a>
        </p>
      )}
    </>
  )
}
