import { type Context, Hono } from 'hono'
import { type App, limitRange } from '../context.ts'
import { mailTickets, parseEmail } from '../domain/registrations.ts'
import { readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { messagesFor } from '../messages/messages.ts'
import { page } from './layout.tsx'
import { Field, ProblemList, sentence } from './sign-up-form.tsx'

/** Mails one's tickets to one's own address, and tells nobody whether there are any. */
export const findPages = new Hono<App>()

findPages.get('/find', (c) => {
  const { find: t } = messagesFor(c.var.locale)
  if (c.req.query('done') !== 'mailed') return findPage(c)
  return page(
    c,
    { title: t.title },
    <>
      <h1>{t.done}</h1>
      <p class="lead">{t.doneHint}</p>
      <a class="button second" href={paths.find()}>
        {t.again}
      </a>
    </>,
  )
})

findPages.post('/find', async (c) => {
  await limitRange(c, 'find')
  const { email: typed } = await readFormBody(c)
  const parsed = parseEmail(typed)
  if ('problems' in parsed) {
    const t = messagesFor(c.var.locale)
    const problem = parsed.problems.map((problem) => sentence(problem, t)).join(' ')
    return findPage(c, { typed: typeof typed === 'string' ? typed : '', problem })
  }
  await mailTickets(c.env.deps, parsed.email)
  return c.redirect(withQuery(paths.find(), { done: 'mailed' }), 303)
})

function findPage(c: Context<App>, mistake?: { typed: string; problem: string }) {
  const t = messagesFor(c.var.locale)
  return page(
    c,
    { title: t.find.title, status: mistake && 422 },
    <>
      <h1>{t.find.title}</h1>
      <p class="lead">{t.find.lead}</p>
      {mistake && <ProblemList problems={[{ field: 'email', text: mistake.problem }]} t={t} />}
      <form method="post" action={paths.find()} novalidate>
        <Field
          name="email"
          type="email"
          label={t.fields.email}
          value={mistake?.typed ?? ''}
          problem={mistake?.problem}
          autocomplete="email"
          required
        />
        <button type="submit">{t.find.submit}</button>
      </form>
    </>,
  )
}
