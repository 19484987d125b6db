import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { z } from 'zod'
import { createSignUpChallenge } from '../domain/registrations/proof-of-work.ts'
import { findPublicWorkshop } from '../domain/workshops/workshops.ts'
import { type App, rateLimitByIp } from '../http/context.ts'
import { problem, problems } from './problem.ts'
import { idempotencyKey, jsonContent, languageQuery, slugParams } from './requests.ts'

export const challenges = new OpenAPIHono<App>()

const ChallengeResponse = z
  .object({
    parameters: z.looseObject({
      algorithm: z.literal('PBKDF2/SHA-256'),
      nonce: z.string().meta({ description: 'Hex.' }),
      salt: z.string().meta({ description: 'Hex.' }),
      cost: z.int().meta({ description: 'Iterations of a try.' }),
      keyLength: z.int().meta({ description: 'Bytes to derive.' }),
      keyPrefix: z.string().meta({ description: 'Hex with which the right key begins.' }),
      data: z.object({
        workshop: z.string(),
        key: z.string(),
        atMost: z.int().meta({ description: 'The right counter is not above this.' }),
        expiresAt: z.int().meta({ description: 'Seconds since 1970, 20 minutes from now.' }),
      }),
    }),
    signature: z.string(),
  })
  .meta({ id: 'Challenge', description: 'As in version 2 of ALTCHA.' })

challenges.openapi(
  createRoute({
    method: 'get',
    path: '/workshops/{slug}/challenge',
    tags: ['Registrations'],
    summary: 'What to work for, before signing up to a workshop with `proofOfWork`',
    description: `
Count \`counter\` up from 0. Of each try the password is the bytes of \`nonce\` and the counter as four bytes, the highest
first; derive \`keyLength\` bytes from it with PBKDF2, SHA-256, the bytes of \`salt\` and \`cost\` iterations. The right key
begins with \`keyPrefix\`. About a million iterations in all; libraries of ALTCHA do it too.

The \`proof\` of the sign-up is base64 of the JSON \`{ "challenge": …, "solution": { "counter": …, "derivedKey": … } }\`,
with this answer unchanged and the key in hex. It is good for a sign-up to this workshop with the same Idempotency-Key,
retries included, until \`expiresAt\`. A workshop without \`proofOfWork\` has no challenge.`.trim(),
    security: [],
    request: { params: slugParams, query: languageQuery, headers: z.object({ 'Idempotency-Key': idempotencyKey }) },
    responses: {
      200: { description: 'The challenge', content: jsonContent(ChallengeResponse) },
      ...problems({ 404: ['not_found'], 422: ['invalid'] }),
    },
  }),
  async (c) => {
    const { deps } = c.env
    await rateLimitByIp(c, 'challenge')
    const workshop = await findPublicWorkshop(deps, c.req.valid('param').slug)
    if (!workshop?.proofOfWork) return problem(c, 404, 'not_found')
    const challenge = await createSignUpChallenge(deps, workshop.slug, c.req.valid('header')['Idempotency-Key'])
    return c.json(challenge as z.input<typeof ChallengeResponse>, 200)
  },
)
