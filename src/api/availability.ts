import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { z } from 'zod'
import { findWorkshop, isPublic, seatsLeft, type Workshop, workshopStatuses } from '../domain/workshops/workshops.ts'
import type { App } from '../http/context.ts'
import { securityHeaderValues } from '../http/responses.ts'
import { problem, problems } from './problem.ts'
import { jsonContent, languageQuery, publicCache, publicCacheHeaders, publicRoute, slugParams } from './requests.ts'

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
export type Availability = z.output<typeof Availability>

const availabilityRoute = createRoute({
  method: 'get',
  path: '/workshops/{slug}/availability',
  tags: ['Workshops'],
  summary: 'Seats left',
  description: 'At most two seconds old. Send the ETag as If-None-Match to get 304 while nothing has changed.',
  security: publicRoute,
  request: { params: slugParams, query: languageQuery },
  responses: {
    200: { description: 'The seats of the workshop', content: jsonContent(Availability) },
    304: { description: 'Not modified' },
    ...problems({ 404: ['not_found'] }),
  },
})

// Sign-up pages and bots poll this. The response is serialized once a second, and mostly sent by the fast path.
availability.openAPIRegistry.registerPath(availabilityRoute)
availability.get(availabilityRoute.getRoutingPath(), publicCache, async (c) => {
  const { deps } = c.env
  const slug = c.req.param('slug')
  if (!slugParams.shape.slug.safeParse(slug).success) return problem(c, 404, 'not_found')
  if (c.get('role')) {
    const workshop = await findWorkshop(deps, slug)
    return workshop ? c.json(serializeAvailability(workshop)) : problem(c, 404, 'not_found')
  }
  const seats = await deps.cache(`availability ${slug}`, async () => {
    const workshop = await findWorkshop(deps, slug)
    if (!workshop || !isPublic(workshop)) return undefined
    const { capacity, taken, waitlisted, status } = workshop
    return {
      json: JSON.stringify(serializeAvailability(workshop)),
      etag: `"${capacity}-${taken}-${waitlisted}-${status}"`,
    }
  })
  if (!seats) return problem(c, 404, 'not_found')
  c.set('headersDone', true)
  return sendAvailability(seats, c.req.header('if-none-match'))
})

export type CachedAvailability = { json: string; etag: string }

/** Responds with the cached availability, or 304 if the client has it already. */
export function sendAvailability(cached: CachedAvailability, ifNoneMatch: string | undefined): Response {
  const headers = { ...publicResponseHeaders, ETag: cached.etag }
  // RFC 9110, 13.1.2: a list of entity tags or `*`, with weak comparison.
  const etags = ifNoneMatch?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? []
  if (etags.includes('*') || etags.includes(cached.etag)) return new Response(null, { status: 304, headers })
  return new Response(cached.json, { headers: { ...headers, 'Content-Type': 'application/json' } })
}

const publicResponseHeaders = { ...securityHeaderValues, ...publicCacheHeaders, 'Access-Control-Allow-Origin': '*' }

function serializeAvailability(workshop: Workshop): z.input<typeof Availability> {
  const { slug, capacity, taken, waitlisted, status } = workshop
  return { slug, capacity, taken, seatsLeft: seatsLeft(workshop), waitlisted, status }
}
