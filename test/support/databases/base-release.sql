-- The SQL functions of the base release, each as its file was. Never edited: see base-release.ts.
-- file accept_offer.sql
-- revision 1
-- Accepts an offered seat: the registration becomes confirmed, and the mail with the check-in code is enqueued.
-- outcome: taken | already_taken (it is confirmed) | lapsed (the deadline has passed, whether or not the seat went to the
--          next in line) | cancelled | not_offered (it is waitlisted) | not_found.
create or replace function accept_offer(p_id uuid, p_now timestamptz)
returns table (outcome text)
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_registration registrations;
begin
  perform lock_registration_workshop(p_id);

  select r.* into v_registration from registrations r where r.id = p_id;

  if v_registration.id is null then
    return query select 'not_found';
  elsif v_registration.status = 'confirmed' then
    return query select 'already_taken';
  elsif v_registration.status = 'waitlisted' then
    return query select 'not_offered';
  elsif v_registration.cancelled_by = 'deadline' or p_now >= v_registration.offered_until then
    return query select 'lapsed';
  elsif v_registration.status = 'cancelled' then
    return query select 'cancelled';
  else
    update registrations set status = 'confirmed', seated_at = p_now, offered_until = null where id = p_id;
    insert into mails (registration_id, kind, created_at, due_at) values (p_id, 'promoted', p_now, p_now);
    return query select 'taken';
  end if;
end
$$;
-- file active_registration.sql
-- revision 1
-- Returns the active registration that prevents an address from registering for a workshop; null if there is none.
create or replace function active_registration(p_email_key text, w workshops) returns uuid
language sql stable as $$
  select conflict.id
  from conflicting_registrations(
    p_email_key, w.id, (select c.id from campaigns c where c.id = w.campaign_id and c.one_seat_per_person)
  ) conflict
  limit 1
$$;
-- file can_mail_ticket.sql
-- revision 1
-- Returns true if the ticket may be mailed to an address again: at most every ten minutes, and within the daily limit.
create or replace function can_mail_ticket(p_email_key text, p_now timestamptz) returns boolean
language sql stable as $$
  select count_mails_triggered_today(p_email_key, p_now) < 10 and not exists (
    select 1
    from registrations r
    cross join lateral (
      select 1 from mails m
      where m.registration_id = r.id and m.kind = 'found' and m.created_at > p_now - interval '10 minutes'
      offset 0
    ) m
    where r.email_key = p_email_key
  )
$$;
-- file cancel_registration.sql
-- revision 4
-- Cancels a registration, enqueues its mail if it has an address, and promotes the next in line.
-- outcome: cancelled | already_cancelled | over (an attendee may cancel until the workshop starts) | not_found.
create or replace function cancel_registration(p_id uuid, p_by text, p_now timestamptz)
returns table (outcome text, promoted integer)
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_workshop workshops;
  v_status text;
  v_email text;
begin
  v_workshop := lock_registration_workshop(p_id);

  select r.status, r.email into v_status, v_email from registrations r where r.id = p_id;

  if v_status is null then
    return query select 'not_found', 0;
  elsif v_status = 'cancelled' then
    return query select 'already_cancelled', 0;
  elsif p_by = 'attendee' and p_now >= v_workshop.starts_at then
    return query select 'over', 0;
  else
    update registrations
    set status = 'cancelled', cancelled_at = p_now, cancelled_by = p_by, offered_until = null
    where id = p_id;
    insert into mails (registration_id, kind, payload, created_at, due_at)
    select p_id, 'cancelled', jsonb_build_object('by', p_by), p_now, p_now where v_email <> '';
    return query select 'cancelled', promote_waitlist(v_workshop.id, p_now);
  end if;
end
$$;
-- file cancel_workshop.sql
-- revision 4
-- Cancels a workshop for good with all its active registrations, and enqueues a mail for each that has an address.
-- outcome: cancelled | already_cancelled | over (it has ended) | not_found; notified is the number of mails.
create or replace function cancel_workshop(p_id uuid, p_now timestamptz)
returns table (outcome text, notified integer)
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_workshop workshops;
  v_notified integer;
begin
  select w.* into v_workshop from workshops w where w.id = p_id for no key update;

  if v_workshop.id is null then
    return query select 'not_found', 0;
  elsif v_workshop.state = 'cancelled' then
    return query select 'already_cancelled', 0;
  elsif p_now >= v_workshop.ends_at then
    return query select 'over', 0;
  else
    update workshops
    set state = 'cancelled', calendar_sequence = calendar_sequence + 1, updated_at = p_now
    where id = p_id;

    with cancelled as (
      update registrations
      set status = 'cancelled', cancelled_at = p_now, cancelled_by = 'workshop', offered_until = null
      where workshop_id = p_id and status in ('confirmed', 'waitlisted', 'offered')
      returning id, email
    )
    insert into mails (registration_id, kind, payload, created_at, due_at)
    select id, 'cancelled', '{"by": "workshop"}', p_now, p_now from cancelled where email <> '';
    get diagnostics v_notified = row_count;

    return query select 'cancelled', v_notified;
  end if;
end
$$;
-- file cap_offer_deadlines.sql
-- revision 1
-- When a workshop is moved to an earlier time, no offer lasts beyond its start. Deadlines are never extended.
create or replace function cap_offer_deadlines() returns trigger
language plpgsql as $$
begin
  update registrations
  set offered_until = new.starts_at
  where workshop_id = new.id and status = 'offered' and offered_until > new.starts_at;
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger cap_offer_deadlines_on_change after update of starts_at on workshops
  for each row when (new.starts_at < old.starts_at)
  execute function cap_offer_deadlines();
-- file check_in.sql
-- revision 2
-- Checks people in to a workshop. Entries are processed independently, in their order; one row is returned per entry.
--
-- p_entries: [{ n, id, registration, at }], n = 0, 1, 2 …; id is the nonce made by the phone; at is the phone's time, clamped
-- to between twelve hours before the start and now.
-- outcome:   in | again (an earlier check-in exists: id, at and by are those of that one) | waitlisted | cancelled
--            | elsewhere (workshop is where they are registered) | not_found. A repeated nonce returns the same outcome.
--
-- Of a person's check-ins that were not undone the one with the earliest time is `in`, in whatever order they arrive; the
-- others are `again`. Checking in accepts an offered seat. A registration that lost its seat as a no-show is restored if it
-- was checked in before that by a phone that was offline, and a seat is available.
create or replace function check_in(p_workshop uuid, p_entries jsonb, p_session uuid, p_by text, p_now timestamptz)
returns table (n integer, outcome text, id uuid, at timestamptz, by text, workshop uuid)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_workshop workshops;
  v_entry record;
  v_registration registrations;
  v_existing check_ins;
  v_first check_ins;
  v_at timestamptz;
  v_outcome text;
begin
  -- Restoring a no-show may conflict with a registration elsewhere in the campaign. Campaigns are locked first, as in register.sql.
  perform 1
  from campaigns c
  where c.one_seat_per_person and c.id = (select w.campaign_id from workshops w where w.id = p_workshop) and exists (
    select 1
    from jsonb_to_recordset(p_entries) as e (registration uuid) join registrations r on r.id = e.registration
    where r.cancelled_by = 'absence'
  )
  for no key update;

  select w.* into v_workshop from workshops w where w.id = p_workshop for no key update;

  for v_entry in
    select e.* from jsonb_to_recordset(p_entries) as e (n integer, id uuid, registration uuid, at timestamptz) order by e.n
  loop
    v_at := least(greatest(v_entry.at, v_workshop.starts_at - interval '12 hours'), p_now);
    select c.* into v_existing from check_ins c where c.id = v_entry.id;
    select r.* into v_registration from registrations r where r.id = v_entry.registration and r.erased_at is null;

    v_outcome := case
      when v_existing.id is not null and (v_existing.registration_id, v_existing.workshop_id) is distinct from (v_entry.registration, p_workshop)
        then 'not_found'
      when v_existing.outcome = 'again' then 'again'
      when v_existing.id is not null then 'in'
      when v_registration.id is null then 'not_found'
      when v_registration.workshop_id <> p_workshop then 'elsewhere'
      when v_registration.status = 'waitlisted' then 'waitlisted'
    end;

    if v_outcome is null and v_registration.status = 'cancelled' then
      if not restore_no_show_seat(v_registration, v_workshop, v_at, p_now) then
        v_outcome := 'cancelled';
      end if;
    elsif v_outcome is null and v_registration.status = 'offered' then
      update registrations r set status = 'confirmed', seated_at = p_now, offered_until = null where r.id = v_registration.id;
      insert into mails (registration_id, kind, created_at, due_at)
      select v_registration.id, 'promoted', p_now, p_now where v_registration.email <> '';
    end if;

    if v_outcome is null then
      select c.* into v_first from check_ins c where c.registration_id = v_registration.id and c.outcome = 'in';
      -- Ties are broken by nonce, so that all servers and phones agree.
      v_outcome := case when v_first.id is null or (v_at, v_entry.id) < (v_first.at, v_first.id) then 'in' else 'again' end;
      if v_outcome = 'in' then
        update check_ins c set outcome = 'again' where c.id = v_first.id;
      end if;
      insert into check_ins (id, registration_id, workshop_id, outcome, at, received_at, door_session_id, by)
      values (v_entry.id, v_registration.id, p_workshop, v_outcome, v_at, p_now, p_session, p_by);
    end if;

    select c.* into v_first
    from check_ins c
    where v_outcome in ('in', 'again') and c.registration_id = v_entry.registration and c.outcome = 'in';
    return query select v_entry.n, v_outcome, v_first.id, v_first.at, v_first."by",
                        case when v_outcome = 'elsewhere' then v_registration.workshop_id end;
  end loop;
end
$$;
--> statement-breakpoint
-- Restores a registration that was cancelled as a no-show, if the check-in is older than that and the person has not
-- registered again. Returns whether it did. The caller holds the locks on the campaign and the workshop.
create or replace function restore_no_show_seat(r registrations, w workshops, p_at timestamptz, p_now timestamptz) returns boolean
language plpgsql as $$
begin
  if r.cancelled_by is distinct from 'absence' or p_at >= r.cancelled_at or exists (
    select 1 from conflicting_registrations(
      r.email_key, w.id, (select c.id from campaigns c where c.id = w.campaign_id and c.one_seat_per_person)
    )
  ) or not ensure_free_seat(w.id, p_now) then
    return false;
  end if;

  update registrations set status = 'confirmed', cancelled_at = null, cancelled_by = null where id = r.id;
  update mails set state = 'dead', reason = 'attended'
  where registration_id = r.id and kind = 'cancelled' and state = 'pending';
  return true;
