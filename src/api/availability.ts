import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { z } from 'zod'
import { everyAnswer } from '../answer.ts'
import type { App } from '../context.ts'
import { findWorkshop, isPublic, seatsLeft, type Workshop, workshopStatuses } from '../domain/workshops.ts'
import { problem, problems } from './problem.ts'
import { anyone, bySlug, inLanguage, json, publicHeaders, publicRead } from './requests.ts'

export const availability = new OpenAPIHono<App>()

const Availability = z
  .object({
    slug: z.string(),
    capacity: z.int(),
    taken: z.int(),
    seatsLeft: z.int(),
    waitlisted: z.int(),
    status: z.enum(workshopStatuses),
  })
  .meta({ id: 'Availability' })

const availabilityRoute = createRoute({
  method: 'get',
  path: '/workshops/{slug}/availability',
  tags: ['Workshops'],
  summary: 'Whether there is a seat',
  description: 'At most two seconds old. Send its ETag as If-None-Match to be told 304 while nothing changed.',
  security: anyone,
  request: { params: bySlug, query: inLanguage },
  responses: {
    200: { description: 'Its seats', content: json(Availability) },
    304: { description: 'As before' },
    ...problems({ 404: ['not_found'] }),
  },
})

// What a sign-up page and its bots ask all the time is written once a second, and mostly answered by `answerSeats`.
availability.openAPIRegistry.registerPath(availabilityRoute)
availability.get(availabilityRoute.getRoutingPath(), publicRead, async (c) => {
  const { deps } = c.env
  const slug = c.req.param('slug')
  if (!bySlug.shape.slug.safeParse(slug).success) return problem(c, 404, 'not_found')
  if (c.get('role')) {
    const workshop = await findWorkshop(deps, slug)
    return workshop ? c.json(availabilityOf(workshop)) : problem(c, 404, 'not_found')
  }
  const seats = await deps.fresh(`availability ${slug}`, async () => {
    const workshop = await findWorkshop(deps, slug)
    if (!workshop || !isPublic(workshop)) return undefined
    const { capacity, taken, waitlisted, status } = workshop
    return { json: JSON.stringify(availabilityOf(workshop)), etag: `"${capacity}-${taken}-${waitlisted}-${status}"` }
  })
  if (!seats) return problem(c, 404, 'not_found')
  c.set('whole', true)
  return answerSeats(seats, c.req.header('if-none-match'))
})

export type Seats = { json: string; etag: string }

/** The availability of a workshop as it is answered, to whoever knows an older one too. */
export function answerSeats(seats: Seats, ifNoneMatch: string | undefined): Response {
  const headers = { ...everyone, ETag: seats.etag }
  // RFC 9110, 13.1.2: a list of tags, or a star for any; whether they are weak does not matter.
  const known = ifNoneMatch?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? []
  if (known.includes('*') || known.includes(seats.etag)) return new Response(null, { status: 304, headers })
  return new Response(seats.json, { headers: { ...headers, 'Content-Type': 'application/json' } })
}

const everyone = { ...everyAnswer, ...publicHeaders, 'Access-Control-Allow-Origin': '*' }

function availabilityOf(workshop: Workshop): z.input<typeof Availability> {
  const { slug, capacity, taken, waitlisted, status } = workshop
  return { slug, capacity, taken, seatsLeft: seatsLeft(workshop), waitlisted, status }
}
