import { contentRefusalFault } from '../faults.ts'
import type { Arrival } from '../faulty-mail-server.ts'
import type { Fault } from '../journal.ts'
import type { Run } from '../run.ts'

type StoredMail = {
  id: number
  kind: string
  state: string
  reason: string | null
  message_id: string | null
  email: string
}

/** Number of mails in the run. */
export type MailStats = {
  queued: number
  delivered: number
  duplicates: { afterDroppedConnection: number; duringFault: number }
}

/** Verifies queued mails against received ones. */
export async function verifyMails(run: Run): Promise<MailStats> {
  const { cluster, findings } = run
  const mails = await cluster.sql<StoredMail[]>`
    select m.id::int, m.kind, m.state, m.reason, m.message_id, coalesce(r.email, o.email) as email
    from mails m left join registrations r on r.id = m.registration_id left join organisers o on o.id = m.organiser_id
    order by m.id`
  const { arrivals: receivedMails } = cluster.mailServer
  const mailsByMessageId = new Map(mails.map((mail) => [mail.message_id, mail]))

  for (const { id, kind, state, message_id } of mails) {
    if (state === 'sent')
      findings.check('delivered', !receivedMails.has(message_id ?? '') && `${kind} ${id} never arrived`)
    if (state !== 'sent' && state !== 'dead') findings.check('queued', `${kind} ${id} is ${state}`)
  }
  const duplicates = { afterDroppedConnection: 0, duringFault: 0 }
  for (const [messageId, arrivals] of receivedMails) {
    const mail = mailsByMessageId.get(messageId)
    const hasWrongRecipient = arrivals.some(({ to }) => to !== mail?.email)
    findings.check(
      'messageIds',
      (!mail || hasWrongRecipient) && `${messageId} was queued for ${mail?.email ?? 'nobody'}`,
    )
    // Each duplicate needs an explanation: an attempt with a known outcome is not repeated.
    for (const duplicate of arrivals.slice(0, -1)) {
      const explanation = explainDuplicate(
        duplicate,
        run.journal.faults().filter(({ kind }) => kind !== contentRefusalFault),
      )
      if (explanation) duplicates[explanation]++
      findings.check('copies', !explanation && `${mail?.kind} ${mail?.id} arrived again`)
    }
  }
  await checkDiscarded(run)
  await checkNotified(run)
  await checkChangeNotices(run)
  await checkBroadcasts(run)
  return { queued: mails.length, delivered: [...receivedMails.values()].flat().length, duplicates }
}

/**
 * Why the sender could not know that a mail was accepted: the connection was dropped before the reply, or the sending
 * process or its database connection was failing while it recorded the outcome, for which it tries four times within 15
 * seconds.
 */
function explainDuplicate(
  { connectionDropped, at }: Arrival,
  faults: readonly Fault[],
): keyof MailStats['duplicates'] | undefined {
  if (connectionDropped) return 'afterDroppedConnection'
  const recordingWindow = { from: at - 100, to: at + 1_000 }
  const wasFailing = faults.some(({ from, to }) => from <= recordingWindow.to && to + 5_000 >= recordingWindow.from)
  return wasFailing ? 'duringFault' : undefined
}

/** Whether each discarded mail had become obsolete or was replaced by another one. */
async function checkDiscarded({ cluster, findings }: Run) {
  const discarded = await cluster.sql<{ id: number; kind: string; reason: string; pointless: boolean }[]>`
    select m.id::int, m.kind, m.reason, case m.kind
      when 'waitlisted' then r.status <> 'waitlisted' or r.moved_at >= m.created_at
      when 'confirmed' then r.status = 'cancelled' or r.moved_at >= m.created_at
      when 'promoted' then r.status = 'cancelled' or r.moved_at >= m.created_at
      when 'moved' then r.status = 'cancelled' or r.moved_at > m.created_at
      -- The opposite came before it had left, it came again, or what was told last is so.
      when 'closed' then r.status = 'cancelled' or r.moved_at >= m.created_at or w.state <> 'closed' or m.again
        or told.kind = 'closed'
      when 'reopened' then r.status = 'cancelled' or r.moved_at >= m.created_at or w.state <> 'published' or m.again
        or told.kind is distinct from 'closed'
      when 'changed' then r.status = 'cancelled' or r.moved_at >= m.created_at or m.again
      -- What a message says of one workshop, or of a campaign, is as true as it was.
      when 'message' then r.moved_at >= m.created_at
      -- As they were ticked, or said, when it was to leave; they may have been taken back since.
      when 'get_ready' then r.status = 'cancelled' or r.ready <> '{}'
      when 'coming' then r.status = 'cancelled' or r.attendance_confirmed_for is not null
      when 'day_before' then r.status = 'cancelled'
      when 'board_due' then exists (select 1 from loans l where l.registration_id = r.id and l.returned_at is not null)
      -- The check-in was undone.
      when 'afterwards' then r.status = 'cancelled' or exists (
        select 1 from check_ins i where i.registration_id = r.id and i.outcome = 'undone'
      )
      -- A no-show who checked in after all may have cancelled since, which is another cancellation mail.
      when 'cancelled' then m.payload ->> 'by' = 'absence' and (r.status = 'confirmed' or m.again)
      -- At that time; the person may have signed up again since.
      when 'found' then exists (
        select 1 from registrations gone where gone.email_key = r.email_key and gone.status = 'cancelled'
      )
      else false
    end or (m.kind <> 'cancelled' and r.status = 'confirmed' and came_after_all.id is not null) as pointless
    from (
      select *, lead(id) over (partition by registration_id, kind order by id) is not null as again from mails
    ) m
    join workshops w on w.id = (select workshop_id from registrations where id = m.registration_id)
    -- A move has the time at which it was asked for, and may have waited for its turn.
    cross join lateral (
      select id, status, moved_at + interval '10 seconds' as moved_at, moved_at as asked_at, email_key, ready, attendance_confirmed_for
      from registrations where id = m.registration_id
    ) r
    left join lateral (
      select id from mails lost where lost.registration_id = r.id and lost.payload ->> 'by' = 'absence' limit 1
    ) came_after_all on true
    left join lateral (
      select news.kind from mails news
      where news.registration_id = r.id and news.kind in ('closed', 'reopened') and news.state = 'sent'
        and (r.asked_at is null or news.created_at >= r.asked_at)
      order by news.sent_at desc, news.id desc limit 1
    ) told on true
    where m.state = 'dead'`
  for (const { id, kind, reason, pointless } of discarded) {
    findings.check('discarded', !pointless && `${kind} ${id}: ${reason}`)
  }
}

