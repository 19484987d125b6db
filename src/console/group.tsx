import { type Context, Hono } from 'hono'
import { audited } from '../audited.ts'
import type { App } from '../context.ts'
import type { Text } from '../db/schema.ts'
import { findGroup, isOpen, removeGroup, setGroup } from '../domain/chat-groups.ts'
import { minuteIn } from '../domain/time-zones.ts'
import { findWorkshop, type Workshop } from '../domain/workshops.ts'
import { readFormBody } from '../form-body.ts'
import { paths, withQuery } from '../links.ts'
import { consoleMessagesFor } from '../messages/console.ts'
import { moment, placeOf } from '../messages/text.ts'
import { ConfirmField, isConfirmed } from './confirmation.tsx'
import { Field, InBoth, type Problem, Problems, problemsOf, typed } from './fields.tsx'
import { consolePage } from './layout.tsx'
import { Form } from './read-form.ts'

/** The chat group of a workshop, to which its tickets lead. */
export const groupPages = new Hono<App>()

groupPages.get('/console/workshops/:slug/group', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  return workshop ? groupPage(c, workshop) : c.notFound()
})

groupPages.post('/console/workshops/:slug/group', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return groupPage(c, workshop)
  const form = new Form(await readFormBody(c))
  const facts = {
    note: form.text('note', 300, { lines: true }),
    expiresAt: form.dateTime('expires', workshop.timeZone),
  }
  const t = consoleMessagesFor(c.get('locale'))
  const problems = problemsOf(form.refused, t, { expires: t.group.expires, note: t.group.note })
  const shown = {
    note: { zh: typed(form.body, 'note.zh'), en: typed(form.body, 'note.en') },
    expires: typed(form.body, 'expires'),
  }
  if (problems.length > 0) return groupPage(c, workshop, problems, shown)
  const file = form.body.picture
  const picture = file instanceof File && file.size > 0 ? new Uint8Array(await file.arrayBuffer()) : undefined
  const changed = await setGroup(deps, workshop, { picture, ...facts })
  if (changed !== 'changed') {
    return groupPage(c, workshop, [{ field: 'picture', text: t.group.refusals[changed] }], shown)
  }
  await audited(c, { action: 'group.changed', workshopId: workshop.id, facts: { slug: workshop.slug } })
  return c.redirect(withQuery(paths.group(workshop.slug), { done: 'saved' }), 303)
})

groupPages.post('/console/workshops/:slug/group/remove', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return groupPage(c, workshop)
  if (!(await removeGroup(c.env.deps, workshop))) return c.notFound()
  await audited(c, { action: 'group.changed', workshopId: workshop.id, facts: { slug: workshop.slug } })
  return c.redirect(withQuery(paths.group(workshop.slug), { done: 'removed' }), 303)
})

/** @param again the form as it was sent, for it to come back */
async function groupPage(
  c: Context<App>,
  workshop: Workshop,
  problems: Problem[] = [],
  again?: { note: Text; expires: string },
) {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = consoleMessagesFor(locale)
  const words = t.group
  const group = await findGroup(deps, workshop)
  const inAWeek = new Date(deps.now().getTime() + 7 * 24 * 3600 * 1000)
  const expiresAt = group ? group.expiresAt : inAWeek
  const shown = again ?? {
    note: group?.note ?? {},
    expires: expiresAt ? minuteIn(expiresAt, workshop.timeZone).replace(' ', 'T') : '',
  }
  const done = { saved: t.done, removed: words.removed }
  return consolePage(
    c,
    {
      title: words.title,
      section: 'campaigns',
      back: { href: paths.consoleWorkshop(workshop.slug), text: placeOf(workshop, locale) },
      done: done[c.req.query('done') as keyof typeof done],
      status: problems.length > 0 ? 422 : 200,
    },
    <>
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <Problems problems={problems} t={t} />
      {group && (
        <figure class="group">
          <img src={`data:${group.mediaType};base64,${group.picture}`} alt={words.picture} />
          <figcaption>
            {group.expiresAt && (
              <span class={isOpen(group, deps.now()) ? 'mark' : 'mark warn'}>
                {(isOpen(group, deps.now()) ? words.until : words.expired)(
                  moment(group.expiresAt, workshop.timeZone, locale),
                )}
              </span>
            )}
          </figcaption>
        </figure>
      )}
      <form class="narrow" method="post" action={paths.group(workshop.slug)} enctype="multipart/form-data" novalidate>
        <ConfirmField />
        <div class="field">
          <label for="picture">{group ? words.newPicture : words.picture}</label>
          <input id="picture" name="picture" type="file" accept="image/png,image/jpeg,image/webp" />
          <p class="hint">{words.pictureHint}</p>
        </div>
        <Field
          name="expires"
          type="datetime-local"
          label={words.expires}
          hint={words.expiresHint}
          value={shown.expires}
          problems={problems}
        />
        <InBoth name="note" label={words.note} value={shown.note} problems={problems} t={t} />
        <p class="actions">
          <button type="submit">{t.save}</button>
        </p>
      </form>
      {group && (
        <form method="post" action={paths.removeGroup(workshop.slug)}>
          <ConfirmField />
          <p class="actions">
            <button class="second" type="submit">
              {words.remove}
            </button>
          </p>
        </form>
      )}
    </>,
  )
}
