import { type Challenge, solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'

type Service = { request(path: string, init?: RequestInit): Promise<Response> }

/** Fetches a workshop's challenge and solves it for this idempotency key. */
export async function createProof(service: Service, slug: string, key: string): Promise<string> {
  return createSolution(await fetchChallenge(service, slug, key))
}

export async function fetchChallenge(service: Service, slug: string, key: string): Promise<Challenge> {
  const response = await service.request(`/api/v1/workshops/${slug}/challenge`, { headers: { 'Idempotency-Key': key } })
  if (response.status !== 200) throw new Error(`no challenge: ${await response.text()}`)
  return (await response.json()) as Challenge
}

/** Solves a challenge with the library's other implementation than the one that verifies it. */
export async function createSolution(challenge: Challenge): Promise<string> {
  return encodeProof({ challenge, solution: await solveChallenge({ challenge, deriveKey }) })
}

export const encodeProof = (proof: unknown) => Buffer.from(JSON.stringify(proof)).toString('base64')
