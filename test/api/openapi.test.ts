import { describe, expect, test } from 'vitest'
import { apiRoutes } from '../../src/api/routes.ts'
import { access } from '../../src/http/access.ts'
import { createApiClient, expectProblem } from '../support/http/api-client.ts'
import { createWorld } from '../support/world.ts'

type Json = Record<string, unknown>
type Operation = Json & {
  summary?: string
  security: Record<string, string[]>[]
  parameters?: { name: string; in: string; required: boolean; schema: Json }[]
  requestBody?: { required: boolean; content: Record<string, { schema: Json }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>
}
type Document = Json & {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Json>; securitySchemes: Record<string, Json> }
}

async function fetchDocument(): Promise<Document> {
  await using world = await createWorld()
  return (await (await createApiClient(world)).get('/openapi.json')).body
}

const listOperations = (document: Document) =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation, name: `${method} ${path}` })),
  )

describe('GET /openapi.json', () => {
  test('is a public OpenAPI 3.1 document', async () => {
    await using world = await createWorld()
    const { status, body, headers } = await (await createApiClient(world)).get('/openapi.json')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('access-control-allow-origin')).toBe('*')
    expect(body.openapi).toMatch(/^3\.1\.\d+$/)
    expect(body.info).toMatchObject({ title: 'baoming', version: '1' })
    expect(body.servers).toEqual([{ url: '/api/v1' }])
  })

  test('lists every route of the API and no other', async () => {
    const routes = apiRoutes.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`)
    const described = listOperations(await fetchDocument()).map(({ method, path }) => `${method} /v1${path}`)
    const undocumented = ['get /v1/openapi.json', 'get /docs']
    expect([...described, ...undocumented].sort()).toEqual([...new Set(routes)].sort())
  })

  test('matches the access list for every route', async () => {
    for (const { path, method, operation } of listOperations(await fetchDocument())) {
      const needed = access[`${method.toUpperCase()} /api/v1${path.replace(/\{(\w+)\}/g, ':$1')}`]
      const roles = operation.security.map((requirement) => requirement.token?.[0])
      const documented = roles.length === 0 || roles.includes(undefined) ? 'anyone' : roles[0]
      expect(`${method} ${path}: ${documented}`).toBe(`${method} ${path}: ${needed}`)
    }
  })

  test('describes each operation according to OpenAPI 3.1', async () => {
    const document = await fetchDocument()
    for (const { path, name, method, operation } of listOperations(document)) {
      expect(path, name).toMatch(/^\//)
      expect(operation.summary, name).toMatch(/./)
      const inPath = operation.parameters?.filter((parameter) => parameter.in === 'path') ?? []
      expect(inPath.map((parameter) => parameter.name).sort(), name).toEqual(
        [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort(),
      )
      expect(
        inPath.every((parameter) => parameter.required),
        name,
      ).toBe(true)
      const names = operation.parameters?.map((parameter) => `${parameter.in} ${parameter.name}`) ?? []
      expect(new Set(names).size, name).toBe(names.length)
      expect(operation.requestBody === undefined || method === 'post' || method === 'patch', name).toBe(true)
      expect(operation.requestBody?.required ?? true, name).toBe(true)
      expect(Object.keys(operation.requestBody?.content ?? { 'application/json': '' }), name).toEqual([
        'application/json',
      ])

      expect(
        Object.keys(operation.responses).some((status) => status.startsWith('2')),
        name,
      ).toBe(true)
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(status, name).toMatch(/^[1-5]\d\d$|^default$/)
        expect(response.description, name).toMatch(/./)
        if (status >= '4') expect(Object.keys(response.content ?? {}), name).toEqual(['application/problem+json'])
      }
      for (const requirement of operation.security) {
        for (const scheme of Object.keys(requirement))
          expect(document.components.securitySchemes, name).toHaveProperty(scheme)
      }
    }
  })

  test('has JSON Schema 2020-12 schemas with resolvable references', async () => {
    const document = await fetchDocument()
    const types = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']
    let referenceCount = 0
    const check = (node: unknown, at: string) => {
      if (typeof node !== 'object' || node === null) return
      const schema = node as Json
      if (typeof schema.$ref === 'string') {
        const [, name = ''] = /^#\/components\/schemas\/(\w+)$/.exec(schema.$ref) ?? []
        expect(document.components.schemas, at).toHaveProperty(name)
        referenceCount++
      }
      // Removed in OpenAPI 3.1.
      expect(schema, at).not.toHaveProperty('nullable')
      expect(typeof schema.exclusiveMinimum, at).not.toBe('boolean')
      if (typeof schema.type === 'string' && at.endsWith('schema')) expect(types, at).toContain(schema.type)
      for (const [key, child] of Object.entries(schema)) check(child, `${at}.${key}`)
    }
    check(document, '')
    expect(referenceCount).toBeGreaterThan(20)
    expect(document.components.schemas).toMatchObject({
      SignUp: { required: ['name', 'email', 'consent'], additionalProperties: false },
      WorkshopDraft: { required: ['title', 'city', 'venue', 'address', 'startsAt', 'endsAt', 'capacity'] },
    })
    expect(document.components.schemas.WorkshopChanges).not.toHaveProperty('required')
  })

  test('describes exactly the fields of real responses', async () => {
    await using world = await createWorld()
    const organiser = await createApiClient(world, 'organiser')
    const campaign = await world.campaign({
      slug: 'december',
      items: [{ kind: 'bring', text: { zh: '电脑' }, url: 'https://example.com', mustConfirm: true }],
    })
    const workshop = await world.workshop({
      slug: 'shanghai',
      campaignId: campaign.id,
      opensAt: new Date('2026-11-01T00:00:00Z'),
      closesAt: new Date('2026-12-10T00:00:00Z'),
    })
    const { body: link } = await organiser.post('/workshops/shanghai/links', {
      body: { channel: 'poster', expiresAt: '2027-01-01T00:00' },
    })
    await world.register(workshop)
    const { schemas } = (await fetchDocument()).components
    const fields = (name: string) => Object.keys(schemas[name]?.properties as Json).sort()
    const keys = (body: Json) => Object.keys(body).sort()
    const campaignBody = (await organiser.get('/campaigns/december')).body
    expect(keys(campaignBody)).toEqual(fields('Campaign'))
    expect(keys(campaignBody.items[0])).toEqual(fields('Item'))
    expect(keys((await organiser.get('/workshops/shanghai')).body)).toEqual(fields('Workshop'))
    expect(keys((await organiser.get('/workshops/shanghai/availability')).body)).toEqual(fields('Availability'))
    expect(keys((await organiser.get('/workshops/shanghai/registrations')).body.items[0])).toEqual(
      fields('Registration'),
    )
    expect(keys(link)).toEqual(fields('RegistrationLink'))
    await organiser.patch('/workshops/shanghai', { body: { proofOfWork: true } })
    const headers = { 'Idempotency-Key': 'a-key-of-mine' }
    const { body: challenge } = await organiser.get('/workshops/shanghai/challenge', { headers })
    expect(keys(challenge)).toEqual(fields('Challenge'))
  })
})

describe('unknown routes and tokens', () => {
  test('an unknown route returns a problem in the language of the request', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    const chinese = expectProblem(await anonymous.get('/nothing'), 404, 'not_found')
    const english = expectProblem(await anonymous.get('/nothing?lang=en'), 404, 'not_found')
    expect(chinese).toMatchObject({ title: '找不到' })
    expect(english).toMatchObject({ title: 'Not found' })
  })

  test('an unknown token is rejected, and a missing one is required', async () => {
    await using world = await createWorld()
    const anonymous = await createApiClient(world)
    const headers = { Authorization: 'Bearer bm_0123456789012345678901234567890123456789012' }
    expectProblem(await anonymous.get('/workshops', { headers }), 401, 'unauthorized')
    expectProblem(await anonymous.post('/workshops', { body: {} }), 401, 'unauthorized')
  })
})