end
$$;
--> statement-breakpoint
-- Undoes the check-ins of a registration that loses its seat or is moved to another workshop.
create or replace function revoke_check_ins() returns trigger
language plpgsql as $$
begin
  update check_ins
  set outcome = 'undone', undone_at = greatest(at, coalesce(new.cancelled_at, new.moved_at, at)), undone_by = ''
  where registration_id = new.id and outcome <> 'undone';
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger revoke_check_ins after update of status, workshop_id on registrations
  for each row when (
    old.status = 'confirmed' and (new.status <> 'confirmed' or new.workshop_id <> old.workshop_id)
  )
  execute function revoke_check_ins();
-- file claim_mails.sql
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
-- file conflicting_registrations.sql
-- revision 1
-- Returns the active registrations that prevent an address from registering for a workshop: one for the same workshop, or
-- for any workshop of p_campaign, which is the workshop's campaign if that has one seat per person, else null. The one for
-- the same workshop comes first.
-- A table function, so that the planner inlines it; that costs a tenth of a call. `offset 0` fixes the join order, from the
-- address to its few registrations and from each to its workshop: without statistics all workshops and mails were read for
-- every address.
create or replace function conflicting_registrations(p_email_key text, p_workshop uuid, p_campaign uuid) returns table (id uuid)
language sql stable as $$
  select r.id
  from registrations r
  cross join lateral (
    select w.id, w.campaign_id from workshops w where w.id = r.workshop_id offset 0
  ) w
  where r.email_key = p_email_key
    and r.status in ('confirmed', 'waitlisted', 'offered')
    and (w.id = p_workshop or w.campaign_id = p_campaign)
  order by w.id = p_workshop desc
$$;
-- file correct_email.sql
-- revision 5
-- Replaces a mistyped address and enqueues the confirmation again. Older ticket links and check-in codes become invalid,
-- because they may have reached a stranger.
-- outcome: corrected | unchanged | already_registered | too_many (five corrections, or the daily limit of mails to the new
--          address) | cancelled | over | not_found.
create or replace function correct_email(p_id uuid, p_email text, p_email_key text, p_now timestamptz)
returns table (outcome text, ticket_version integer)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_workshop workshops;
  v_registration registrations;
begin
  -- The campaign is locked first, so that the new address cannot be registered concurrently in another of its cities.
  perform 1
  from campaigns c
  where c.one_seat_per_person
    and c.id = (select w.campaign_id from registrations r join workshops w on w.id = r.workshop_id where r.id = p_id)
  for no key update;
  v_workshop := lock_registration_workshop(p_id);

  select r.* into v_registration from registrations r where r.id = p_id;

  if v_registration.id is null then
    return query select 'not_found', 0;
  elsif v_registration.status = 'cancelled' then
    return query select 'cancelled', v_registration.ticket_version;
  elsif p_now >= v_workshop.ends_at then
    return query select 'over', v_registration.ticket_version;
  elsif v_registration.email = p_email then
    return query select 'unchanged', v_registration.ticket_version;
  elsif v_registration.ticket_version > 5 or count_mails_triggered_today(p_email_key, p_now) >= 10 then
    return query select 'too_many', v_registration.ticket_version;
  elsif active_registration(p_email_key, v_workshop) <> p_id then
    return query select 'already_registered', v_registration.ticket_version;
  else
    update registrations
    set email = p_email, email_key = p_email_key, ticket_version = ticket_version + 1,
        calendar_sequence_offset = calendar_sequence_offset + 1
    where id = p_id;

    -- Discards pending mails that the new confirmation replaces; reminders are enqueued again by enqueue_reminders.
    -- Nothing enqueues the kinds below again.
    update mails set state = 'dead', reason = 'address_corrected'
    where registration_id = p_id and state = 'pending'
      and kind not in ('closed', 'reopened', 'message', 'board_due', 'afterwards');

    insert into mails (registration_id, kind, payload, created_at, due_at)
    values (p_id, v_registration.status, '{"corrected": true}', p_now, p_now);

    return query select 'corrected', v_registration.ticket_version + 1;
  end if;
end
$$;
-- file count_seats.sql
-- revision 2
-- Keeps the counters of a workshop in step with its registrations. Nothing else may change them: see guard_counters below.
-- Statement-level, so that a batch of registrations costs one update per workshop.
create or replace function count_seats() returns trigger
language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    update workshops w
    set taken = w.taken + change.taken,
        waitlisted = w.waitlisted + change.waitlisted,
        next_seq = greatest(w.next_seq, change.next_seq),
        last_placed_at = greatest(w.last_placed_at, change.last_placed_at)
    from (
      select workshop_id,
             count(*) filter (where status in ('confirmed', 'offered')) as taken,
             count(*) filter (where status = 'waitlisted') as waitlisted,
             max(seq) + 1 as next_seq,
             max(placed_at) as last_placed_at
      from new_rows
      group by workshop_id
    ) change
    where w.id = change.workshop_id;
  elsif tg_op = 'UPDATE' then
    update workshops w
    set taken = w.taken + change.taken,
        waitlisted = w.waitlisted + change.waitlisted,
        next_seq = greatest(w.next_seq, change.next_seq),
        last_placed_at = greatest(w.last_placed_at, change.last_placed_at)
    from (
      select workshop_id,
             coalesce(sum(sign) filter (where status in ('confirmed', 'offered')), 0) as taken,
             coalesce(sum(sign) filter (where status = 'waitlisted'), 0) as waitlisted,
             max(seq) + 1 as next_seq,
             max(placed_at) as last_placed_at
      from (
        select workshop_id, status, seq, placed_at, 1 as sign from new_rows
        union all
        select workshop_id, status, seq, placed_at, -1 from old_rows
      ) moved
      group by workshop_id
    ) change
    where w.id = change.workshop_id
      and (change.taken <> 0 or change.waitlisted <> 0 or change.next_seq > w.next_seq);
  else
    update workshops w
    set taken = w.taken - change.taken,
        waitlisted = w.waitlisted - change.waitlisted
    from (
      select workshop_id,
             count(*) filter (where status in ('confirmed', 'offered')) as taken,
             count(*) filter (where status = 'waitlisted') as waitlisted
      from old_rows
      group by workshop_id
    ) change
    where w.id = change.workshop_id;
  end if;
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger count_seats_on_insert after insert on registrations
  referencing new table as new_rows for each statement execute function count_seats();
--> statement-breakpoint
create or replace trigger count_seats_on_update after update on registrations
  referencing old table as old_rows new table as new_rows for each statement execute function count_seats();
--> statement-breakpoint
create or replace trigger count_seats_on_delete after delete on registrations
  referencing old table as old_rows for each statement execute function count_seats();
--> statement-breakpoint
create or replace function guard_counters() returns trigger
language plpgsql as $$
begin
  raise exception 'taken, waitlisted, next_seq and last_placed_at of a workshop follow its registrations and are not set by hand';
end
$$;
--> statement-breakpoint
create or replace trigger guard_counters before update of taken, waitlisted, next_seq, last_placed_at on workshops
  for each row when (pg_trigger_depth() = 0) execute function guard_counters();
-- file create_pending_sign_up.sql
-- revision 1
-- Stores a pending sign-up and enqueues the mail with the link that confirms it. It holds no seat; the rules are evaluated
-- again when the link is followed.
-- p_sign_up: validated input.
-- outcome: held, also for a retry | known (the idempotency key belongs to a registration: call `register`)
--          | idempotency_mismatch | already_registered (the ticket is mailed to the address on file, at most every
--          ten minutes) | full | not_open | closed | cancelled | too_many (daily limit of mails to this address) | not_found.
create or replace function create_pending_sign_up(
  p_id uuid, p_workshop uuid, p_sign_up jsonb, p_email_key text, p_idempotency_key text, p_now timestamptz
) returns text
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_workshop workshops;
  v_pending jsonb;
  v_active uuid;
begin
  -- Serializes sign-ups for this workshop, so that the limit of mails is exact within it. Concurrent sign-ups for several
  -- workshops may exceed it slightly.
  select w.* into v_workshop from workshops w where w.id = p_workshop for no key update;

  if exists (
    select 1 from registrations r
    where r.idempotency_key = p_idempotency_key and r.first_workshop_id = p_workshop
  ) then
    return 'known';
  end if;

  -- The mailed link has expired, so the key may be used again.
  delete from pending_sign_ups p
  where p.idempotency_key = p_idempotency_key and p.workshop_id = p_workshop
    and p.created_at <= p_now - interval '24 hours';

  select p.sign_up into v_pending from pending_sign_ups p
  where p.idempotency_key = p_idempotency_key and p.workshop_id = p_workshop;
  v_active := active_registration(p_email_key, v_workshop);

  if v_pending is not null then
    return case when v_pending = p_sign_up then 'held' else 'idempotency_mismatch' end;
  elsif v_workshop.id is null then
    return 'not_found';
  elsif registration_refusal(v_workshop, p_now) is not null then
    return registration_refusal(v_workshop, p_now);
  elsif v_active is not null then
    insert into mails (registration_id, kind, created_at, due_at)
    select v_active, 'found', p_now, p_now where can_mail_ticket(p_email_key, p_now);
    return 'already_registered';
  elsif count_mails_triggered_today(p_email_key, p_now) >= 10 then
    return 'too_many';
  elsif not v_workshop.waitlist and (v_workshop.waitlisted > 0 or v_workshop.taken >= v_workshop.capacity) then
    return 'full';
  end if;

  insert into pending_sign_ups (id, workshop_id, email_key, sign_up, idempotency_key, created_at)
  values (p_id, p_workshop, p_email_key, p_sign_up, p_idempotency_key, p_now);

  insert into mails (pending_sign_up_id, kind, created_at, due_at) values (p_id, 'held', p_now, p_now);
  return 'held';
end
$$;
-- file enqueue_closing_mails.sql
-- revision 1
-- An organiser closed or reopened a workshop: enqueues one notice for each active registration, in the same statement.
-- Pending notices that became obsolete are discarded. Registrations whose last notice says the same get none, nor do those
-- that were never notified of the closing when it reopens. Nobody is notified once the workshop has started.
-- Sequential scans are disabled: without statistics a table would be read in full while sign-ups wait for the workshop's lock.
create or replace function enqueue_closing_mails() returns trigger
language plpgsql
set enable_seqscan = off
as $$
declare
  v_kind text := case new.state when 'closed' then 'closed' else 'reopened' end;
  v_opposite_kind text := case new.state when 'closed' then 'reopened' else 'closed' end;
