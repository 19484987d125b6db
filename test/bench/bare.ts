import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { signUp } from '../../src/domain/registrations.ts'
import { offer } from './subprocess.ts'

/** What the service is compared with: routes on the same server and framework that do nothing but answer. */
export type Bare = typeof bare

let json: object = {}
let page = ''

const app = new Hono()

/** Reads and checks a sign-up as the service does, answers as it does, and stores nothing. */
app.post('/sign-up', async (c) => {
  const parsed = signUp.safeParse(await c.req.json())
  if (!parsed.success) return c.json({ code: 'invalid' }, 422)
  return c.json(json, 201)
})
app.get('/json', (c) => c.json(json))
app.get('/page', (c) => c.html(page))

const bare = {
  /** Listens, and gives the port. */
  async listen() {
    const server = createAdaptorServer({ fetch: app.fetch }) as Server
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  },
  /** Sets what /sign-up and /json answer. */
  answerJson(answer: object) {
    json = answer
  },
  /** Sets what /page answers. */
  answerPage(html: string) {
    page = html
  },
}

offer(bare)
