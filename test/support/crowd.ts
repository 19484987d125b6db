import type { Server } from './server.ts'

export type Person = { name: string; email: string; key: string; proof?: string }
export type Reply = {
  person: Person
  status: number
  body: { id: string; status: string; position: number | null; ticketUrl: string; code?: string }
}

/** People with names and addresses of their own. */
export function crowd(size: number): Person[] {
  return Array.from({ length: size }, (_, i) => ({
    name: `学员 ${i + 1}`,
    email: `person-${i + 1}@example.com`,
    key: crypto.randomUUID(),
  }))
}

/**
 * Lets people register for a workshop over HTTP, so many at a time, by turns at each server. Gives the answers; whoever
 * got none is not among them.
 */
export async function rush(
  servers: Pick<Server, 'request'>[],
  slug: string,
  people: Person[],
  connections: number,
): Promise<Reply[]> {
  const waiting = [...people.entries()]
  const replies: Reply[] = []
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [i, person] = next
        const reply = await signUp(servers[i % servers.length] as Server, slug, person)
        if (reply) replies.push(reply)
      }
    }),
  )
  return replies
}

/** One sign-up over HTTP, or undefined if the server went away. */
export async function signUp(
  server: Pick<Server, 'request'>,
  slug: string,
  person: Person,
): Promise<Reply | undefined> {
  const { name, email, key, proof } = person
  try {
    const answer = await server.request(`/api/v1/workshops/${slug}/registrations`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body: JSON.stringify({ name, email, proof, consent: true }),
    })
    return { person, status: answer.status, body: (await answer.json()) as Reply['body'] }
  } catch {
    return undefined
  }
}

/** Everyone on the attendee list, in the order of their numbers. */
export async function roster(server: Pick<Server, 'request'>, slug: string, token: string) {
  const everyone: { id: string; seq: number; status: string; position: number | null; email: string }[] = []
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const answer = await server.request(`/api/v1/workshops/${slug}/registrations${cursor && `?cursor=${cursor}`}`, {
      headers: { Authorization: `Bearer ${token}` },
    })
    const page = (await answer.json()) as { items: typeof everyone; next?: string }
    everyone.push(...page.items)
    cursor = page.next
  }
  return everyone
}

/** Publishes a workshop in ten days. */
export async function publish(
  server: Pick<Server, 'request'>,
  token: string,
  workshop: { capacity: number; slug: string; confirmHours?: number; proofOfWork?: boolean },
) {
  const startsAt = Date.now() + 10 * 24 * 3600 * 1000
  const answer = await server.request('/api/v1/workshops', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify({
      title: 'RT-Thread 线下入门培训',
      city: { zh: '上海', en: 'Shanghai' },
      venue: '张江科学会堂',
      address: '海科路 1393 号',
      startsAt: new Date(startsAt).toISOString(),
      endsAt: new Date(startsAt + 7 * 3600 * 1000).toISOString(),
      publish: true,
      ...workshop,
    }),
  })
  if (answer.status !== 201) throw new Error(`the workshop was refused: ${await answer.text()}`)
}