begin
  -- A concurrent claim may be discarding a notice that is counted below as still to be sent: see claim_mails.sql.
  perform 1
  from mails m
  where m.kind in ('closed', 'reopened') and m.state in ('pending', 'sending')
    and m.registration_id in (select r.id from registrations r where r.workshop_id = new.id)
  order by m.id
  for no key update;

  update mails m
  set state = 'dead', reason = case new.state when 'closed' then 'reclosed' else 'reopened' end
  from registrations r
  where r.id = m.registration_id and r.workshop_id = new.id and m.kind = v_opposite_kind and m.state = 'pending';

  insert into mails (registration_id, kind, created_at, due_at)
  select r.id, v_kind, new.updated_at, new.updated_at
  from registrations r
  left join lateral (
    select m.kind
    from mails m
    where m.registration_id = r.id and m.kind in ('closed', 'reopened') and m.state <> 'dead'
      -- Notices about the workshop that the registration was moved from do not count.
      and (r.moved_at is null or m.created_at >= r.moved_at)
    -- A notice that is being sent may still fail, a pending one will be sent.
    order by m.state = 'pending' desc, m.id desc
    limit 1
  ) last_notice on true
  where r.workshop_id = new.id and r.status in ('confirmed', 'waitlisted', 'offered') and r.email <> ''
    and last_notice.kind is distinct from v_kind and (last_notice.kind is not null or v_kind = 'closed')
  order by r.seq;
  return null;
end
$$;
--> statement-breakpoint
-- Triggers run in the order of their names: this one before promote_waitlist_on_change, so that the notice is enqueued
-- before the mails of promoted attendees.
create or replace trigger enqueue_closing_mails_on_change after update of state on workshops
  for each row when (
    new.updated_at < new.starts_at
    and (old.state, new.state) in (('published', 'closed'), ('closed', 'published'))
  )
  execute function enqueue_closing_mails();
-- file enqueue_loan_reminders.sql
-- revision 1
-- Enqueues a mail to everyone who has an address and has not returned a board of a workshop, at most once a day. A mail that
-- was discarded because the board had been returned does not count. Returns the number of mails.
create or replace function enqueue_loan_reminders(p_workshop uuid, p_now timestamptz) returns integer
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_enqueued integer;
begin
  -- Locked in the order of ids, as in erase_people; existing mails are read after it.
  perform 1 from registrations r
  where r.id in (select l.registration_id from loans l where l.workshop_id = p_workshop and l.returned_at is null)
  order by r.id for no key update;

  insert into mails (registration_id, kind, payload, created_at, due_at)
  select r.id, 'board_due',
    jsonb_build_object(
      'loan', l.id, 'from', l.workshop_id, 'board', jsonb_build_object('kind', b.kind, 'serial', b.serial)
    ), p_now, p_now
  from loans l
  join registrations r on r.id = l.registration_id
  join boards b on b.id = l.board_id
  where l.workshop_id = p_workshop and l.returned_at is null and r.email <> '' and r.erased_at is null
    and not exists (
      select 1 from mails m
      where m.registration_id = r.id and m.kind = 'board_due' and m.created_at > p_now - interval '1 day'
        and (m.state <> 'dead' or m.reason is distinct from 'board_returned')
    )
  order by l.lent_at, r.id;
  get diagnostics v_enqueued = row_count;
  return v_enqueued;
end
$$;
-- file enqueue_reminders.sql
-- revision 1
-- Enqueues the reminders that are due, at most p_limit, for attendees who were not reminded of that workshop on that day yet.
-- Returns their number. May run concurrently: the index mails_reminders_once lets each through once.
-- A discarded reminder does not count; one that failed does.
--
-- p_due: [{ workshop, kind, day, startsAt, until, seatedBy }], computed by domain/mails/reminders.ts, which knows time zones. A
-- workshop that was rescheduled since is skipped until the next run.
-- p_first_due_at: due time of the first mail; the others follow p_interval_seconds apart, so that tickets are sent in between.
--
-- Planner settings: without statistics tables would be read in full, every minute.
create or replace function enqueue_reminders(
  p_due jsonb, p_limit integer, p_first_due_at timestamptz, p_interval_seconds double precision, p_now timestamptz
) returns integer
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_enqueued integer;
begin
  insert into mails (registration_id, kind, payload, created_at, due_at)
  select r.id, due.kind, due.payload, p_now,
    p_first_due_at + p_interval_seconds * interval '1 second' * (row_number() over (order by due.position, r.seq) - 1)
  from (
    select w.id as workshop_id, d.kind, d.day, d.position, d."seatedBy" as seated_by,
      case when d.kind = 'get_ready' then required_items(w.id, w.campaign_id) end as required,
      w.id || ' ' || d.day as occasion,
      jsonb_build_object('occasion', w.id || ' ' || d.day, 'startsAt', d."startsAt", 'until', d.until) as payload
    from rows from (
      jsonb_to_recordset(p_due) as (workshop uuid, kind text, day text, "startsAt" text, until text, "seatedBy" timestamptz)
    ) with ordinality as d(workshop, kind, day, "startsAt", until, "seatedBy", position)
    join workshops w on w.id = d.workshop and w.starts_at = d."startsAt"::timestamptz and w.state in ('published', 'closed')
    offset 0
  ) due
  cross join lateral (
    select r.id, r.seq
    from registrations r
    where r.workshop_id = due.workshop_id
      and (r.status = 'confirmed' or (r.status = 'offered' and r.offered_until > p_now and due.kind = 'get_ready'))
      -- Erased people and walk-ins without an address get no mail.
      and r.erased_at is null and r.email <> ''
      and coalesce(r.seated_at, r.placed_at) <= due.seated_by
      and (due.kind <> 'get_ready' or not r.ready @> due.required)
      and (due.kind <> 'coming' or r.attendance_confirmed_for is distinct from due.day::date)
      -- Not as "not exists": without statistics the planner would read every mail.
      and (
        select 1 from mails m
        where m.registration_id = r.id and m.kind = due.kind and m.payload ->> 'occasion' = due.occasion
          and (m.state <> 'dead' or coalesce(m.reason, '') not in (
            'rescheduled', 'too_late', 'already_ready', 'already_confirmed', 'reminder_disabled',
            'offer_expired', 'moved', 'address_corrected'
          ))
        limit 1
      ) is null
    offset 0
  ) r
  order by due.position, r.seq
  limit p_limit
  on conflict do nothing;
  get diagnostics v_enqueued = row_count;
  return v_enqueued;
end
$$;
-- file ensure_free_seat.sql
-- revision 1
-- Returns true if a seat is available for the door queue: a free seat, or after the grace period a no-show's seat, which is
-- released. Unconfirmed attendees lose theirs first, then the latest registration.
-- The caller holds the lock on the workshop, and the workshop has started.
create or replace function ensure_free_seat(p_workshop uuid, p_now timestamptz) returns boolean
language plpgsql as $$
declare
  v_workshop workshops;
  v_no_show registrations;
begin
  select w.* into v_workshop from workshops w where w.id = p_workshop;
  if v_workshop.taken < v_workshop.capacity then
    return true;
  elsif p_now < v_workshop.starts_at + make_interval(mins => v_workshop.grace_minutes) is not false then
    return false;
  end if;

  select r.* into v_no_show
  from registrations r
  where r.workshop_id = p_workshop and r.status = 'confirmed'
    and not exists (select 1 from check_ins c where c.registration_id = r.id and c.outcome = 'in')
  order by r.attendance_confirmed_for is not distinct from (v_workshop.starts_at at time zone v_workshop.time_zone)::date, r.seq desc
  limit 1;
  if v_no_show.id is null then
    return false;
  end if;

  update registrations set status = 'cancelled', cancelled_at = p_now, cancelled_by = 'absence' where id = v_no_show.id;
  insert into mails (registration_id, kind, payload, created_at, due_at)
  select v_no_show.id, 'cancelled', '{"by": "absence"}', p_now, p_now where v_no_show.email <> '';
  return true;
end
$$;
-- file erase_people.sql
-- revision 1
-- Erases the pii data of registrations; rows without them remain for the statistics. Seats are released, mails that
-- were not sent are discarded, pending sign-ups of these addresses and pii data in the audit log are deleted. Attendance,
-- loans and ratings stay, without texts and names of helpers. A certificate keeps its number and, if the attendee wanted
-- that and the retention period has passed (`purge`), its name.
-- With `purge`, people who have not returned a board are skipped.
-- Returns the number of people erased.
-- p_by: who releases the seat, attendee or organiser; purge if the retention period has passed.
create or replace function erase_people(p_ids uuid[], p_by text, p_now timestamptz) returns integer
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_id uuid;
  v_erased integer;
begin
  if p_by = 'purge' then
    -- Checked for each id, because a board may have been lent since they were selected.
    p_ids := array(
      select r.id from unnest(p_ids) as r (id)
      where (select 1 from loans l where l.registration_id = r.id and l.returned_at is null limit 1) is null
    );
  end if;

  for v_id in
    select r.id from registrations r
    join workshops w on w.id = r.workshop_id
    where r.id = any (p_ids) and r.status <> 'cancelled' and p_now < w.starts_at
    order by w.id, r.seq
  loop
    perform cancel_registration(v_id, p_by, p_now);
  end loop;

  -- A purge of an old registration keeps pending sign-ups: the person is signing up again.
  delete from pending_sign_ups h
  where p_by <> 'purge' and h.email_key in (select r.email_key from registrations r where r.id = any (p_ids));

  -- Locked in the order of ids, because purges may run concurrently with each other and with mail senders.
  perform 1 from registrations r where r.id = any (p_ids) order by r.id for no key update;
  perform 1 from mails m where m.registration_id = any (p_ids) order by m.id for no key update;

  update mails
  set state = case when state in ('pending', 'sending') then 'dead' else state end,
      reason = case when state in ('pending', 'sending') then 'person_erased' end,
      last_error = null, refusals = 0
  where registration_id = any (p_ids);

  perform 1 from audit_entries e
  where e.registration_id = any (p_ids) and e.pii is not null
  order by e.id for no key update;
  update audit_entries e set pii = null where e.registration_id = any (p_ids) and e.pii is not null;

  -- An erasure request also clears matching entries of the search log; purges clear those by age: see privacy.ts.
  if p_by <> 'purge' then
    update audit_entries e set pii = null
    where e.id in (
      select s.id from audit_entries s
      where s.registration_id is null and s.pii is not null and exists (
        select 1 from registrations r, jsonb_each_text(s.pii) entry
        where r.id = any (p_ids) and (
          -- A name of one letter would match every search.
          (length(r.name) > 1 and strpos(lower(entry.value), lower(r.name)) > 0)
          or (r.email <> '' and strpos(lower(entry.value), r.email_key) > 0)
          or strpos(entry.value, right(r.phone, 8)) > 0
        )
      )
      order by s.id for no key update
    );
  end if;

  update feedback set texts = '{}' where registration_id = any (p_ids) and texts <> '{}';
  update certificates set name = null
  where registration_id = any (p_ids) and name is not null and not (p_by = 'purge' and keep_name);
  perform 1 from check_ins i where i.registration_id = any (p_ids) order by i.id for no key update;
  update check_ins set by = '', undone_by = case when undone_by is not null then '' end, door_session_id = null
  where registration_id = any (p_ids);
  perform 1 from loans l where l.registration_id = any (p_ids) order by l.id for no key update;
  update loans set lent_by = '', returned_by = case when returned_by is not null then '' end
  where registration_id = any (p_ids);

  update registrations
  set name = '', name_search = null, email = '', email_key = id::text, phone = null, company = null, fingerprint = '',
      ready = '{}', attendance_confirmed_for = null, erased_at = p_now
  where id = any (p_ids) and erased_at is null;
  get diagnostics v_erased = row_count;
  return v_erased;
