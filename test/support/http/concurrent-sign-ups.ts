import type { Server } from '../processes/server.ts'

export type Person = { name: string; email: string; key: string; proof?: string }
export type SignUpReply = {
  person: Person
  status: number
  body: { id: string; status: string; position: number | null; ticketUrl: string; code?: string }
}

/** People with distinct names and addresses. */
export function createPeople(count: number): Person[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `学员 ${i + 1}`,
    email: `person-${i + 1}@example.com`,
    key: crypto.randomUUID(),
  }))
}

/**
 * Registers people for a workshop over HTTP, with this many concurrent requests, alternating between the servers.
 * Returns the responses; failed requests are omitted.
 */
export async function registerConcurrently(
  servers: Pick<Server, 'request'>[],
  slug: string,
  people: Person[],
  connections: number,
): Promise<SignUpReply[]> {
  const queue = [...people.entries()]
  const replies: SignUpReply[] = []
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const [i, person] = next
        const reply = await signUp(servers[i % servers.length] as Server, slug, person)
        if (reply) replies.push(reply)
      }
    }),
  )
  return replies
}

/** One sign-up over HTTP, or undefined if the server was unavailable. */
export async function signUp(
  server: Pick<Server, 'request'>,
  slug: string,
  person: Person,
): Promise<SignUpReply | undefined> {
  const { name, email, key, proof } = person
  try {
    const response = await server.request(`/api/v1/workshops/${slug}/registrations`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body: JSON.stringify({ name, email, proof, consent: true }),
    })
    return { person, status: response.status, body: (await response.json()) as SignUpReply['body'] }
  } catch {
    return undefined
  }
}

/** The attendee list in order of the numbers. */
export async function fetchAttendees(server: Pick<Server, 'request'>, slug: string, token: string) {
  const attendees: { id: string; seq: number; status: string; position: number | null; email: string }[] = []
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const response = await server.request(`/api/v1/workshops/${slug}/registrations${cursor && `?cursor=${cursor}`}`, {
      headers: { Authorization: `Bearer ${token}` },
    })
    const page = (await response.json()) as { items: typeof attendees; next?: string }
    attendees.push(...page.items)
    cursor = page.next
  }
  return attendees
}

/** Publishes a workshop that starts in ten days. */
export async function publishWorkshop(
  server: Pick<Server, 'request'>,
  token: string,
  workshop: { capacity: number; slug: string; confirmHours?: number; proofOfWork?: boolean },
) {
  const startsAt = Date.now() + 10 * 24 * 3600 * 1000
  const response = await server.request('/api/v1/workshops', {
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
  if (response.status !== 201) throw new Error(`the workshop was rejected: ${await response.text()}`)
}
