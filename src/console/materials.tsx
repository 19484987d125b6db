import { type Context, Hono } from 'hono'
import { actorOf } from '../audited.ts'
import type { App } from '../context.ts'
import { listMaterials, type Material, mostMaterials, setMaterials } from '../domain/materials.ts'
import { findWorkshop, type Workshop } from '../domain/workshops.ts'
import { readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { afterwardsMessagesFor } from '../messages/afterwards.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { placeOf } from '../messages/text.ts'
import { ConfirmField, isConfirmed } from './confirmation.tsx'
import { Check, Field, InBoth, type Problem, Problems, problemsOf, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { LineButtons, moved } from './lines.tsx'
import { Form } from './read-form.ts'

/** The links that attendees find on their tickets. Each line of the form is one; an empty one is left out. */
export const materialPages = new Hono<App>()

materialPages.get('/console/workshops/:slug/materials', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  return workshop ? materialsPage(c, workshop, await listMaterials(c.env.deps, workshop)) : c.notFound()
})

materialPages.post('/console/workshops/:slug/materials', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return materialsPage(c, workshop, await listMaterials(deps, workshop))
  const t = afterwardsMessagesFor(c.get('locale')).materials
  const form = new Form(await readFormBody(c))
  const materials = readMaterials(form)
  const action = typed(form.body, 'do')
  if (action) return materialsPage(c, workshop, moved(materials, action))
  const names = { title: t.name, url: t.url, note: t.note }
  const problems = problemsOf(form.refused, consoleMessagesFor(c.get('locale')), names)
  if (materials.length > mostMaterials) problems.push({ field: 'material.0.title.zh', text: t.tooMany(mostMaterials) })
  if (problems.length > 0) return materialsPage(c, workshop, materials, problems)
  await setMaterials(deps, actorOf(c), workshop, materials)
  return c.redirect(withQuery(paths.materials(workshop.slug), { done: 'saved' }), 303)
})

/** The lines that were sent in which anything stands. Problems are named by where a line stands among them, as it comes back. */
function readMaterials(form: Form): Material[] {
  const filled = form
    .rows('material')
    .filter((n) =>
      ['title.zh', 'title.en', 'url', 'note.zh', 'note.en'].some((part) =>
        typed(form.body, `material.${n}.${part}`).trim(),
      ),
    )
  const again = new Form(
    Object.fromEntries(
      filled.flatMap((n, line) =>
        Object.entries(form.body)
          .filter(([name]) => name.startsWith(`material.${n}.`))
          .map(([name, value]) => [name.replace(`material.${n}.`, `material.${line}.`), value]),
      ),
    ),
  )
  const materials = filled.map((_, line): Material => {
    const at = `material.${line}`
    return {
      title: again.text(`${at}.title`, 200, { needed: true }),
      url: again.needed(`${at}.url`, again.url(`${at}.url`) ?? undefined) ?? '',
      note: again.text(`${at}.note`, 300),
      afterwards: again.checked(`${at}.afterwards`),
    }
  })
  for (const { field, code } of again.refused) form.refuse(field, code)
  return materials
}

function materialsPage(c: Context<App>, workshop: Workshop, shown: Material[], problems: Problem[] = []) {
  const locale = c.get('locale')
  const t = consoleMessagesFor(locale)
  const words = afterwardsMessagesFor(locale).materials
  const empty: Material = { title: {}, url: '', note: {}, afterwards: false }
  return consolePage(
    c,
    {
      title: words.title,
      section: 'campaigns',
      back: { href: paths.consoleWorkshop(workshop.slug), text: placeOf(workshop, locale) },
      done: c.req.query('done') === 'saved' ? t.done : undefined,
      status: problems.length > 0 ? 422 : 200,
    },
    <>
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <Problems problems={problems} t={t} />
      <form method="post" action={paths.materials(workshop.slug)} novalidate>
        <ConfirmField />
        <button class="skip" type="submit" tabindex={-1}>
          {t.save}
        </button>
        {[...shown, empty].map(({ title, url, note, afterwards }, n) => {
          const at = `material.${n}`
          return (
            <fieldset class="line">
              <legend>{words.one(n + 1)}</legend>
              <InBoth name={`${at}.title`} label={words.name} value={title} problems={problems} t={t} />
              <Field name={`${at}.url`} type="url" label={words.url} value={url} problems={problems} />
              <InBoth name={`${at}.note`} label={words.note} value={note} problems={problems} t={t} />
              <Check name={`${at}.afterwards`} label={words.afterwards} checked={afterwards} />
              <LineButtons n={n} of={shown.length} label={words.one(n + 1)} locale={locale} />
            </fieldset>
          )
        })}
        <p class="actions">
          <button type="submit">{t.save}</button>
          <button class="second" type="submit" name="do" value="add" formnovalidate>
            {words.add}
          </button>
          <a class="button second" href={paths.consoleWorkshop(workshop.slug)}>
            {t.cancel}
          </a>
        </p>
      </form>
    </>,
  )
}