end
$$;
-- file erase_person.sql
-- revision 2
-- Erases one person on request, unless they have not returned a board: nobody could ask for it afterwards.
-- outcome: erased | board_not_returned | not_found (unknown or erased before).
create or replace function erase_person(p_id uuid, p_by text, p_now timestamptz) returns text
language plpgsql
set lock_timeout = '3s'
as $$
begin
  -- The workshop is locked first, as everywhere. Lending locks the registration, so loans are read after this lock.
  perform lock_registration_workshop(p_id);
  perform 1 from registrations r where r.id = p_id for no key update;

  if exists (select 1 from loans l where l.registration_id = p_id and l.returned_at is null) then
    return 'board_not_returned';
  elsif erase_people(array[p_id], p_by, p_now) = 0 then
    return 'not_found';
  else
    return 'erased';
  end if;
end
$$;
-- file expire_offers.sql
-- revision 1
-- Ends the offers whose deadline has passed and promotes the next in line. Returns the number of offers that ended.
-- Workshops are locked in the order of their ids and read after that, so that concurrent runs, or an acceptance at the last
-- moment, never give one seat to two people.
-- Sequential scans are disabled: without statistics a table would be read in full, several times a minute.
create or replace function expire_offers(p_now timestamptz) returns integer
language plpgsql
set enable_seqscan = off
set lock_timeout = '3s'
as $$
declare
  v_workshops uuid[];
  v_expired integer;
begin
  select array_agg(locked.id) into v_workshops
  from (
    select w.id
    from workshops w
    where w.id in (select r.workshop_id from registrations r where r.status = 'offered' and r.offered_until <= p_now)
    order by w.id
    for no key update
  ) locked;

  if v_workshops is null then
    return 0;
  end if;

  with expired as (
    update registrations
    set status = 'cancelled', cancelled_at = p_now, cancelled_by = 'deadline', offered_until = null
    where status = 'offered' and offered_until <= p_now and workshop_id = any (v_workshops)
    returning id, email
  ), mailed as (
    insert into mails (registration_id, kind, payload, created_at, due_at)
    select id, 'cancelled', '{"by": "deadline"}', p_now, p_now from expired where email <> ''
  )
  select count(*) into v_expired from expired;

  perform promote_waitlist(id, p_now) from unnest(v_workshops) id;
  return v_expired;
end
$$;
-- file lend_board.sql
-- revision 3
-- Lends a board to a confirmed registration. Unique indexes on loans decide who has a board and which board a person has.
-- The registration is locked first, as in erase_person, then the board, as in set_board_state.
-- p_id: nonce of the scan or tap; a repeated one returns the same outcome. One that was used for another board or person
--       returns not_found.
-- p_at: the phone's time, clamped to between twelve hours before the start and now, and not before the last return of the
--       board or by the person, so that loans of a board do not overlap.
-- outcome: lent | has_board (board: the one that the person has) | board_taken (holder: who has it) | unusable
--          | not_found (no such board, or no confirmed registration in this workshop).
create or replace function lend_board(
  p_id uuid, p_board uuid, p_registration uuid, p_workshop uuid, p_at timestamptz, p_by text, p_now timestamptz
) returns table (outcome text, board uuid, holder uuid, replayed boolean)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_starts_at timestamptz;
  v_state text;
  v_board uuid;
  v_holder uuid;
begin
  loop
    select w.starts_at into v_starts_at
    from registrations r join workshops w on w.id = r.workshop_id
    where r.id = p_registration and r.workshop_id = p_workshop and r.status = 'confirmed' and r.erased_at is null
    for share of r;
    select b.state into v_state from boards b where b.id = p_board for no key update;

    -- Read after the locks, so that concurrent requests with the same nonce are serialized.
    select l.board_id, l.registration_id into v_board, v_holder from loans l where l.id = p_id;
    if found and v_board = p_board and v_holder = p_registration then
      return query select 'lent', v_board, v_holder, true;
      return;
    elsif found or v_starts_at is null or v_state is null then
      return query select 'not_found', null::uuid, null::uuid, false;
      return;
    end if;

    if v_state = 'usable' then
      insert into loans (id, board_id, registration_id, workshop_id, lent_at, lent_by)
      select p_id, p_board, p_registration, p_workshop,
        greatest(
          least(p_at, p_now), least(v_starts_at - interval '12 hours', p_now),
          (select max(l.returned_at) from loans l where l.board_id = p_board),
          (select max(l.returned_at) from loans l where l.registration_id = p_registration)
        ),
        p_by
      on conflict do nothing;
      if found then
        return query select 'lent', p_board, p_registration, false;
        return;
      end if;
    end if;

    select l.board_id into v_board from loans l where l.registration_id = p_registration and l.returned_at is null;
    if found then
      return query select 'has_board', v_board, p_registration, false;
      return;
    end if;

    select l.registration_id into v_holder from loans l where l.board_id = p_board and l.returned_at is null;
    if found then
      return query select 'board_taken', p_board, v_holder, false;
      return;
    end if;

    if v_state <> 'usable' then
      return query select 'unusable', p_board, null::uuid, false;
      return;
    end if;
    -- The conflicting loan has ended meanwhile: try again.
  end loop;
end
$$;
-- file lock_registration_workshop.sql
-- revision 1
-- Locks the workshop of a registration and returns its current row; null if there is no such registration.
-- Checks again after the lock, because the registration may have been moved meanwhile.
create or replace function lock_registration_workshop(p_registration uuid) returns workshops
language plpgsql as $$
declare
  v_workshop workshops;
begin
  loop
    select w.* into v_workshop
    from workshops w
    where w.id = (select workshop_id from registrations where id = p_registration)
    for no key update;

    exit when v_workshop.id is null
      or exists (select 1 from registrations where id = p_registration and workshop_id = v_workshop.id);
  end loop;
  return v_workshop;
end
$$;
-- file mails_triggered_today.sql
-- revision 1
-- Returns the mails of the last 24 hours that were triggered by anonymous input of an address: signing up, looking up tickets,
-- moving and correcting, including pending sign-ups. Ten per address are allowed, so that nobody can flood a stranger's mailbox.
-- A table function with a fixed join order: see conflicting_registrations.sql.
create or replace function mails_triggered_today(p_email_key text, p_now timestamptz) returns table (id bigint)
language sql stable as $$
  select m.id
  from registrations r
  cross join lateral (
    select m.id from mails m
    where m.registration_id = r.id
      and m.created_at > p_now - interval '24 hours'
      and (m.kind in ('confirmed', 'waitlisted', 'found', 'moved') or m.payload ->> 'corrected' is not null)
    offset 0
  ) m
  where r.email_key = p_email_key
  union all
  select m.id
  from pending_sign_ups h
  cross join lateral (
    select m.id from mails m where m.pending_sign_up_id = h.id and m.created_at > p_now - interval '24 hours' offset 0
  ) m
  where h.email_key = p_email_key
$$;
--> statement-breakpoint
create or replace function count_mails_triggered_today(p_email_key text, p_now timestamptz) returns integer
language sql stable as $$
  select count(*)::integer from mails_triggered_today(p_email_key, p_now)
$$;
-- file merge_registration.sql
-- revision 2
-- Cancels a duplicate registration in favour of one that is kept. Two concurrent merges of the same pair in opposite
-- directions never cancel both: the workshops are locked in the order of their ids, and the kept one is read after that.
-- outcome: as cancel_registration, or kept_cancelled (the other one is cancelled, so this one stays).
create or replace function merge_registration(p_id uuid, p_kept uuid, p_now timestamptz)
returns table (outcome text)
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_workshops uuid[];
begin
  loop
    v_workshops := array(select r.workshop_id from registrations r where r.id in (p_id, p_kept) order by r.id);
    perform 1 from workshops w where w.id = any (v_workshops) order by w.id for no key update;
    -- Checks again after the locks: a registration may have been moved meanwhile.
    exit when v_workshops = array(select r.workshop_id from registrations r where r.id in (p_id, p_kept) order by r.id);
  end loop;

  if not exists (
    select 1 from registrations r
    where r.id = p_kept and r.id <> p_id and r.status in ('confirmed', 'waitlisted', 'offered')
  ) then
    return query select 'kept_cancelled';
  else
    return query select c.outcome from cancel_registration(p_id, 'organiser', p_now) c;
  end if;
end
$$;
-- file move_registration.sql
-- revision 5
-- Moves a registration to another workshop of its campaign: same id, same ticket, a new number there, and a seat if one is
-- free and nobody is waitlisted, else a place on the waitlist. The seat it leaves goes to the next in line. If it is refused
-- nothing changes.
-- outcome: confirmed | waitlisted | not_live (it is cancelled) | over (its workshop has started) | already_registered (for the
--          other one) | too_many (daily limit of mails) | full | not_open | closed | cancelled | not_found.
create or replace function move_registration(p_id uuid, p_to uuid, p_now timestamptz)
returns table (outcome text)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_from uuid;
  v_registration registrations;
  v_old workshops;
  v_new workshops;
  v_status text;
