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
      cost: z.int().meta({ description: 'Iterations per attempt.' }),
      keyLength: z.int().meta({ description: 'Bytes to derive.' }),
      keyPrefix: z.string().meta({ description: 'Required prefix of the derived key, in hex.' }),
      data: z.object({
        workshop: z.string(),
        key: z.string(),
        atMost: z.int().meta({ description: 'Upper bound of the solution.' }),
        expiresAt: z.int().meta({ description: 'Seconds since 1970, 20 minutes from now.' }),
      }),
    }),
    signature: z.string(),
  })
  .meta({ id: 'Challenge', description: 'A challenge of ALTCHA, version 2.' })
export type ChallengeResponse = z.output<typeof ChallengeResponse>

challenges.openapi(
  createRoute({
    method: 'get',
    path: '/workshops/{slug}/challenge',
    tags: ['Registrations'],
    summary: 'Proof-of-work challenge for a sign-up to a workshop with `proofOfWork`',
    description: `
Count \`counter\` up from 0. For each attempt the password is the bytes of \`nonce\` followed by the counter as a 32-bit
big-endian integer; derive \`keyLength\` bytes from it with PBKDF2-SHA-256, the bytes of \`salt\` and \`cost\` iterations. The
solution is the first key that begins with \`keyPrefix\`. About a million iterations in all; ALTCHA libraries do it too.

The \`proof\` of the sign-up is base64 of the JSON \`{ "challenge": …, "solution": { "counter": …, "derivedKey": … } }\`,
with this response unchanged and the key in hex. It is valid for a sign-up to this workshop with the same
Idempotency-Key, including retries, until \`expiresAt\`. A workshop without \`proofOfWork\` has no challenge.`.trim(),
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
