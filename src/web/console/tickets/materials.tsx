import { type Context, Hono } from 'hono'
import { listMaterials, type Material, maxMaterials, replaceMaterials } from '../../../domain/workshops/materials.ts'
import { findWorkshop, type Workshop } from '../../../domain/workshops/workshops.ts'
import { currentActor } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatPlace } from '../../../i18n/format.ts'
import { postEventMessages } from '../../../i18n/post-event.ts'
import { consolePage } from '../layout.tsx'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import {
  BilingualField,
  Checkbox,
  ErrorSummary,
  Field,
  type FieldError,
  stringField,
  translateFormErrors,
} from '../ui/fields.tsx'
import { FormParser } from '../ui/form-parser.ts'
import { applyReorder, ReorderButtons } from '../ui/reorder-buttons.tsx'

/** Course materials of a workshop: links shown on tickets. Empty lines of the form are skipped. */
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
  const t = postEventMessages(c.get('locale')).materials
  const form = new FormParser(await parseFormBody(c))
  const materials = parseMaterials(form)
  const action = stringField(form.body, 'do')
  if (action) return materialsPage(c, workshop, applyReorder(materials, action))
  const names = { title: t.name, url: t.url, note: t.note }
  const problems = translateFormErrors(form.errors, consoleMessages(c.get('locale')), names)
  if (materials.length > maxMaterials) problems.push({ field: 'material.0.title.zh', text: t.tooMany(maxMaterials) })
  if (problems.length > 0) return materialsPage(c, workshop, materials, problems)
  await replaceMaterials(deps, currentActor(c), workshop, materials)
  return c.redirect(withQuery(paths.materials(workshop.slug), { done: 'saved' }), 303)
})

/** The submitted lines that are not empty. Errors refer to the index among them, as the form renders them. */
function parseMaterials(form: FormParser): Material[] {
  const filled = form
    .rowNumbers('material')
    .filter((n) =>
      ['title.zh', 'title.en', 'url', 'note.zh', 'note.en'].some((part) =>
        stringField(form.body, `material.${n}.${part}`).trim(),
      ),
    )
  const renumbered = new FormParser(
    Object.fromEntries(
      filled.flatMap((n, index) =>
        Object.entries(form.body)
          .filter(([name]) => name.startsWith(`material.${n}.`))
          .map(([name, value]) => [name.replace(`material.${n}.`, `material.${index}.`), value]),
      ),
    ),
  )
  const materials = filled.map((_, index): Material => {
    const at = `material.${index}`
    return {
      title: renumbered.bilingual(`${at}.title`, 200, { required: true }),
      url: renumbered.required(`${at}.url`, renumbered.url(`${at}.url`) ?? undefined) ?? '',
      note: renumbered.bilingual(`${at}.note`, 300),
      afterwards: renumbered.checked(`${at}.afterwards`),
    }
  })
  for (const { field, code } of renumbered.errors) form.addError(field, code)
  return materials
}

function materialsPage(c: Context<App>, workshop: Workshop, materials: Material[], problems: FieldError[] = []) {
  const locale = c.get('locale')
  const t = consoleMessages(locale)
  const words = postEventMessages(locale).materials
  const empty: Material = { title: {}, url: '', note: {}, afterwards: false }
  return consolePage(
    c,
    {
      title: words.title,
      section: 'campaigns',
      back: { href: paths.consoleWorkshop(workshop.slug), text: formatPlace(workshop, locale) },
      flash: c.req.query('done') === 'saved' ? t.done : undefined,
      status: problems.length > 0 ? 422 : 200,
    },
    <>
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <ErrorSummary problems={problems} t={t} />
      <form method="post" action={paths.materials(workshop.slug)} novalidate>
        <ConfirmField />
        <button class="skip" type="submit" tabindex={-1}>
          {t.save}
        </button>
        {[...materials, empty].map(({ title, url, note, afterwards }, n) => {
          const at = `material.${n}`
          return (
            <fieldset class="line">
              <legend>{words.one(n + 1)}</legend>
              <BilingualField name={`${at}.title`} label={words.name} value={title} problems={problems} t={t} />
              <Field name={`${at}.url`} type="url" label={words.url} value={url} problems={problems} />
              <BilingualField name={`${at}.note`} label={words.note} value={note} problems={problems} t={t} />
              <Checkbox name={`${at}.afterwards`} label={words.afterwards} checked={afterwards} />
              <ReorderButtons n={n} count={materials.length} label={words.one(n + 1)} locale={locale} />
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
