import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { z } from 'zod'
import { exposeFunctions } from './subprocess.ts'

/** What the service is compared with: routes on the same server and framework that do nothing but answer. */
export type Bare = typeof bare

let json: object = {}
let page = ''

/** Of its own, so that the baseline stays what it is when the service checks faster or slower. */
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

exposeFunctions(bare)