/** The last mail to a person states the current status, and the first mail and each cancellation were enqueued once. */
async function checkNotified({ cluster, findings }: Run) {
  const people = await cluster.sql<{ key: string; status: string; last: string; state: string; once: boolean }[]>`
    select r.idempotency_key as key, r.status, newest.kind as last, newest.state,
      (select count(*) from mails m where m.registration_id = r.id and m.kind in ('confirmed', 'waitlisted')) = 1
      -- A no-show who checked in after all and cancelled since gets both mails.
      and (select count(*) from mails m where m.registration_id = r.id and m.kind = 'cancelled' and not (
          m.payload ->> 'by' = 'absence' and m.id < newest.id
          and exists (select 1 from check_ins i where i.registration_id = r.id)
        )) = case when r.status = 'cancelled' then 1 else 0 end as once
    from registrations r
    left join lateral (
      select id, kind, state from mails m
      where m.registration_id = r.id and m.kind = any (${statusMailKinds})
      order by id desc limit 1
    ) newest on true
    -- Walk-ins have no address. A no-show who checked in after all gets no mail about it.
    where r.email <> '' and not (r.status = 'confirmed' and exists (
      select 1 from mails m where m.registration_id = r.id and m.payload ->> 'by' = 'absence'
    ))`
  for (const { key, status, last, state, once } of people) {
    const wasNotified = state === 'sent' && expectedLastMail[status]?.includes(last)
    findings.check('notified', !wasNotified && `${key} is ${status}, and the last mail, ${last}, is ${state}`)
    findings.check('notified', !once && `${key} was notified of one change twice`)
  }
}

/**
 * Each registration that was certain during a venue change gets a mail. It names the previous venue, or that before
 * all changes that were not mailed yet; so no venue is named twice.
 */
async function checkChangeNotices({ cluster, findings, venueNotices }: Run) {
  const mails = await cluster.sql<{ id: string; before: string; sent: number; queued: number }[]>`
    select registration_id as id, payload #>> '{before,venue,zh}' as before,
      count(*) filter (where state = 'sent')::int as sent, count(*)::int as queued
    from mails where kind = 'changed' group by 1, 2`
  for (const { id, before, sent } of mails) {
    // All workshops started in the same venue.
    const isDuplicate = before.endsWith('教室') && sent > 1
    findings.check('changeNotices', isDuplicate && `${id} got ${sent} mails about leaving ${before}`)
  }
  const mailsById = Map.groupBy(mails, ({ id }) => id)
  const noticesByBooking = Map.groupBy(venueNotices.flat(), (booking) => booking)
  for (const [{ key, ticket }, { length }] of noticesByBooking) {
    const n = (mailsById.get(ticket?.id ?? '') ?? []).reduce((sum, mail) => sum + mail.queued, 0)
    findings.check('changeNotices', n < length && `${key} got ${n} mails about ${length} changes`)
  }
}

/** An acknowledged broadcast went to all of its certain recipients. */
async function checkBroadcasts({ cluster, findings, broadcasts }: Run) {
  const mails = await cluster.sql<{ written: string; id: string; n: number }[]>`
    select broadcast_id as written, registration_id as id, count(*)::int as n
    from mails where kind = 'message' group by 1, 2`
  const mailCounts = new Map(mails.map(({ written, id, n }) => [`${written} ${id}`, n]))
  for (const { id, bookings } of broadcasts) {
    findings.check('broadcasts')
    for (const { key, ticket } of bookings) {
      const n = mailCounts.get(`${id} ${ticket?.id}`) ?? 0
      findings.check('broadcasts', n !== 1 && `${key} has ${n} mails of a broadcast`)
    }
  }
}

/** Mails that state the status of a registration. */
const statusMailKinds = ['confirmed', 'waitlisted', 'promoted', 'moved', 'cancelled']

/** Mails that may be the last one for a status. A mail is true at the time it is sent. */
const expectedLastMail: Record<string, string[]> = {
  confirmed: ['confirmed', 'promoted', 'moved'],
  waitlisted: ['waitlisted', 'moved'],
  cancelled: ['cancelled'],
}
