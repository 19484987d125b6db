import type { Context } from 'hono'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'

/**
 * The hidden field of a form that takes effect at once and has no field that it could not do without. A request without
 * it was not made by that form: some other form was pointed at its address.
 */
export const ConfirmField = () => <input type="hidden" name="sure" value="yes" />

/**
 * Whether the form that was sent has the field of `ConfirmField`. If it does not, the handler changes nothing and shows
 * the page with the form again, which `consolePage` then answers with 422 and a note that nothing was changed.
 */
export async function isConfirmed(c: Context<App>): Promise<boolean> {
  const { sure } = await parseFormBody(c)
  c.set('unconfirmed', sure !== 'yes')
  return sure === 'yes'
}
