import { type Context, Hono } from 'hono'
import type { Child } from 'hono/jsx'
import { attachment, streamOf } from '../answer.ts'
import { audited } from '../audited.ts'
import type { App } from '../context.ts'
import { allPeople, type PeopleFilter } from '../domain/people.ts'
import type { RosterLine } from '../domain/roster.ts'
import type { Workshop } from '../domain/workshops.ts'
import { withQuery } from '../links.ts'
import { type PeopleMessages, peopleMessagesFor } from '../messages/people.ts'
import { pick, placeOf, when } from '../messages/text.ts'
import { rosterCsv, rosterFileName, rosterXlsx } from '../roster-files.ts'
import { nameOf, whoseIds } from './people.tsx'
import { findWhose, listPath, type PeopleQuery, readPeopleQuery, type Whose, writePeopleQuery } from './people-query.ts'
import { onPages, sheetPage } from './sheet.tsx'

/** The attendee list to take along: as a file, and on paper. All of them honour the filter of the list. */
export const peopleFiles = new Hono<App>()

for (const of of ['workshop', 'campaign'] as const) {
  peopleFiles.get(`/console/${of}s/:slug/people.csv`, (c) => sendFile(c, of, 'csv'))
  peopleFiles.get(`/console/${of}s/:slug/people.xlsx`, (c) => sendFile(c, of, 'xlsx'))
}

const mediaTypes = {
  csv: 'text/csv; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
}

async function sendFile(c: Context<App>, of: Whose['of'], format: 'csv' | 'xlsx'): Promise<Response> {
  const { deps } = c.env
  const { locale } = c.var
  const whose = await findWhose(c, of)
  if (!whose) return c.notFound()
  const { filter, order } = readPeopleQuery(c)
  await recordExport(c, whose, filter, format)
  const file = format === 'csv' ? rosterCsv : rosterXlsx
  const [slug, city] = whose.of === 'workshop' ? [whose.workshops[0].slug, whose.workshops[0].city] : [whose.slug, {}]
  return c.body(await streamOf(deps, file(deps, whose.workshops, locale, filter, order)), 200, {
    'Content-Type': mediaTypes[format],
    'Content-Disposition': attachment(`${slug}.${format}`, rosterFileName({ slug, city }, locale, format)),
    'Cache-Control': 'no-store',
  })
}

async function recordExport(c: Context<App>, whose: Whose, filter: PeopleFilter, format: string): Promise<void> {
  const { search, ...facts } = filter
  await audited(c, {
    action: 'list.exported',
    ...whoseIds(whose),
    facts: { format, ...facts },
    personal: search ? { search } : undefined,
  })
}

peopleFiles.get('/console/workshops/:slug/people/sign-in-sheet', async (c) => {
  const sheet = await readSheet(c)
  if (!sheet) return c.notFound()
  const { t, workshop, people } = sheet
  return peopleSheet(
    c,
    sheet,
    t.sheet.signIn,
    <table class="sign-in">
      <caption>
        <b>{pick(workshop.title, c.var.locale)}</b> {whenAndWhere(c, workshop)} · {t.sheet.people(people.length)}
      </caption>
      <thead>
        <tr>
          <th scope="col">{t.sheet.number}</th>
          <th scope="col">{t.sheet.name}</th>
          <th scope="col">{t.sheet.company}</th>
          <th scope="col">{t.sheet.phone}</th>
          <th scope="col" class="signature">
            {t.sheet.signature}
          </th>
        </tr>
      </thead>
      <tbody>
        {people.map(({ seq, name, company, phone }) => (
          <tr>
            <td>{seq}</td>
            <td>{name}</td>
            <td>{company}</td>
            <td>{phone?.slice(-4)}</td>
            <td />
          </tr>
        ))}
      </tbody>
    </table>,
  )
})

/** On an A4 page there is room for two columns of five badges of 90 by 54 mm, as badge holders want them. */
const badgesPerPage = 10

peopleFiles.get('/console/workshops/:slug/people/name-badges', async (c) => {
  const sheet = await readSheet(c)
  if (!sheet) return c.notFound()
  const { t, workshop, people } = sheet
  return peopleSheet(
    c,
    sheet,
    t.sheet.badges,
    onPages(people, badgesPerPage).map((some) => (
      <section class="badges">
        {some.map(({ seq, name, company }) => (
          <div class="name-badge">
            <b class={name.length > 12 ? 'long' : undefined}>{name}</b>
            <span>{company}</span>
            <small>
              {pick(workshop.title, c.var.locale)} · {seq}
            </small>
          </div>
        ))}
      </section>
    )),
  )
})

type Sheet = { workshop: Workshop; people: RosterLine[]; query: PeopleQuery; whose: Whose; t: PeopleMessages }

/** Those whom the filter lets through; without a status, those who have a seat of their own. */
async function readSheet(c: Context<App>): Promise<Sheet | undefined> {
  const whose = await findWhose(c, 'workshop')
  if (!whose) return undefined
  const [workshop] = whose.workshops as [Workshop]
  const query = readPeopleQuery(c)
  const filter = { ...query.filter, status: query.filter.status ?? ('confirmed' as const) }
  await recordExport(c, whose, filter, c.req.path.split('/').at(-1) ?? '')
  const people: RosterLine[] = []
  for await (const lines of allPeople(c.env.deps, [workshop], filter, query.order)) {
    people.push(...lines.filter(({ erased }) => !erased))
  }
  return { workshop, people, query, whose, t: peopleMessagesFor(c.var.locale) }
}

function whenAndWhere(c: Context<App>, workshop: Workshop): string {
  const { fullDate, time } = when(workshop, c.var.locale)
  return [`${fullDate} ${time}`, placeOf(workshop, c.var.locale)].join(' · ')
}

/** A sheet of these people, with the way back to the list that it is of. */
function peopleSheet(c: Context<App>, { whose, query, people, t }: Sheet, title: string, content: Child) {
  const back = { href: withQuery(listPath(whose), writePeopleQuery(query)), text: t.sheet.back }
  const hint = people.length > 0 ? t.sheet.print : t.sheet.nobody
  return sheetPage(c, { title, of: nameOf(c, whose), back, hint }, people.length > 0 && content)
}
