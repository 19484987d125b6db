import type { Role } from '../../src/db/schema.ts'
import { inviteOrganiser } from '../../src/domain/organisers.ts'
import type { World } from './world.ts'

/**
 * Signs somebody in to the console, as if they had opened the link that was mailed to them, and gives the cookie of
 * their browser.
 */
export async function signIn(world: World, role: Role, name = `${role} of the test`): Promise<string> {
  const { authOf } = await import('../../src/sign-in.ts')
  const email = `${role}@example.com`
  await inviteOrganiser(world.deps, { name, email, role })
  let code = ''
  const hand = (made: string) => {
    code = made
  }
  await authOf(world.deps).api.signInMagicLink({ body: { email, metadata: { hand } }, headers: new Headers() })
  const answer = await world.request(`/console/sign-in/${code}`, { method: 'POST' })
  const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0])
  if (cookies.length === 0) throw new Error(`the sign-in was answered ${answer.status} without a cookie`)
  return cookies.join('; ')
}
