import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { z } from 'zod'
import { exposeFunctions } from './subprocess.ts'

/** Baseline: routes on the same server and framework that only respond. */
export type Bare = typeof bare

let json: object = {}
let page = ''

/** Separate from the service's schema, so that the baseline does not change with it. */
const signUp = z.object({
  name: z.string().trim().min(1).max(80),
  email: z
    .string()
    .trim()
    .min(1)
    .max(254)
    .regex(/^[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+$/),
  phone: z.string().max(40).optional(),
  company: z.string().trim().max(120).optional(),
  ready: z.record(z.string(), z.boolean()).optional(),
  consent: z.literal(true),
})

const app = new Hono()

/** Parses and validates a sign-up like the service, responds like it, and stores nothing. */
app.post('/sign-up', async (c) => {
  const parsed = signUp.safeParse(await c.req.json())
  if (!parsed.success) return c.json({ code: 'invalid' }, 422)
  return c.json(json, 201)
})
app.get('/json', (c) => c.json(json))
app.get('/page', (c) => c.html(page))

const bare = {
  /** Starts listening. Returns the port. */
  async listen() {
    const server = createAdaptorServer({ fetch: app.fetch }) as Server
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  },
  /** Sets the response of /sign-up and /json. */
  setJson(response: object) {
    json = response
  },
  /** Sets the response of /page. */
  setPage(html: string) {
    page = html
  },
}

exposeFunctions(bare)
