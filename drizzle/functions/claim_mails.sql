-- revision 8
-- Claims mails that are due, in the order of their due times, with a lease until p_leased_until, and discards those that are
-- obsolete. Returns both. Whether a mail is obsolete is evaluated after it is locked: a statement that closes or reopens a
-- workshop waits for the lock and relies on its notices still being sent.
--
-- p_rate: attempts per minute of all senders together; null for no limit. With a limit, senders claim one after another,
-- because each must see the attempts of all others. A claimed mail counts as an attempt, even if it is deferred.
--
-- Mails of a paused broadcast are left out. While delivery is paused, one mail is claimed each time the next probe is due: not
-- the one that was probed last unless there is no other; mails of broadcasts last, those with the fewest attempts first.
-- So one mail that is always refused does not block the others. See record_outcomes.sql.
create or replace function claim_mails(
  p_limit integer, p_rate integer, p_now timestamptz, p_leased_until timestamptz, p_sender_domain text
) returns setof mails
language plpgsql as $$
declare
  v_limit integer := p_limit;
  v_due bigint[];
  v_pause content_refusals;
  v_paused_broadcasts uuid[];
begin
  if p_rate is not null then
    insert into mail_rate_window default values on conflict do nothing;
    perform 1 from mail_rate_window for no key update;
    -- A separate statement, so that its snapshot is taken after the lock.
    select least(p_limit, greatest(0, p_rate - count(*)))::integer into v_limit
    from mail_rate_window, unnest(attempts) attempted_at
    where attempted_at > p_now - interval '1 minute';
  end if;

  v_paused_broadcasts := array(
    select c.broadcast_id from content_refusals c where c.broadcast_id is not null and c.paused_at is not null
  );
  select * into v_pause from content_refusals c
  where c.broadcast_id is null and c.paused_at is not null
  for no key update;

  if v_pause.paused_at is null then
    v_due := array(
      select m.id from mails m
      where m.state in ('pending', 'sending') and m.due_at <= p_now
        and (m.broadcast_id is null or m.broadcast_id <> all (v_paused_broadcasts))
      order by m.due_at, m.id
      limit v_limit
      for no key update skip locked
    );
  elsif v_pause.probe_at <= p_now then
    v_due := array(
      select m.id from mails m
      where m.state in ('pending', 'sending') and m.due_at <= p_now
        and (m.broadcast_id is null or m.broadcast_id <> all (v_paused_broadcasts))
      order by m.id is not distinct from v_pause.probed_mail, m.broadcast_id is not null,
        m.reason is not null or m.last_error is not null, m.attempt,
        m.due_at, m.id
      limit least(v_limit, 1)
      for no key update skip locked
    );
  end if;

  return query
  with due as (
    select m.id, case
      -- The lifetime of sign-in links is also in organisers.ts.
      when m.kind = 'sign_in' and m.created_at <= p_now - case
        when m.payload ->> 'invited' is null then interval '15 minutes' else interval '7 days'
      end then 'link_expired'
      when m.organiser_id is not null then null
      when h.created_at <= p_now - interval '24 hours' then 'link_expired'
      when r.erased_at is not null then 'person_erased'
      -- Not as "not exists": without statistics the planner would read every active registration.
      when m.kind = 'found' and (
        select 1 from registrations active join workshops active_workshop on active_workshop.id = active.workshop_id
        where active.email_key = r.email_key and active.status in ('confirmed', 'waitlisted', 'offered')
          and active_workshop.ends_at > p_now
        limit 1
      ) is null then 'no_ticket'
      when m.kind in ('found', 'message') or (m.kind = 'cancelled' and m.payload ->> 'by' is distinct from 'deadline') then null
      when m.kind = 'board_due' then case when (
        -- The person may have returned that board and borrowed another.
        select 1 from loans l
        where l.registration_id = r.id and l.returned_at is null and l.id = coalesce((m.payload ->> 'loan')::uuid, l.id)
        limit 1
      ) is null then 'board_returned' end
      when m.kind <> 'afterwards' and w.ends_at <= p_now then 'workshop_over'
      when m.kind = 'cancelled' then null
      when r.status = 'cancelled' then 'registration_cancelled'
      -- A reminder is for one workshop on one day and has an expiry: see enqueue_reminders.sql.
      when split_part(m.payload ->> 'occasion', ' ', 1) <> w.id::text or (m.payload ->> 'startsAt')::timestamptz <> w.starts_at
        then 'rescheduled'
      when (m.payload ->> 'until')::timestamptz <= p_now then 'too_late'
      when m.kind in ('get_ready', 'coming', 'day_before') and w.reminders -> m.kind is null then 'reminder_disabled'
      when m.kind = 'get_ready' and r.ready @> required_items(w.id, w.campaign_id) then 'already_ready'
      when m.kind = 'coming' and to_char(r.attendance_confirmed_for, 'YYYY-MM-DD') = split_part(m.payload ->> 'occasion', ' ', 2)
        then 'already_confirmed'
      when m.kind = 'waitlisted' and r.status <> 'waitlisted' then 'promoted'
      when m.kind = 'offered' and r.status <> 'offered' then 'offer_accepted'
      when m.kind in ('offered', 'get_ready') and r.offered_until <= p_now then 'offer_expired'
      -- Feedback is accepted for 14 days: see feedback.ts.
      when m.kind = 'afterwards' and m.created_at <= p_now - interval '14 days' then 'too_late'
      -- The check-in was undone, so the linked page would not thank them.
      when m.kind = 'afterwards' and (
        select 1 from check_ins i where i.registration_id = r.id and i.outcome = 'in' limit 1
      ) is null then 'did_not_attend'
      when m.kind = 'closed' and w.state <> 'closed' then 'reopened'
      when m.kind = 'reopened' and w.state <> 'published' then 'reclosed'
      when m.kind = 'changed' and (m.created_at < r.moved_at or w.state = 'cancelled' or (
        select 1 from mails newer
        where newer.registration_id = m.registration_id and newer.kind = 'changed' and newer.id > m.id
        limit 1
      ) = 1) then 'changed_again'
      when m.kind = 'moved' and m.created_at < r.moved_at then 'moved_again'
      when m.kind not in ('closed', 'reopened', 'afterwards') and (
        select 1 from mails newer
        where newer.registration_id = m.registration_id and newer.id > m.id and newer.payload ->> 'corrected' is not null
        limit 1
      ) = 1 then 'address_corrected'
    end as discard_reason
    from mails m
    left join registrations r on r.id = m.registration_id
    left join pending_sign_ups h on h.id = m.pending_sign_up_id
    left join workshops w on w.id = coalesce(r.workshop_id, h.workshop_id)
    where m.id = any (v_due)
  ),
  claimed as (
    update mails m
    set state = case when due.discard_reason is null then 'sending' else 'dead' end,
        reason = coalesce(due.discard_reason, m.reason),
        refusals = case when due.discard_reason is null then m.refusals else 0 end,
        attempt = m.attempt + 1,
        -- Due again when the lease expires, so that a mail whose sender crashed is claimed again.
        due_at = p_leased_until,
        leased_until = p_leased_until,
        first_tried_at = coalesce(m.first_tried_at, p_now),
        message_id = coalesce(m.message_id, m.uid::text || '@' || p_sender_domain),
        message_date = coalesce(m.message_date, p_now)
    from due
    where m.id = due.id
    returning m.*
  ),
  rate_recorded as (
    update mail_rate_window
    set attempts = array(select attempted_at from unnest(attempts) attempted_at where attempted_at > p_now - interval '1 minute')
      || array(select p_now from claimed where state = 'sending')
    where p_rate is not null and exists (select 1 from claimed where state = 'sending')
  ),
  probed as (
    -- If its sender crashes, the next probe is due when the lease expires.
    update content_refusals c set probed_mail = claimed.id, probe_at = p_leased_until
    from claimed
    where c.id = v_pause.id and claimed.state = 'sending'
  )
  select * from claimed;
end
$$;
