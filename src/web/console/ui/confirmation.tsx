import type { Context } from 'hono'
import type { App } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'

/**
 * Hidden field of forms that act immediately and have no required field. A request without it does not come from that
 * form: another form's `action` was pointed at its URL.
 */
export const ConfirmField = () => <input type="hidden" name="sure" value="yes" />

/**
 * Whether the submitted form contains `ConfirmField`. If it does not, the handler changes nothing and renders the page with
 * the form again; `consolePage` then responds with 422 and a notice that nothing was changed.
 */
export async function isConfirmed(c: Context<App>): Promise<boolean> {
  const { sure } = await parseFormBody(c)
  c.set('unconfirmed', sure !== 'yes')
  return sure === 'yes'
}