begin
  loop
    select r.workshop_id into v_from from registrations r where r.id = p_id;
    perform 1 from workshops w where w.id in (v_from, p_to) order by w.id for no key update;
    select r.* into v_registration from registrations r where r.id = p_id;
    -- Checks again after the locks: the registration may have been moved meanwhile.
    exit when v_registration.workshop_id is not distinct from v_from;
  end loop;
  select w.* into v_old from workshops w where w.id = v_from;
  select w.* into v_new from workshops w where w.id = p_to;

  v_status := case
    when v_new.waitlisted = 0 and v_new.taken < v_new.capacity then 'confirmed'
    when v_new.waitlist then 'waitlisted'
  end;

  if v_registration.id is null or v_new.id is null or v_new.campaign_id is distinct from v_old.campaign_id
    or v_new.campaign_id is null then
    return query select 'not_found';
  elsif v_registration.status = 'cancelled' then
    return query select 'not_live';
  elsif p_now >= v_old.starts_at then
    return query select 'over';
  elsif exists (
    select 1 from registrations r
    where r.email_key = v_registration.email_key and r.workshop_id = p_to
      and r.status in ('confirmed', 'waitlisted', 'offered')
  ) then
    return query select 'already_registered';
  elsif registration_refusal(v_new, p_now) is not null then
    return query select registration_refusal(v_new, p_now);
  elsif count_mails_triggered_today(v_registration.email_key, p_now) >= 10 then
    return query select 'too_many';
  elsif v_status is null then
    return query select 'full';
  else
    update registrations
    set workshop_id = p_to,
        seq = v_new.next_seq,
        status = v_status,
        placed_at = greatest(p_now, v_new.last_placed_at),
        moved_at = p_now,
        seated_at = case when v_status = 'confirmed' then p_now end,
        offered_until = null,
        -- That decision concerned the waitlist of the old workshop.
        promoted_manually = false,
        -- So did the place in the door queue.
        walk_in_at = null,
        calendar_sequence_offset = greatest(0, v_old.calendar_sequence - v_new.calendar_sequence) + calendar_sequence_offset + 1
    where id = p_id;

    -- Pending mails are about the old workshop or would repeat this one, except a broadcast to the campaign. So are mails whose
    -- content was refused: resume_broadcast would send them.
    update mails m set state = 'dead', reason = 'moved', refusals = 0
    where m.registration_id = p_id and (m.state = 'pending' or (m.state = 'dead' and m.refusals > 0)) and m.kind <> 'found'
      and not exists (select 1 from broadcasts x where x.id = m.broadcast_id and x.campaign_id is not null);

    insert into mails (registration_id, kind, payload, created_at, due_at)
    select p_id, 'moved', jsonb_build_object('from', v_old.id), p_now, p_now where v_registration.email <> '';

    perform promote_waitlist(v_old.id, p_now);
    return query select v_status;
  end if;
end
$$;
-- file promote_manually.sql
-- revision 1
-- Gives a waitlisted registration a seat before its turn, by decision of an organiser, and enqueues the mail. Sets
-- promoted_manually; who decided and why is in the audit log. If it is in the door queue it is checked in too.
-- p_add_seat: if no seat is free the capacity is raised by one.
-- outcome: promoted | full (with the numbers) | seated (it is confirmed or offered) | cancelled | over (the workshop has
--          ended) | not_found.
create or replace function promote_manually(p_id uuid, p_add_seat boolean, p_now timestamptz)
returns table (outcome text, taken integer, capacity integer)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_workshop workshops;
  v_registration registrations;
  v_full boolean;
begin
  v_workshop := lock_registration_workshop(p_id);
  v_full := v_workshop.taken >= v_workshop.capacity;

  -- Erasing locks the row too, so that nothing is stored about an erased person.
  select r.* into v_registration from registrations r where r.id = p_id and r.erased_at is null for no key update;

  if v_registration.id is null then
    return query select 'not_found', 0, 0;
  elsif v_registration.status = 'cancelled' then
    return query select 'cancelled', v_workshop.taken, v_workshop.capacity;
  elsif v_registration.status <> 'waitlisted' then
    return query select 'seated', v_workshop.taken, v_workshop.capacity;
  elsif p_now >= v_workshop.ends_at then
    return query select 'over', v_workshop.taken, v_workshop.capacity;
  elsif v_full and not (p_add_seat and v_workshop.capacity < 100000) then
    return query select 'full', v_workshop.taken, v_workshop.capacity;
  else
    if v_full then
      -- A trigger would offer the new seat to the first in line at the time updated_at; after the start it does not.
      update workshops set capacity = capacity + 1, updated_at = 'infinity' where id = v_workshop.id;
    end if;

    if v_registration.walk_in_at is not null then
      perform seat_and_check_in(array[p_id], null, '', p_now);
    else
      update registrations
      set status = 'confirmed', seated_at = p_now, promoted_manually = true
      where id = p_id;
      insert into mails (registration_id, kind, created_at, due_at)
      select p_id, 'promoted', p_now, p_now where v_registration.email <> '';
    end if;

    if v_full then
      update workshops set updated_at = p_now where id = v_workshop.id;
    end if;

    return query select 'promoted', w.taken, w.capacity from workshops w where w.id = v_workshop.id;
  end if;
end
$$;
-- file promote_waitlist.sql
-- revision 1
-- Gives the free seats of a workshop to the first in line and enqueues their mails: confirmed at once, or as an offer to be
-- accepted within the workshop's confirm_hours and before it starts.
-- A registration in the door queue is confirmed at once and checked in. One without an address is confirmed at once, without a
-- mail, because it could not be notified of an offer.
-- A published workshop promotes until it starts, also after registration closed by time; one that an organiser closed does
-- not until it is reopened.
-- Returns the number of registrations promoted. The caller holds the lock on the workshop.
create or replace function promote_waitlist(p_workshop uuid, p_now timestamptz) returns integer
language plpgsql as $$
declare
  v_workshop workshops;
  v_seats integer;
  v_until timestamptz;
  v_next uuid[];
begin
  select w.* into v_workshop
  from workshops w
  where w.id = p_workshop and w.state = 'published' and p_now < w.starts_at;

  v_seats := least(v_workshop.capacity - v_workshop.taken, v_workshop.waitlisted);
  if coalesce(v_seats, 0) = 0 then
    return 0;
  end if;

  if v_workshop.confirm_hours is not null then
    v_until := least(p_now + make_interval(hours => v_workshop.confirm_hours), v_workshop.starts_at);
  end if;

  v_next := array(
    select id from registrations
    where workshop_id = p_workshop and status = 'waitlisted'
    order by seq
    limit v_seats
  );
  with promoted as (
    update registrations
    set status = case when v_until is null or walk_in_at is not null or email = '' then 'confirmed' else 'offered' end,
        seated_at = case when v_until is null or walk_in_at is not null or email = '' then p_now end,
        offered_until = case when walk_in_at is null and email <> '' then v_until end
    where id = any (v_next)
    returning id, status, email, walk_in_at, new_check_in_id(registrations) as check_in
  ),
  checked_in as (
    insert into check_ins (id, registration_id, workshop_id, outcome, at, received_at, by)
    select check_in, id, p_workshop, 'in', p_now, p_now, '' from promoted where walk_in_at is not null
  )
  insert into mails (registration_id, kind, created_at, due_at)
  select id, case status when 'confirmed' then 'promoted' else 'offered' end, p_now, p_now
  from promoted where email <> '';

  return v_seats;
end
$$;
--> statement-breakpoint
-- More capacity, a later start or reopening: the waitlist is promoted in the same statement.
create or replace function promote_waitlist_of_changed_workshop() returns trigger
language plpgsql as $$
begin
  perform promote_waitlist(new.id, new.updated_at);
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger promote_waitlist_on_change after update of capacity, state, starts_at on workshops
  for each row when (new.waitlisted > 0 and new.taken < new.capacity)
  execute function promote_waitlist_of_changed_workshop();
-- file record_outcomes.sql
-- revision 3
-- Records the outcomes of delivery attempts, and pauses what the server refuses for its content. Outcomes of mails that
-- another sender has claimed since are ignored.
--
-- p_outcomes: [{ id, attempt, state, sent_at, due_at, reason, last_error, deferred_since, refused_at }] in the order in which
-- the attempts ended, as built by domain/mails/outbox.ts. refused_at: claim time of a mail whose content was refused; the
-- mail is `pending`, as every mail that is retried, or `dead` after 24 hours.
--
-- Consecutive refusals are counted per broadcast, and together for all other mails. A mail counts once per streak, and in two
-- streaks at most: otherwise five mails that are always refused would pause delivery every hour. Five refusals pause the
-- broadcast, or delivery as a whole, and those five are due at once. An accepted mail ends the streak.
--
-- While delivery is paused, claim_mails returns one mail at a time (a probe). After a refusal the next probe follows 30 s, 1, 2,
-- 4 and then every 5 minutes later; after an accepted mail at once. The pause ends after five accepted in a row, or one after
-- which no other is due: a server that accepts one attempt in six would otherwise refuse most mails at full speed.
-- The 24 hours of the refused mails do not run until the first mail is accepted.
--
-- Returns what was recorded of each mail. pause: null | paused | kept | resumed; of its broadcast if of_broadcast.
--
-- Locks: content_refusals, then mails by id, as in resume_broadcast; claim_mails skips locked mails.
create or replace function record_outcomes(p_outcomes jsonb, p_now timestamptz)
returns table (mail_id bigint, recorded text, pause text, of_broadcast boolean)
language plpgsql as $$
declare
  v_ids bigint[] := array(select (o ->> 'id')::bigint from jsonb_array_elements(p_outcomes) o);
  v_any_refused boolean := exists (select 1 from jsonb_array_elements(p_outcomes) o where o ->> 'refused_at' is not null);
  v_broadcasts uuid[];
  v_has_other_mails boolean;
  v_streak_ids integer[] := '{}';
  v_outcome record;
  v_streak content_refusals;
  v_delivery content_refusals;
