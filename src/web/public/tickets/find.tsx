import { type Context, Hono } from 'hono'
import { enqueueTicketsMail, parseEmail } from '../../../domain/registrations/registrations.ts'
import { type App, rateLimitByIp } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { publicMessages } from '../../../i18n/public.ts'
import { renderPage } from '../layout.tsx'
import { ErrorSummary, Field, fieldProblemText } from '../workshops/sign-up-form.tsx'

/** Mails the tickets of an address to it, without disclosing whether there are any. */
export const findTicketsPages = new Hono<App>()

findTicketsPages.get('/find', (c) => {
  const { find: t } = publicMessages(c.var.locale)
  if (c.req.query('done') !== 'mailed') return findTicketsPage(c)
  return renderPage(
    c,
    { title: t.title },
    <>
      <h1>{t.done}</h1>
      <p class="lead">{t.doneHint}</p>
      <a class="button second" href={paths.findTickets()}>
        {t.again}
      </a>
    </>,
  )
})

findTicketsPages.post('/find', async (c) => {
  await rateLimitByIp(c, 'find')
  const { email } = await parseFormBody(c)
  const parsed = parseEmail(email)
  if ('problems' in parsed) {
    const t = publicMessages(c.var.locale)
    const problem = parsed.problems.map((problem) => fieldProblemText(problem, t)).join(' ')
    return findTicketsPage(c, { email: typeof email === 'string' ? email : '', problem })
  }
  await enqueueTicketsMail(c.env.deps, parsed.email)
  return c.redirect(withQuery(paths.findTickets(), { done: 'mailed' }), 303)
})

function findTicketsPage(c: Context<App>, formError?: { email: string; problem: string }) {
  const t = publicMessages(c.var.locale)
  return renderPage(
    c,
    { title: t.find.title, status: formError && 422 },
    <>
      <h1>{t.find.title}</h1>
      <p class="lead">{t.find.lead}</p>
      {formError && <ErrorSummary problems={[{ field: 'email', text: formError.problem }]} t={t} />}
      <form method="post" action={paths.findTickets()} novalidate>
        <Field
          name="email"
          type="email"
          label={t.fields.email}
          value={formError?.email ?? ''}
          problem={formError?.problem}
          autocomplete="email"
          required
        />
        <button type="submit">{t.find.submit}</button>
      </form>
    </>,
  )
}
