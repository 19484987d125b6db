import { type Context, Hono } from 'hono'
import type { Text } from '../../../db/schema.ts'
import { findChatGroup, isChatGroupOpen, removeChatGroup, setChatGroup } from '../../../domain/workshops/chat-groups.ts'
import { findWorkshop, type Workshop } from '../../../domain/workshops/workshops.ts'
import { audit } from '../../../http/audit.ts'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { paths, withQuery } from '../../../http/links.ts'
import { consoleMessages } from '../../../i18n/console.ts'
import { formatDateTime, formatPlace } from '../../../i18n/format.ts'
import { formatMinute } from '../../../lib/time-zones.ts'
import { consolePage } from '../layout.tsx'
import { ConfirmField, isConfirmed } from '../ui/confirmation.tsx'
import {
  BilingualField,
  ErrorSummary,
  Field,
  type FieldError,
  stringField,
  translateFormErrors,
} from '../ui/fields.tsx'
import { FormParser } from '../ui/form-parser.ts'

/** The chat group of a workshop, linked from its tickets. */
export const chatGroupPages = new Hono<App>()

chatGroupPages.get('/console/workshops/:slug/group', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  return workshop ? chatGroupPage(c, workshop) : c.notFound()
})

chatGroupPages.post('/console/workshops/:slug/group', async (c) => {
  const { deps } = c.env
  const workshop = await findWorkshop(deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return chatGroupPage(c, workshop)
  const form = new FormParser(await parseFormBody(c))
  const settings = {
    note: form.bilingual('note', 300, { multiline: true }),
    expiresAt: form.dateTime('expires', workshop.timeZone),
  }
  const t = consoleMessages(c.get('locale'))
  const problems = translateFormErrors(form.errors, t, { expires: t.group.expires, note: t.group.note })
  const values = {
    note: { zh: stringField(form.body, 'note.zh'), en: stringField(form.body, 'note.en') },
    expires: stringField(form.body, 'expires'),
  }
  if (problems.length > 0) return chatGroupPage(c, workshop, problems, values)
  const file = form.body.picture
  const picture = file instanceof File && file.size > 0 ? new Uint8Array(await file.arrayBuffer()) : undefined
  const changed = await setChatGroup(deps, workshop, { picture, ...settings })
  if (changed !== 'changed') {
    return chatGroupPage(c, workshop, [{ field: 'picture', text: t.group.refusals[changed] }], values)
  }
  await audit(c, { action: 'group.changed', workshopId: workshop.id, payload: { slug: workshop.slug } })
  return c.redirect(withQuery(paths.chatGroup(workshop.slug), { done: 'saved' }), 303)
})

chatGroupPages.post('/console/workshops/:slug/group/remove', async (c) => {
  const workshop = await findWorkshop(c.env.deps, c.req.param('slug'))
  if (!workshop) return c.notFound()
  if (!(await isConfirmed(c))) return chatGroupPage(c, workshop)
  if (!(await removeChatGroup(c.env.deps, workshop))) return c.notFound()
  await audit(c, { action: 'group.changed', workshopId: workshop.id, payload: { slug: workshop.slug } })
  return c.redirect(withQuery(paths.chatGroup(workshop.slug), { done: 'removed' }), 303)
})

/** @param rejected the submitted values, to render the form again */
async function chatGroupPage(
  c: Context<App>,
  workshop: Workshop,
  problems: FieldError[] = [],
  rejected?: { note: Text; expires: string },
) {
  const { deps } = c.env
  const locale = c.get('locale')
  const t = consoleMessages(locale)
  const words = t.group
  const group = await findChatGroup(deps, workshop)
  const defaultExpiry = new Date(deps.now().getTime() + 7 * 24 * 3600 * 1000)
  const expiresAt = group ? group.expiresAt : defaultExpiry
  const values = rejected ?? {
    note: group?.note ?? {},
    expires: expiresAt ? formatMinute(expiresAt, workshop.timeZone).replace(' ', 'T') : '',
  }
  const flashMessages = { saved: t.done, removed: words.removed }
  return consolePage(
    c,
    {
      title: words.title,
      section: 'campaigns',
      back: { href: paths.consoleWorkshop(workshop.slug), text: formatPlace(workshop, locale) },
      flash: flashMessages[c.req.query('done') as keyof typeof flashMessages],
      status: problems.length > 0 ? 422 : 200,
    },
    <>
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <ErrorSummary problems={problems} t={t} />
      {group && (
        <figure class="group">
          <img src={`data:${group.mediaType};base64,${group.picture}`} alt={words.picture} />
          <figcaption>
            {group.expiresAt && (
              <span class={isChatGroupOpen(group, deps.now()) ? 'mark' : 'mark warn'}>
                {(isChatGroupOpen(group, deps.now()) ? words.until : words.expired)(
                  formatDateTime(group.expiresAt, workshop.timeZone, locale),
                )}
              </span>
            )}
          </figcaption>
        </figure>
      )}
      <form
        class="narrow"
        method="post"
        action={paths.chatGroup(workshop.slug)}
        enctype="multipart/form-data"
        novalidate
      >
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
          value={values.expires}
          problems={problems}
        />
        <BilingualField name="note" label={words.note} value={values.note} problems={problems} t={t} />
        <p class="actions">
          <button type="submit">{t.save}</button>
        </p>
      </form>
      {group && (
        <form method="post" action={paths.removeChatGroup(workshop.slug)}>
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