begin
  -- The streaks that these outcomes may change. Usually there are none, and this check is the only cost.
  if v_any_refused or exists (select 1 from content_refusals c where c.refused_mails <> '{}' or c.paused_at is not null) then
    select array_agg(distinct m.broadcast_id) filter (where m.broadcast_id is not null), bool_or(m.broadcast_id is null)
    into v_broadcasts, v_has_other_mails
    from mails m
    where m.id = any (v_ids);
    if v_any_refused then
      insert into content_refusals (broadcast_id)
      select unnest(v_broadcasts) union all select null::uuid where v_has_other_mails
      order by 1
      on conflict do nothing;
    end if;
    v_streak_ids := array(
      select c.id from content_refusals c
      where c.broadcast_id = any (v_broadcasts) or (c.broadcast_id is null and v_has_other_mails) or c.probed_mail = any (v_ids)
      order by c.id
      for no key update
    );
  end if;
  perform 1 from mails m
  where m.id = any (
    v_ids || array(select unnest(c.refused_mails) from content_refusals c where c.id = any (v_streak_ids))
  )
  order by m.id
  for no key update;

  for v_outcome in
    with outcomes as (
      select *, deferred_since is not null and reason is null and last_error is null as unchanged from rows from (
        jsonb_to_recordset(p_outcomes) as (
          id bigint, attempt integer, state text, sent_at timestamptz, due_at timestamptz, reason text, last_error text,
          deferred_since timestamptz, refused_at timestamptz
        )
      ) with ordinality as o(id, attempt, state, sent_at, due_at, reason, last_error, deferred_since, refused_at, n)
    ),
    -- The 24 hours do not run from the claim of a deferred mail to its next claim; if that claim was the first, they have not
    -- begun. A mail that cannot have been delivered gets a new Date.
    stored as (
      update mails m
      set state = outcomes.state, leased_until = null,
        sent_at = coalesce(outcomes.sent_at, m.sent_at),
        due_at = coalesce(outcomes.due_at, m.due_at),
        reason = case when outcomes.unchanged then m.reason else outcomes.reason end,
        last_error = case when outcomes.unchanged then m.last_error else outcomes.last_error end,
        first_tried_at = case when outcomes.deferred_since is null then m.first_tried_at
          else nullif(m.first_tried_at, outcomes.deferred_since) + (outcomes.due_at - outcomes.deferred_since) end,
        message_date = nullif(m.message_date, coalesce(outcomes.deferred_since, outcomes.refused_at))
      from outcomes
      where m.id = any (v_ids) and m.id = outcomes.id and m.attempt = outcomes.attempt and m.state = 'sending'
      returning m.id, m.broadcast_id, m.refusals, outcomes.n, outcomes.state, outcomes.last_error, outcomes.refused_at is not null as refused
    )
    select * from stored order by n
  loop
    mail_id := v_outcome.id;
    recorded := v_outcome.state;
    pause := null;
    of_broadcast := false;
    if cardinality(v_streak_ids) > 0 then
      select * into v_streak from content_refusals c
      where c.id = any (v_streak_ids) and c.broadcast_id is not distinct from v_outcome.broadcast_id;
      select * into v_delivery from content_refusals c
      where c.id = any (v_streak_ids) and c.broadcast_id is null and c.paused_at is not null and c.probed_mail = v_outcome.id;

      if v_outcome.state = 'sent' then
        if v_streak.broadcast_id is not null or v_streak.paused_at is null then
          update content_refusals c set refused_mails = '{}', last_error = null, paused_at = null where c.id = v_streak.id;
          if v_streak.paused_at is not null then
            pause := 'resumed';
            of_broadcast := true;
          end if;
        end if;
        -- While delivery is paused only the probed mail counts, also if it belongs to a broadcast.
        if v_delivery.accepted >= 4 or (v_delivery.id is not null and not exists (
          select 1 from mails m
          where m.state in ('pending', 'sending') and m.due_at <= p_now and (m.broadcast_id is null or m.broadcast_id <> all (
            array(select c.broadcast_id from content_refusals c where c.broadcast_id is not null and c.paused_at is not null)
          ))
        )) then
          update content_refusals c
          set refused_mails = '{}', last_error = null, paused_at = null, probe_at = null, probes = 0, probed_mail = null,
            accepted = 0
          where c.id = v_delivery.id;
          pause := 'resumed';
          of_broadcast := false;
        elsif v_delivery.id is not null then
          update content_refusals c
          set refused_mails = '{}', accepted = c.accepted + 1, probe_at = p_now, probes = 0
          where c.id = v_delivery.id;
        end if;

      elsif v_outcome.refused and (v_delivery.id is not null or v_streak.paused_at is not null) then
        pause := 'kept';
        of_broadcast := v_delivery.id is null and v_streak.broadcast_id is not null;
        update mails m
        set due_at = p_now,
          first_tried_at = case when not of_broadcast and coalesce(v_delivery.refused_mails, v_streak.refused_mails) = '{}'
            then m.first_tried_at end
        where m.id = v_outcome.id and m.state = 'pending';
        update content_refusals c
        set last_error = v_outcome.last_error, accepted = 0, probes = c.probes + 1,
          probe_at = p_now + least(interval '30 seconds' * 2 ^ least(c.probes, 4), interval '5 minutes')
        where c.id = v_delivery.id;

      elsif v_outcome.refused then
        update mails m set refusals = m.refusals + 1 where m.id = v_outcome.id;
        if v_outcome.refusals < 2 and not v_outcome.id = any (v_streak.refused_mails) then
          v_streak.refused_mails := v_streak.refused_mails || v_outcome.id;
          if cardinality(v_streak.refused_mails) >= 5 then
            pause := 'paused';
            of_broadcast := v_streak.broadcast_id is not null;
            v_streak.paused_at := p_now;
            update mails m set due_at = p_now where m.id = any (v_streak.refused_mails) and m.state = 'pending';
            if not of_broadcast then
              v_streak.probe_at := p_now + interval '30 seconds';
              -- The pause does not count towards the 24 hours.
              update mails m set first_tried_at = null
              where m.id in (
                select queued.id from mails queued
                where queued.state = 'pending' and queued.first_tried_at is not null
                for no key update skip locked
              );
            end if;
          end if;
          update content_refusals c
          set refused_mails = v_streak.refused_mails, last_error = v_outcome.last_error, paused_at = v_streak.paused_at,
            probe_at = v_streak.probe_at, probes = 1, probed_mail = null, accepted = 0
          where c.id = v_streak.id;
        end if;

      elsif v_delivery.id is not null then
        -- Not about content: the next probe is due at once.
        update content_refusals c set probe_at = p_now where c.id = v_delivery.id;
      end if;
    end if;
    return next;
  end loop;
end
$$;
-- file register.sql
-- revision 3
-- Registers a batch of sign-ups, for any mix of workshops: decides who gets a seat, who is waitlisted, who is refused and why.
-- Entries are decided independently, so that a bad one never fails the others; one row is returned per entry.
--
-- p_entries: [{ n, id, workshop_id, name, email, email_key, phone, company, locale, via, ready, consent_version,
--               source, idempotency_key, fingerprint }] in the order of arrival, n = 0, 1, 2 …
-- outcome:   registered | replayed | already_registered | idempotency_mismatch | full | not_open | closed | cancelled
--            | too_many (daily limit of mails to this address) | not_found; place is the position on the waitlist, from 1.
--            `deferred`: the outcome depends on an earlier entry of the same person or key in this batch; submit it again. The
--            first entry of a person is always decided.
--
-- Campaigns with one seat per person are locked first, then workshops, each in the order of their ids; what the locks protect
-- is read after that.
--
-- Without statistics the planner chooses plans that slow down with every stored row. The settings and the lateral look-ups
-- with a limit leave it one plan: an index look-up per entry. Entries are compared by window functions only: a join of them
-- grows with the square of the batch.
create or replace function register(p_entries jsonb, p_now timestamptz)
returns table (n integer, outcome text, id uuid, ticket_version integer, status text, place integer)
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set jit = off
set lock_timeout = '1s'
as $$
#variable_conflict use_column
declare
  v_workshops uuid[] := array(select distinct (e ->> 'workshop_id')::uuid from jsonb_array_elements(p_entries) e);
begin
  perform 1
  from campaigns c
  where c.one_seat_per_person
    and c.id in (select w.campaign_id from workshops w where w.id = any (v_workshops))
  order by c.id
  for no key update;

  perform 1 from workshops w where w.id = any (v_workshops) order by w.id for no key update;

  return query
  with input as (
    select e.*,
           w.waitlist, w.next_seq, w.last_placed_at, w.waitlisted,
           -- While anyone is waitlisted, new registrations get no seat.
           case when w.waitlisted = 0 then w.capacity - w.taken else 0 end as free,
           existing.id as existing_id, active.id as active_id,
           coalesce(c.id, e.workshop_id) as scope_id,
           case
             when existing.fingerprint = e.fingerprint then 'replayed'
             when existing.id is not null then 'idempotency_mismatch'
             when w.id is null then 'not_found'
             when registration_refusal(w, p_now) is not null then registration_refusal(w, p_now)
             when active.id is not null then 'already_registered'
             when mail_quota.limit_reached is not null then 'too_many'
             when not w.waitlist and (w.waitlisted > 0 or w.taken >= w.capacity) then 'full'
           end as stored_outcome
    from jsonb_to_recordset(p_entries) as e (
      n integer, id uuid, workshop_id uuid, name text, email text, email_key text, phone text, company text,
      locale text, via text, ready jsonb, consent_version text, source text, idempotency_key text,
      fingerprint text
    )
    left join workshops w on w.id = e.workshop_id
    left join campaigns c on c.id = w.campaign_id and c.one_seat_per_person
    left join lateral (
      select r.id, r.fingerprint from registrations r
      where r.idempotency_key = e.idempotency_key and r.first_workshop_id = e.workshop_id
      limit 1
    ) existing on true
    left join lateral (select conflict.id from conflicting_registrations(e.email_key, w.id, c.id) conflict limit 1) active on true
    left join lateral (
      select m.id as limit_reached from mails_triggered_today(e.email_key, p_now) m offset 9 limit 1
    ) mail_quota on true
  ),
  -- An earlier entry of the same person or key that no stored row refuses may change the outcome.
  batch_rank as (
    select a.*,
           a.stored_outcome is null and count(*) filter (where a.stored_outcome is null) over person = 0
             and count(*) filter (where a.stored_outcome is null) over key = 0 as is_first,
           (a.stored_outcome is null or a.stored_outcome = 'full') and count(*) filter (where a.stored_outcome is null) over person > 0
             or a.stored_outcome is null and count(*) filter (where a.stored_outcome is null) over key > 0 as is_deferred
    from input a
    window
      person as (partition by a.scope_id, a.email_key order by a.n rows between unbounded preceding and 1 preceding),
      key as (partition by a.workshop_id, a.idempotency_key order by a.n rows between unbounded preceding and 1 preceding)
  ),
  ranked as (
    select f.*, count(*) filter (where f.is_first) over (partition by f.workshop_id order by f.n) as rank
    from batch_rank f
  ),
  decided as materialized (
    select r.*,
           case
             when not r.is_first then null
             when r.rank <= r.free then 'confirmed'
             when r.waitlist then 'waitlisted'
           end as status
    from ranked r
  ),
  inserted as (
    insert into registrations (
      id, workshop_id, seq, status, first_status, name, email, email_key, phone, company, locale, link_code, ready,
      consent_version, consent_at, source, idempotency_key, first_workshop_id, fingerprint, created_at, placed_at, seated_at
    )
    select j.id, j.workshop_id, j.next_seq + j.rank - 1, j.status, j.status, j.name, j.email, j.email_key, j.phone,
           j.company, j.locale, link.code, coalesce(j.ready, '{}'), j.consent_version, p_now, j.source, j.idempotency_key,
           j.workshop_id, j.fingerprint, p_now,
           -- Clocks of servers differ; placed_at never decreases within a workshop.
           greatest(p_now, j.last_placed_at),
           case when j.status = 'confirmed' then p_now end
    from decided j
    left join registration_links link on link.code = j.via
    where j.status is not null
    order by j.n
  ),
  enqueued as (
    insert into mails (registration_id, kind, created_at, due_at)
    select j.id, j.status, p_now, p_now from decided j where j.status is not null
    union all
    -- Already registered: the ticket is mailed to the address on file; the response reveals nothing.
    (
      select distinct on (j.email_key) j.active_id, 'found', p_now, p_now
      from decided j
      where j.stored_outcome = 'already_registered' and can_mail_ticket(j.email_key, p_now)
      order by j.email_key, j.n
    )
  )
  select j.n,
         case
           when j.is_deferred then 'deferred'
           when j.stored_outcome is not null then j.stored_outcome
           when j.status is null then 'full'
           else 'registered'
         end,
         coalesce(existing.id, j.id),
         coalesce(existing.ticket_version, 1),
         -- A retry returns the current status; for a registration cancelled since, the original one.
         coalesce(case when existing.status = 'cancelled' then existing.first_status else existing.status end, j.status),
         case
           when existing.status = 'waitlisted' then (
             select count(*)::integer from registrations ahead
             where ahead.workshop_id = existing.workshop_id and ahead.status = 'waitlisted' and ahead.seq <= existing.seq
           )
           when j.status = 'waitlisted' then (j.waitlisted + j.rank - j.free)::integer
         end
  from decided j
  left join registrations existing on existing.id = j.existing_id and j.stored_outcome = 'replayed'
  order by j.n;
