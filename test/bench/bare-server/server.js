import { serve } from '@hono/node-server'
import { Hono } from 'hono'

// A minimal Hono server, the baseline for start-up time and memory.
const app = new Hono()
app.get('/', (c) => c.html('<!doctype html><title>bare</title><a href="/w/bare">bare</a>'))
app.get('/json', (c) => c.json({ taken: 1, capacity: 2 }))
app.post('/sign-up', async (c) => c.json(await c.req.json(), 201))

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env.PORT) })
