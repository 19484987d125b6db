-- revision 7
-- Claims mails that are due, the longest due first, for a sender who has them to itself until p_leased_until, and gives
-- up those that would only confuse now. Returns both.
-- Which of them would is read after they are locked: who closes or opens a workshop waits for that, and counts on the
-- news that then are still to be sent.
--
-- p_rate: how many mails all senders together may try in a minute; null for as many as they like. Where it is given the
-- senders claim one after another, for each must know of the tries of all others. A mail that is claimed counts as
-- tried, also if it is put back.
--
-- Mails of a paused message are left out. While delivery is paused, one mail is claimed when the next try is due: not the
-- one that was tried last unless there is no other, mails of messages after all others, the least tried first. So other
-- mails do not wait for one that is refused in any case. See record_outcomes.sql.
create or replace function claim_mails(
  p_limit integer, p_rate integer, p_now timestamptz, p_leased_until timestamptz, p_sender_domain text
) returns setof mails
language plpgsql as $$
declare
  v_limit integer := p_limit;
  v_due bigint[];
  v_pause content_refusals;
  v_paused_messages uuid[];
begin
  if p_rate is not null then
    insert into mail_pace default values on conflict do nothing;
    perform 1 from mail_pace for no key update;
    -- A statement of its own: what the lock protects is read after it.
    select least(p_limit, greatest(0, p_rate - count(*)))::integer into v_limit
    from mail_pace, unnest(tries) tried
    where tried > p_now - interval '1 minute';
  end if;

  v_paused_messages := array(
    select c.written_id from content_refusals c where c.written_id is not null and c.paused_at is not null
  );
  select * into v_pause from content_refusals c
  where c.written_id is null and c.paused_at is not null
  for no key update;

  if v_pause.paused_at is null then
    v_due := array(
      select m.id from mails m
      where m.state in ('pending', 'sending') and m.due_at <= p_now
        and (m.written_id is null or m.written_id <> all (v_paused_messages))
      order by m.due_at, m.id
      limit v_limit
      for no key update skip locked
    );
  elsif v_pause.probe_at <= p_now then
    v_due := array(
      select m.id from mails m
      where m.state in ('pending', 'sending') and m.due_at <= p_now
        and (m.written_id is null or m.written_id <> all (v_paused_messages))
      order by m.id is not distinct from v_pause.probed_mail, m.written_id is not null, m.reason is not null, m.attempt,
        m.due_at, m.id
      limit least(v_limit, 1)
      for no key update skip locked
    );
  end if;

  return query
  with due as (
    select m.id, case
      -- How long a link lasts stands in organisers.ts too.
      when m.kind = 'sign_in' and m.created_at <= p_now - case
        when m.facts ->> 'invited' is null then interval '15 minutes' else interval '7 days'
      end then 'its link is good no longer'
      when m.organiser_id is not null then null
      when h.created_at <= p_now - interval '24 hours' then 'its link is good no longer'
      when r.erased_at is not null then 'the person was erased'
      -- Not as "not exists", for which every live registration is read where the tables were never analysed.
      when m.kind = 'found' and (
        select 1 from registrations live join workshops then_at on then_at.id = live.workshop_id
        where live.email_key = r.email_key and live.status in ('confirmed', 'waitlisted', 'offered')
          and then_at.ends_at > p_now
        limit 1
      ) is null then 'no ticket is left to send'
      when m.kind in ('found', 'message') or (m.kind = 'cancelled' and m.facts ->> 'by' is distinct from 'deadline') then null
      when m.kind = 'board_due' then case when (
        -- Who gave that one back may have another since.
        select 1 from loans l
        where l.registration_id = r.id and l.returned_at is null and l.id = coalesce((m.facts ->> 'loan')::uuid, l.id)
        limit 1
      ) is null then 'the board came back since' end
      when m.kind <> 'afterwards' and w.ends_at <= p_now then 'the workshop is over'
      when m.kind = 'cancelled' then null
      when r.status = 'cancelled' then 'the registration was cancelled since'
      -- A reminder is of one workshop at one time, and good for so long: see owe_reminders.sql.
      when split_part(m.facts ->> 'occasion', ' ', 1) <> w.id::text or (m.facts ->> 'startsAt')::timestamptz <> w.starts_at
        then 'its time is another since'
      when (m.facts ->> 'until')::timestamptz <= p_now then 'too late for it'
      when m.kind in ('get_ready', 'coming', 'day_before') and w.reminders -> m.kind is null then 'switched off since'
      when m.kind = 'get_ready' and r.ready @> asked_of(w.id, w.campaign_id) then 'ready since'
      when m.kind = 'coming' and to_char(r.coming_on, 'YYYY-MM-DD') = split_part(m.facts ->> 'occasion', ' ', 2)
        then 'said so since'
      when m.kind = 'waitlisted' and r.status <> 'waitlisted' then 'promoted since'
      when m.kind = 'offered' and r.status <> 'offered' then 'taken since'
      when m.kind in ('offered', 'get_ready') and r.offered_until <= p_now then 'not taken in time'
      -- What it leads to is asked for a fortnight: see feedback.ts.
      when m.kind = 'afterwards' and m.created_at <= p_now - interval '14 days' then 'too late for it'
      -- They were checked in by mistake, and what the mail leads to tells them so.
      when m.kind = 'afterwards' and (
        select 1 from check_ins i where i.registration_id = r.id and i.outcome = 'in' limit 1
      ) is null then 'did not come after all'
      when m.kind = 'closed' and w.state <> 'closed' then 'opened again since'
      when m.kind = 'reopened' and w.state <> 'published' then 'closed again since'
      when m.kind = 'changed' and (m.created_at < r.moved_at or w.state = 'cancelled' or (
        select 1 from mails newer
        where newer.registration_id = m.registration_id and newer.kind = 'changed' and newer.id > m.id
        limit 1
      ) = 1) then 'changed again since'
      when m.kind = 'moved' and m.created_at < r.moved_at then 'moved again since'
      when m.kind not in ('closed', 'reopened', 'afterwards') and (
        select 1 from mails newer
        where newer.registration_id = m.registration_id and newer.id > m.id and newer.facts ->> 'corrected' is not null
        limit 1
      ) = 1 then 'superseded by a corrected address'
    end as pointless
    from mails m
    left join registrations r on r.id = m.registration_id
    left join held_sign_ups h on h.id = m.held_id
    left join workshops w on w.id = coalesce(r.workshop_id, h.workshop_id)
    where m.id = any (v_due)
  ),
  claimed as (
    update mails m
    set state = case when due.pointless is null then 'sending' else 'dead' end,
        reason = coalesce(due.pointless, m.reason),
        refusals = case when due.pointless is null then m.refusals else 0 end,
        attempt = m.attempt + 1,
        -- Due again when the lease runs out: that is how the mail of a sender that died is found.
        due_at = p_leased_until,
        leased_until = p_leased_until,
        first_tried_at = coalesce(m.first_tried_at, p_now),
        message_id = coalesce(m.message_id, m.uid::text || '@' || p_sender_domain),
        dated_at = coalesce(m.dated_at, p_now)
    from due
    where m.id = due.id
    returning m.*
  ),
  paced as (
    update mail_pace
    set tries = array(select tried from unnest(tries) tried where tried > p_now - interval '1 minute')
      || array(select p_now from claimed where state = 'sending')
    where p_rate is not null and exists (select 1 from claimed where state = 'sending')
  ),
  probed as (
    -- If its sender dies, the next one is tried when the lease runs out.
    update content_refusals c set probed_mail = claimed.id, probe_at = p_leased_until
    from claimed
    where c.id = v_pause.id and claimed.state = 'sending'
  )
  select * from claimed;
end
$$;