end
$$;
-- file register_walk_in.sql
-- revision 1
-- Registers a walk-in: with a free seat they are checked in, otherwise they join the door queue if the workshop has a grace
-- period. Walk-ins have no e-mail address and get no mail.
-- p_nonce: made by the phone, also the id of the check-in; a repeated one returns the same outcome. One that was used for
--          something else, or for another name or number, returns not_found.
-- outcome: in | standing (place: position in the door queue, from 1) | full | cancelled (the workshop is) | not_found.
--          id is the registration.
-- Before the start a free seat is for the waitlist; after it, for the door queue.
create or replace function register_walk_in(
  p_id uuid, p_nonce uuid, p_workshop uuid, p_name text, p_phone text, p_locale text, p_consent_version text,
  p_at timestamptz, p_session uuid, p_by text, p_now timestamptz
) returns table (outcome text, id uuid, place integer)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_workshop workshops;
  v_registration registrations;
  v_fingerprint text := md5(concat_ws(E'\n', p_name, p_phone));
  v_at timestamptz;
  v_seat boolean;
begin
  select w.* into v_workshop from workshops w where w.id = p_workshop for no key update;
  v_at := least(greatest(p_at, v_workshop.starts_at - interval '12 hours'), p_now);

  select r.* into v_registration from registrations r where r.idempotency_key = p_nonce::text and r.first_workshop_id = p_workshop;
  if v_registration.source = 'walk_in' and v_registration.fingerprint in ('', v_fingerprint) then
    return query select case when v_registration.status = 'waitlisted' then 'standing' else 'in' end, v_registration.id,
                        door_queue_position(v_registration);
    return;
  elsif v_registration.id is not null or v_workshop.id is null or v_workshop.published_at is null
    or exists (select 1 from check_ins c where c.id = p_nonce)
    or exists (select 1 from registrations r where r.id = p_id) then
    return query select 'not_found', null::uuid, null::integer;
    return;
  elsif v_workshop.state = 'cancelled' then
    return query select 'cancelled', null::uuid, null::integer;
    return;
  end if;

  v_seat := v_workshop.taken < v_workshop.capacity and case
    when p_now < v_workshop.starts_at then v_workshop.waitlisted = 0
    else not exists (
      select 1 from registrations r
      where r.workshop_id = p_workshop and r.status = 'waitlisted' and r.walk_in_at is not null
    )
  end;
  if not v_seat and v_workshop.grace_minutes is null then
    return query select 'full', null::uuid, null::integer;
    return;
  end if;

  insert into registrations (
    id, workshop_id, seq, status, first_status, name, email, email_key, phone, locale, consent_version, consent_at,
    source, idempotency_key, first_workshop_id, fingerprint, promoted_manually, walk_in_at, created_at, placed_at, seated_at
  ) values (
    p_id, p_workshop, v_workshop.next_seq, case when v_seat then 'confirmed' else 'waitlisted' end,
    case when v_seat then 'confirmed' else 'waitlisted' end, p_name, '', p_id::text, p_phone, p_locale, p_consent_version,
    p_now, 'walk_in', p_nonce::text, p_workshop, v_fingerprint, true, v_at, p_now, greatest(p_now, v_workshop.last_placed_at),
    case when v_seat then p_now end
  ) returning * into v_registration;

  insert into check_ins (id, registration_id, workshop_id, outcome, at, received_at, door_session_id, by)
  select p_nonce, p_id, p_workshop, 'in', v_at, p_now, p_session, p_by where v_seat;

  return query select case when v_seat then 'in' else 'standing' end, p_id, door_queue_position(v_registration);
end
$$;
--> statement-breakpoint
-- Returns the position of a registration in its workshop's door queue, from 1; null if it is not in the queue.
create or replace function door_queue_position(r registrations) returns integer
language sql stable as $$
  select case when r.status = 'waitlisted' and r.walk_in_at is not null then (
    select count(*)::integer from registrations ahead
    where ahead.workshop_id = r.workshop_id and ahead.status = 'waitlisted' and ahead.walk_in_at is not null
      and (ahead.walk_in_at, ahead.seq) <= (r.walk_in_at, r.seq)
  ) end
$$;
-- file registration_refusal.sql
-- revision 1
-- Returns why a workshop accepts no new registrations at a moment; null if it does, with a seat or on the waitlist.
create or replace function registration_refusal(w workshops, p_now timestamptz) returns text
language sql immutable as $$
  select case
    when w.state = 'draft' or w.published_at is null then 'not_found'
    when w.state = 'cancelled' then 'cancelled'
    when w.state = 'closed' or p_now >= w.closes_at or p_now >= w.starts_at then 'closed'
    when p_now < w.opens_at then 'not_open'
  end
$$;
-- file registrations_page.sql
-- revision 1
-- Returns a page of a workshop's registrations after a sequence number, in the order of sign-up.
-- Reads the index that has this order. Without statistics the planner would fetch all later rows and sort them, for each page;
-- the settings prevent that.
create or replace function registrations_page(p_workshop uuid, p_status text, p_after integer, p_limit integer)
returns setof registrations
language sql stable
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
  select *
  from registrations
  where workshop_id = p_workshop and seq > p_after and (p_status is null or status = p_status)
  order by seq
  limit p_limit
$$;
-- file required_items.sql
-- revision 1
-- Returns the checklist items that the attendees of a workshop have to confirm, in the form of complete answers:
-- {"<item id>": true, …}. A workshop without items of its own has those of its campaign.
create or replace function required_items(p_workshop uuid, p_campaign uuid) returns jsonb
language sql stable as $$
  select coalesce(jsonb_object_agg(i.id, true), '{}')
  from checklist_items i
  where i.must_confirm and (
    i.workshop_id = p_workshop
    or (i.campaign_id = p_campaign and not exists (select 1 from checklist_items own where own.workshop_id = p_workshop))
  )
$$;
-- file resume_broadcast.sql
-- revision 1
-- Ends the pause of a broadcast. Its pending mails, and those that failed because their content was refused, become due
-- p_interval_seconds apart, so that tickets are sent in between. Mails that were sent or failed for another reason stay.
-- Returns the number of mails now pending; 0 if nothing was paused or refused.
create or replace function resume_broadcast(p_broadcast uuid, p_interval_seconds double precision, p_now timestamptz) returns integer
language plpgsql as $$
declare
  v_was_paused boolean;
  v_ids bigint[];
begin
  select c.paused_at is not null into v_was_paused from content_refusals c where c.broadcast_id = p_broadcast for no key update;
  update content_refusals c
  set refused_mails = '{}', last_error = null, paused_at = null
  where c.broadcast_id = p_broadcast;

  v_ids := array(
    select m.id from mails m
    where m.broadcast_id = p_broadcast
      and ((m.state = 'pending' and v_was_paused) or (m.state = 'dead' and m.refusals > 0))
    order by m.id
    for no key update
  );
  update mails m
  set state = 'pending', reason = null, last_error = null, refusals = 0, first_tried_at = null,
    due_at = p_now + p_interval_seconds * interval '1 second' * (ordinal.n - 1)
  from unnest(v_ids) with ordinality as ordinal(id, n)
  where m.id = ordinal.id;
  return cardinality(v_ids);
end
$$;
-- file return_board.sql
-- revision 3
-- Records the return of a lent board, by anyone.
-- p_id: nonce of the scan or tap; a repeated one returns the same outcome. One that was used for another board returns
--       not_found.
-- p_at: the phone's time, clamped as in lend_board. A loan that began after it is not ended: a phone that was offline may
--       report late that a board was returned which has been lent again since. Clocks may differ by one minute.
-- p_state: broken or retired takes the board out of use and out of its allocation; null leaves it usable.
-- p_note: what is wrong or missing; null keeps the note.
-- outcome: returned | not_lent | not_found (no such board, or the nonce of another).
create or replace function return_board(
  p_id uuid, p_board uuid, p_at timestamptz, p_by text, p_state text, p_note text, p_now timestamptz
) returns table (outcome text, registration uuid, workshop uuid, replayed boolean)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_registration uuid;
  v_workshop uuid;
  v_board uuid;
begin
  -- Locked before anything is read, so that concurrent requests with the same nonce are serialized.
  perform 1 from boards b where b.id = p_board for no key update;
  if not found then
    return query select 'not_found', null::uuid, null::uuid, false;
    return;
  end if;

  select l.registration_id, l.workshop_id, l.board_id into v_registration, v_workshop, v_board
  from loans l where l.return_id = p_id;
  if v_board = p_board then
    return query select 'returned', v_registration, v_workshop, true;
    return;
  elsif v_board is not null then
    return query select 'not_found', null::uuid, null::uuid, false;
    return;
  end if;

  update loans l
  set returned_at = greatest(least(p_at, p_now), l.lent_at), returned_by = p_by, return_id = p_id
  where l.board_id = p_board and l.returned_at is null and l.lent_at <= interval '1 minute' + greatest(
    p_at, (select w.starts_at - interval '12 hours' from workshops w where w.id = l.workshop_id)
  )
  returning l.registration_id, l.workshop_id into v_registration, v_workshop;
  if not found then
    return query select 'not_lent', null::uuid, null::uuid, false;
    return;
  end if;

  update boards b
  set state = coalesce(p_state, b.state), note = coalesce(p_note, b.note),
      allocated_to = case when p_state is null then b.allocated_to end, updated_at = p_now
  where b.id = p_board and (p_state in ('broken', 'retired') or p_note is not null);

  return query select 'returned', v_registration, v_workshop, false;
end
$$;
-- file seat_door_queue.sql
-- revision 1
-- After the start of a workshop: gives every available seat, and after its grace period those of no-shows, to its door queue in
-- the order of arrival, and checks these people in. Returns them.
-- Before the start seats go in the order of the waitlist: see promote_waitlist.sql.
create or replace function seat_door_queue(p_workshop uuid, p_session uuid, p_by text, p_now timestamptz)
returns table (id uuid, name text)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_workshop workshops;
  v_next registrations;
begin
  select w.* into v_workshop from workshops w where w.id = p_workshop for no key update;
  if v_workshop.state is distinct from 'cancelled' and p_now >= v_workshop.starts_at then
    loop
      select r.* into v_next
      from registrations r
      where r.workshop_id = p_workshop and r.status = 'waitlisted' and r.walk_in_at is not null
      order by r.walk_in_at, r.seq
      limit 1;
      exit when v_next.id is null or not ensure_free_seat(p_workshop, p_now);
      perform seat_and_check_in(array[v_next.id], p_session, p_by, p_now);
      return query select v_next.id, v_next.name;
    end loop;
  end if;
end
$$;
--> statement-breakpoint
-- Confirms registrations of the door queue, checks them in and enqueues the mail for those with an address.
-- The caller holds the lock on the workshop.
create or replace function seat_and_check_in(p_ids uuid[], p_session uuid, p_by text, p_now timestamptz) returns void
language plpgsql as $$
begin
  update registrations set status = 'confirmed', seated_at = p_now, promoted_manually = true where id = any (p_ids);

  insert into check_ins (id, registration_id, workshop_id, outcome, at, received_at, door_session_id, by)
  select new_check_in_id(r), r.id, r.workshop_id, 'in', p_now, p_now, p_session, p_by
  from registrations r where r.id = any (p_ids);

  insert into mails (registration_id, kind, created_at, due_at)
  select r.id, 'promoted', p_now, p_now from registrations r where r.id = any (p_ids) and r.email <> '';
end
$$;
--> statement-breakpoint
-- Returns the id for a check-in from the door queue: a walk-in's nonce if it is unused, because the phone undoes the check-in
-- by it.
create or replace function new_check_in_id(r registrations) returns uuid
language sql volatile as $$
  select case
    when r.source is not distinct from 'walk_in' and not exists (select 1 from check_ins c where c.id = r.idempotency_key::uuid)
      then r.idempotency_key::uuid
    else gen_random_uuid()
  end
$$;
-- file set_board_state.sql
-- revision 2
-- Sets the state of a board, usable, broken or retired, with a note. A lent board has to be returned before it is taken out of
-- use. A board out of use is not allocated.
-- outcome: changed | lent | not_found.
create or replace function set_board_state(
  p_board uuid, p_state text, p_note text, p_now timestamptz
) returns text
language plpgsql
set lock_timeout = '3s'
as $$
begin
  -- Lending locks the board too: loans are read after this lock.
  perform 1 from boards b where b.id = p_board for no key update;
  if not found then
    return 'not_found';
  elsif p_state <> 'usable' and exists (select 1 from loans l where l.board_id = p_board and l.returned_at is null) then
    return 'lent';
  else
    update boards b
    set state = p_state, note = p_note, updated_at = p_now,
        allocated_to = case when p_state = 'usable' then b.allocated_to end
    where b.id = p_board;
    return 'changed';
  end if;
end
$$;
-- file set_items.sql
-- revision 2
-- Replaces the checklist of a campaign or of a workshop; the other of the two is null. An item whose id the checklist
-- contained keeps it, and with it the attendees' answers; any other gets its new_id.
create or replace function set_items(p_campaign uuid, p_workshop uuid, p_items jsonb) returns void
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_existing_ids uuid[];
begin
  -- Concurrent changes would conflict on positions, also where there is no row to lock yet. Sign-ups only read this table and
  -- do not wait for this lock.
  lock table checklist_items in share row exclusive mode;

  with deleted as (
    delete from checklist_items where campaign_id = p_campaign or workshop_id = p_workshop returning id
  )
  select array_agg(id) into v_existing_ids from deleted;

  insert into checklist_items (id, campaign_id, workshop_id, position, kind, text, url, must_confirm)
  select case when item.id = any (v_existing_ids) then item.id else item.new_id end,
         p_campaign, p_workshop, item.ordinal - 1, item.kind, item.item_text, item.url, item.must_confirm
  from rows from (
    jsonb_to_recordset(p_items) as (id uuid, new_id uuid, kind text, text jsonb, url text, "mustConfirm" boolean)
  ) with ordinality as item (id, new_id, kind, item_text, url, must_confirm, ordinal);
end
$$;
-- file undo_check_in.sql
-- revision 3
-- Undoes check-ins. Entries are processed independently, in their order; one row is returned per entry.
--
-- p_entries: [{ n, check_in, at }], n = 0, 1, 2 …; at is the phone's time.
-- outcome:   undone | not_in (somebody else had undone it) | not_found. If another door has checked the person in too, that
--            check-in remains: id, at and by are those of it.
--
-- Other check-ins of the person by the same door are undone too: a scanner may read a code twice. A walk-in who was registered
-- by this very check-in is cancelled, and the seat goes to the next in line; one who got no seat has no check-in, which an
-- offline phone cannot know, and leaves the door queue.
create or replace function undo_check_in(p_workshop uuid, p_entries jsonb, p_by text, p_now timestamptz)
returns table (n integer, outcome text, id uuid, at timestamptz, by text)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_entry record;
  v_check_in check_ins;
  v_first check_ins;
  v_outcome text;
begin
  perform 1 from workshops w where w.id = p_workshop for no key update;

  for v_entry in
    select e.* from jsonb_to_recordset(p_entries) as e (n integer, check_in uuid, at timestamptz) order by e.n
  loop
    select c.* into v_check_in from check_ins c where c.id = v_entry.check_in and c.workshop_id = p_workshop;

    if v_check_in.id is null then
      update registrations r
      set status = 'cancelled', cancelled_at = p_now, cancelled_by = 'organiser'
      where r.idempotency_key = v_entry.check_in::text and r.first_workshop_id = p_workshop
        and r.workshop_id = p_workshop and r.source = 'walk_in' and r.status = 'waitlisted' and r.email = '';
      v_outcome := case when exists (
        select 1 from registrations r
        where r.idempotency_key = v_entry.check_in::text and r.first_workshop_id = p_workshop
          and r.source = 'walk_in' and r.status = 'cancelled' and r.email = ''
      ) then 'undone' else 'not_found' end;
    elsif v_check_in.outcome = 'undone' then
      v_outcome := case when v_check_in.undone_by = p_by then 'undone' else 'not_in' end;
    else
      v_outcome := 'undone';
      update check_ins c
      set outcome = 'undone', undone_at = greatest(c.at, least(v_entry.at, p_now)), undone_by = p_by
      where c.registration_id = v_check_in.registration_id and c.outcome <> 'undone'
        and (c.id = v_check_in.id or c.door_session_id is not distinct from v_check_in.door_session_id);

      update check_ins c set outcome = 'in'
      where c.id = (
        select other.id from check_ins other
        where other.registration_id = v_check_in.registration_id and other.outcome = 'again'
          and not exists (
            select 1 from check_ins active
            where active.registration_id = v_check_in.registration_id and active.outcome = 'in'
          )
        order by other.at, other.id
        limit 1
      );
    end if;

    select c.* into v_first
    from check_ins c
    where c.registration_id = v_check_in.registration_id and c.outcome = 'in';

    if v_outcome = 'undone' and v_first.id is null then
      update registrations r
      set status = 'cancelled', cancelled_at = p_now, cancelled_by = 'organiser'
      where r.id = v_check_in.registration_id and r.status = 'confirmed' and r.walk_in_at is not null
        and r.idempotency_key = v_check_in.id::text and r.email = '';
      if found then
        perform promote_waitlist(p_workshop, p_now);
      end if;
    end if;

    return query select v_entry.n, v_outcome, v_first.id, v_first.at, v_first."by";
  end loop;
end
$$;
-- file update_door_queue.sql
-- revision 1
-- Adds a waitlisted registration to the door queue (p_waiting) or removes it. A walk-in, who has no e-mail address, is
-- cancelled when removed.
-- p_at: the phone's time, clamped to 12 hours before the start … p_now.
-- outcome: standing (place: position in the door queue) | left (also if it was not queued)
--          | not_waiting (confirmed, offered or cancelled) | not_found.
create or replace function update_door_queue(p_workshop uuid, p_id uuid, p_waiting boolean, p_at timestamptz, p_now timestamptz)
returns table (outcome text, place integer)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_workshop workshops;
  v_registration registrations;
begin
  select w.* into v_workshop from workshops w where w.id = p_workshop for no key update;
  select r.* into v_registration from registrations r where r.id = p_id and r.workshop_id = p_workshop and r.erased_at is null;

  if v_registration.id is null then
    return query select 'not_found', null::integer;
  elsif not p_waiting and v_registration.status = 'cancelled' and v_registration.email = '' then
    return query select 'left', null::integer;
  elsif v_registration.status <> 'waitlisted' then
    return query select 'not_waiting', null::integer;
  elsif p_waiting then
    update registrations r
    set walk_in_at = coalesce(r.walk_in_at, least(greatest(p_at, v_workshop.starts_at - interval '12 hours'), p_now))
    where r.id = p_id
    returning * into v_registration;
    return query select 'standing', door_queue_position(v_registration);
  elsif v_registration.email = '' then
    update registrations set status = 'cancelled', cancelled_at = p_now, cancelled_by = 'attendee' where id = p_id;
    return query select 'left', null::integer;
  else
    update registrations set walk_in_at = null where id = p_id;
    return query select 'left', null::integer;
  end if;
end
$$;
