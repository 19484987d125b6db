-- The SQL functions of the first release (commit 82cc2b8), each as its file was. Never edited: see first-release.ts.
-- file cancel_registration.sql
-- revision 1
-- Cancels a registration, owes its mail and gives the freed seat to the next in line.
-- outcome: cancelled | already_cancelled | over (an attendee may cancel until the workshop starts) | not_found.
create or replace function cancel_registration(p_id uuid, p_by text, p_now timestamptz)
returns table (outcome text, promoted integer)
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_workshop workshops;
  v_status text;
begin
  v_workshop := lock_workshop_of(p_id);

  select r.status into v_status from registrations r where r.id = p_id;

  if v_status is null then
    return query select 'not_found', 0;
  elsif v_status = 'cancelled' then
    return query select 'already_cancelled', 0;
  elsif p_by = 'attendee' and p_now >= v_workshop.starts_at then
    return query select 'over', 0;
  else
    update registrations set status = 'cancelled', cancelled_at = p_now, cancelled_by = p_by where id = p_id;
    insert into mails (registration_id, kind, facts, created_at, due_at)
    values (p_id, 'cancelled', jsonb_build_object('by', p_by), p_now, p_now);
    return query select 'cancelled', serve_waitlist(v_workshop.id, p_now);
  end if;
end
$$;
-- file cancel_workshop.sql
-- revision 1
-- Cancels a workshop for good and with it every live registration, each of which is owed a mail.
-- outcome: cancelled | already_cancelled | over (it has ended) | not_found; told is the number of mails.
create or replace function cancel_workshop(p_id uuid, p_now timestamptz)
returns table (outcome text, told integer)
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_workshop workshops;
  v_told integer;
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
      set status = 'cancelled', cancelled_at = p_now, cancelled_by = 'workshop'
      where workshop_id = p_id and status in ('confirmed', 'waitlisted', 'offered')
      returning id
    )
    insert into mails (registration_id, kind, facts, created_at, due_at)
    select id, 'cancelled', '{"by": "workshop"}', p_now, p_now from cancelled;
    get diagnostics v_told = row_count;

    return query select 'cancelled', v_told;
  end if;
end
$$;
-- file claim_mails.sql
-- revision 1
-- Claims mails that are due, the longest due first, for a sender who has them to itself until p_leased_until, and gives
-- up those that would only confuse now. Returns both.
--
-- p_rate: how many mails all senders together may try in a minute; null for as many as they like. Where it is given the
-- senders claim one after another, for each must know of the tries of all others. A mail that is claimed counts as
-- tried, also if it is put back.
create or replace function claim_mails(
  p_limit integer, p_rate integer, p_now timestamptz, p_leased_until timestamptz, p_sender_domain text
) returns setof mails
language plpgsql as $$
declare
  v_limit integer := p_limit;
begin
  if p_rate is not null then
    insert into mail_pace default values on conflict do nothing;
    perform 1 from mail_pace for no key update;
    -- A statement of its own: what the lock protects is read after it.
    select least(p_limit, greatest(0, p_rate - count(*)))::integer into v_limit
    from mail_pace, unnest(tries) tried
    where tried > p_now - interval '1 minute';
  end if;

  return query
  with due as (
    select m.id, case
      when r.erased_at is not null then 'the person was erased'
      when m.kind = 'found' and not exists (
        select 1 from registrations live join workshops then_at on then_at.id = live.workshop_id
        where live.email_key = r.email_key and live.status in ('confirmed', 'waitlisted', 'offered')
          and then_at.ends_at > p_now
      ) then 'no ticket is left to send'
      when m.kind in ('found', 'cancelled') then null
      when w.ends_at <= p_now then 'the workshop is over'
      when r.status = 'cancelled' then 'the registration was cancelled since'
      when m.kind = 'waitlisted' and r.status <> 'waitlisted' then 'promoted since'
      when m.kind = 'moved' and m.created_at < r.moved_at then 'moved again since'
      when exists (
        select 1 from mails newer
        where newer.registration_id = m.registration_id and newer.id > m.id and newer.facts ->> 'corrected' is not null
      ) then 'superseded by a corrected address'
    end as pointless
    from mails m
    join registrations r on r.id = m.registration_id
    join workshops w on w.id = r.workshop_id
    where m.state in ('pending', 'sending') and m.due_at <= p_now
    order by m.due_at, m.id
    limit v_limit
    for no key update of m skip locked
  ),
  claimed as (
    update mails m
    set state = case when due.pointless is null then 'sending' else 'dead' end,
        reason = coalesce(due.pointless, m.reason),
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
  )
  select * from claimed;
end
$$;
-- file correct_email.sql
-- revision 1
-- Replaces a mistyped address and owes the confirmation again. Every older ticket link and door code becomes invalid,
-- because a stranger may have received them.
-- outcome: corrected | unchanged | already_registered | too_many (five corrections, or mails to the new
--          address today) | cancelled | over | not_found.
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
  -- First the campaign, so that nobody registers the new address in another of its cities meanwhile.
  perform 1
  from campaigns c
  where c.one_seat_per_person
    and c.id = (select w.campaign_id from registrations r join workshops w on w.id = r.workshop_id where r.id = p_id)
  for no key update;
  v_workshop := lock_workshop_of(p_id);

  select r.* into v_registration from registrations r where r.id = p_id;

  if v_registration.id is null then
    return query select 'not_found', 0;
  elsif v_registration.status = 'cancelled' then
    return query select 'cancelled', v_registration.ticket_version;
  elsif p_now >= v_workshop.ends_at then
    return query select 'over', v_registration.ticket_version;
  elsif v_registration.email = p_email then
    return query select 'unchanged', v_registration.ticket_version;
  elsif v_registration.ticket_version > 5 or mails_caused(p_email_key, p_now) >= 10 then
    return query select 'too_many', v_registration.ticket_version;
  elsif live_registration(p_email_key, v_workshop) <> p_id then
    return query select 'already_registered', v_registration.ticket_version;
  else
    update registrations
    set email = p_email, email_key = p_email_key, ticket_version = ticket_version + 1,
        calendar_raise = calendar_raise + 1
    where id = p_id;

    -- What still waits to be sent would now say the same twice.
    update mails set state = 'dead', reason = 'superseded by a corrected address'
    where registration_id = p_id and state = 'pending';

    insert into mails (registration_id, kind, facts, created_at, due_at)
    values (p_id, case v_registration.status when 'waitlisted' then 'waitlisted' else 'confirmed' end,
            '{"corrected": true}', p_now, p_now);

    return query select 'corrected', v_registration.ticket_version + 1;
  end if;
end
$$;
-- file count_seats.sql
-- revision 1
-- Moves the counters of a workshop with its registrations. Nothing else may: see guard_counters below.
-- A statement at a time, so that a batch of registrations costs one update per workshop.
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
-- file forget_people.sql
-- revision 1
-- Erases the personal fields of registrations; what remains is a row that counts. A seat that is still held is given
-- back first. Mails that are still owed cannot be delivered any more. Returns how many people were forgotten.
-- p_by: who gives back the seat, attendee or organiser.
create or replace function forget_people(p_ids uuid[], p_by text, p_now timestamptz) returns integer
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_id uuid;
  v_forgotten integer;
begin
  for v_id in
    select r.id from registrations r
    join workshops w on w.id = r.workshop_id
    where r.id = any (p_ids) and r.status <> 'cancelled' and p_now < w.starts_at
    order by w.id, r.seq
  loop
    perform cancel_registration(v_id, p_by, p_now);
  end loop;

  -- In the order of their ids, because two purges may meet.
  perform 1 from registrations r where r.id = any (p_ids) order by r.id for no key update;

  update mails
  set state = case when state in ('pending', 'sending') then 'dead' else state end,
      reason = case when state in ('pending', 'sending') then 'the person was erased' end
  where registration_id = any (p_ids);

  update registrations
  set name = '', email = '', email_key = id::text, phone = null, company = null, fingerprint = '', ready = '{}',
      erased_at = p_now
  where id = any (p_ids) and erased_at is null;
  get diagnostics v_forgotten = row_count;
  return v_forgotten;
end
$$;
-- file live_registration.sql
-- revision 1
-- The live registration that keeps an address out of a workshop: one to the same workshop, or to another one of a
-- campaign with one seat per person. Null where there is none.
-- Workshops are compared as text so that the address is what is looked up: see register.sql.
create or replace function live_registration(p_email_key text, w workshops) returns uuid
language sql stable as $$
  select r.id
  from registrations r
  where r.email_key = p_email_key
    and r.status in ('confirmed', 'waitlisted', 'offered')
    and (
      r.workshop_id::text = w.id::text
      or exists (
        select 1 from workshops other
        join campaigns c on c.id = other.campaign_id and c.one_seat_per_person
        where other.id = r.workshop_id and other.campaign_id = w.campaign_id
      )
    )
  order by r.workshop_id = w.id desc
  limit 1
$$;
-- file lock_workshop_of.sql
-- revision 1
-- Locks the workshop that a registration is in and gives it as it is then; null if there is no such registration.
-- Whoever waited for the lock looks again, because the registration may have moved meanwhile.
create or replace function lock_workshop_of(p_registration uuid) returns workshops
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
-- file mails_caused.sql
-- revision 1
-- How many mails were caused in the last day by whoever typed an address: ten are enough for everyone who owns it, and
-- nobody shall flood a stranger's mailbox by signing up and cancelling, by typing it in, or by correcting to it.
create or replace function mails_caused(p_email_key text, p_now timestamptz) returns integer
language sql stable as $$
  select count(*)::integer
  from registrations r
  join mails m on m.registration_id = r.id
  where r.email_key = p_email_key
    and m.created_at > p_now - interval '24 hours'
    and m.kind in ('confirmed', 'waitlisted', 'found')
$$;
-- file may_mail_ticket.sql
-- revision 1
-- Whether a mailbox may be sent its ticket again: at most every ten minutes, and within what it may be sent at all.
create or replace function may_mail_ticket(p_email_key text, p_now timestamptz) returns boolean
language sql stable as $$
  select mails_caused(p_email_key, p_now) < 10 and not exists (
    select 1
    from registrations r
    join mails m on m.registration_id = r.id and m.kind = 'found'
    where r.email_key = p_email_key and m.created_at > p_now - interval '10 minutes'
  )
$$;
-- file move_registration.sql
-- revision 1
-- Moves a registration to another workshop of its campaign: same id, same ticket, a new number there, a seat if one is
-- free and nobody waits, else a place in line. The seat that it leaves goes to the next in line there. One that cannot
-- be placed stays where it is.
-- outcome: confirmed | waitlisted | not_live (it is cancelled) | over (its workshop has started) | already_registered
--          (the person is in the other one) | full | not_open | closed | cancelled | not_found.
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
    -- Whoever waited for the locks looks again: another move may have come first.
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
  elsif refusal_of(v_new, p_now) is not null then
    return query select refusal_of(v_new, p_now);
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
        calendar_raise = greatest(0, v_old.calendar_sequence - v_new.calendar_sequence) + calendar_raise + 1
    where id = p_id;

    -- What still waits to be sent would tell of the old workshop, or the same twice.
    update mails set state = 'dead', reason = 'superseded by a move'
    where registration_id = p_id and state = 'pending' and kind <> 'found';

    insert into mails (registration_id, kind, facts, created_at, due_at)
    values (p_id, 'moved', jsonb_build_object('from', v_old.id), p_now, p_now);

    perform serve_waitlist(v_old.id, p_now);
    return query select v_status;
  end if;
end
$$;
-- file refusal_of.sql
-- revision 1
-- Why a workshop takes nobody new at a moment, whoever it is; null where it does, with a seat or a place in line.
create or replace function refusal_of(w workshops, p_now timestamptz) returns text
language sql immutable as $$
  select case
    when w.state = 'draft' or w.published_at is null then 'not_found'
    when w.state = 'cancelled' then 'cancelled'
    when w.state = 'closed' or p_now >= w.closes_at or p_now >= w.starts_at then 'closed'
    when p_now < w.opens_at then 'not_open'
  end
$$;
-- file register.sql
-- revision 1
-- Registers many people at once, for any mix of workshops: who gets a seat, who waits, who is refused and why.
-- Each entry is judged on its own, so that a bad one never fails its neighbours; the answer has a row per entry.
--
-- p_entries: [{ n, id, workshop_id, name, email, email_key, phone, company, locale, via, ready, consent_version,
--               idempotency_key, fingerprint }] in the order of arrival, n = 0, 1, 2 …
-- outcome:   registered | replayed | already_registered | idempotency_mismatch | full | not_open | closed | cancelled
--            | too_many (mails to this address today) | not_found; place is the position on the waitlist, counted from 1. `undecided`: the answer depends on an
--            earlier entry of the same person or key that was refused; hand it in again.
--
-- First the campaigns with one seat per person are locked, then the workshops, each in the order of their ids; what
-- the locks protect is read after that.
--
-- Before the first ANALYZE the planner knows nothing of the tables and chooses plans that slow down with every stored
-- row. It is left only one: an index look-up per entry. Hence the switches, the lateral look-ups with a limit, and
-- workshops compared as text, so that no index that begins with the workshop is a choice. Without them 9,000 stored
-- registrations made it three times slower, with them not at all.
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
begin
  perform 1
  from campaigns c
  where c.one_seat_per_person
    and c.id in (
      select w.campaign_id from workshops w
      where w.id in (select (e ->> 'workshop_id')::uuid from jsonb_array_elements(p_entries) e)
    )
  order by c.id
  for no key update;

  perform 1
  from workshops w
  where w.id in (select (e ->> 'workshop_id')::uuid from jsonb_array_elements(p_entries) e)
  order by w.id
  for no key update;

  return query
  with asked as materialized (
    select e.*,
           w.capacity, w.taken, w.waitlisted, w.waitlist, w.next_seq,
           w.last_placed_at, kept.id as kept_id, live.id as live_id,
           coalesce(c.id, e.workshop_id) as one_seat_in,
           case
             when kept.fingerprint = e.fingerprint then 'replayed'
             when kept.id is not null then 'idempotency_mismatch'
             when w.id is null then 'not_found'
             when refusal_of(w, p_now) is not null then refusal_of(w, p_now)
             when live.id is not null then 'already_registered'
             when mails_caused(e.email_key, p_now) >= 10 then 'too_many'
           end as verdict,
           first_value(e.n) over tries as first_try,
           first_value(e.fingerprint) over tries as first_fingerprint
    from jsonb_to_recordset(p_entries) as e (
      n integer, id uuid, workshop_id uuid, name text, email text, email_key text, phone text, company text,
      locale text, via text, ready jsonb, consent_version text, idempotency_key text, fingerprint text
    )
    left join workshops w on w.id = e.workshop_id
    left join campaigns c on c.id = w.campaign_id and c.one_seat_per_person
    left join lateral (
      select * from registrations r
      where r.idempotency_key = e.idempotency_key and r.first_workshop_id::text = e.workshop_id::text
      limit 1
    ) kept on true
    left join lateral live_registration(e.email_key, w) as live (id) on true
    window tries as (partition by e.workshop_id, e.idempotency_key order by e.n)
  ),
  newcomer as (
    select a.*, first_value(a.n) over (partition by a.one_seat_in, a.email_key order by a.n) as first_of_person
    from asked a
    where a.verdict is null and a.first_try = a.n
  ),
  -- While anyone waits, no seat is free for a newcomer.
  ranked as (
    select c.*,
           row_number() over (partition by c.workshop_id order by c.n) as rank,
           case when c.waitlisted = 0 then c.capacity - c.taken else 0 end as free
    from newcomer c
    where c.first_of_person = c.n
  ),
  placed as materialized (
    select r.*,
           case when r.rank <= r.free then 'confirmed' when r.waitlist then 'waitlisted' end as status,
           (r.waitlisted + r.rank - r.free)::integer as place_in_line
    from ranked r
  ),
  stored as (
    insert into registrations (
      id, workshop_id, seq, status, first_status, name, email, email_key, phone, company, locale, link_code, ready,
      consent_version, consent_at, idempotency_key, first_workshop_id, fingerprint, created_at, placed_at, seated_at
    )
    select p.id, p.workshop_id, p.next_seq + p.rank - 1, p.status, p.status, p.name, p.email, p.email_key, p.phone,
           p.company, p.locale, link.code, coalesce(p.ready, '{}'), p.consent_version, p_now, p.idempotency_key,
           p.workshop_id, p.fingerprint, p_now,
           -- Two servers' clocks differ; the order of the line does not go back in time.
           greatest(p_now, p.last_placed_at),
           case when p.status = 'confirmed' then p_now end
    from placed p
    left join registration_links link on link.code = p.via
    where p.status is not null
    order by p.n
  ),
  owed as (
    insert into mails (registration_id, kind, created_at, due_at)
    select p.id, p.status, p_now, p_now from placed p where p.status is not null
    union all
    -- The person is there already: the ticket goes to the address on file, and nothing to whoever typed it.
    select distinct on (a.email_key) a.live_id, 'found', p_now, p_now
    from asked a
    where a.verdict = 'already_registered' and may_mail_ticket(a.email_key, p_now)
  ),
  answered as (
    select a.n,
           case
             when a.verdict is not null then a.verdict
             when a.first_fingerprint <> a.fingerprint then
               case when p.status is null then 'undecided' else 'idempotency_mismatch' end
             when c.first_of_person < c.n then
               case when earlier.status is null then 'undecided' else 'already_registered' end
             when p.status is null then 'full'
             when a.first_try < a.n then 'replayed'
             else 'registered'
           end as outcome,
           kept.id as kept_id, kept.ticket_version as kept_version, kept.workshop_id as kept_workshop,
           kept.status as kept_status, kept.first_status, kept.seq as kept_seq,
           p.id as new_id, p.status as new_status, p.place_in_line
    from asked a
    left join newcomer c on c.n = a.first_try
    left join placed p on p.n = a.first_try
    left join placed earlier on earlier.n = c.first_of_person
    left join registrations kept on kept.id = a.kept_id and a.verdict = 'replayed'
  )
  select a.n, a.outcome,
         coalesce(a.kept_id, a.new_id),
         coalesce(a.kept_version, 1),
         -- A retry hears how things stand; of a registration that was cancelled since, how they stood.
         coalesce(case when a.kept_status = 'cancelled' then a.first_status else a.kept_status end, a.new_status),
         case
           when a.kept_status = 'waitlisted' then (
             select count(*)::integer from registrations ahead
             where ahead.workshop_id = a.kept_workshop and ahead.status = 'waitlisted' and ahead.seq <= a.kept_seq
           )
           when a.new_status = 'waitlisted' then a.place_in_line
         end
  from answered a
  order by a.n;
end
$$;
-- file serve_waitlist.sql
-- revision 1
-- Gives the free seats of a workshop to those who wait longest and owes each of them a mail.
-- Returns how many were promoted. The caller holds the lock on the workshop.
-- A published workshop serves its line until it starts, also after registration closed by the clock;
-- one that an organiser closed stands still until it is opened again.
create or replace function serve_waitlist(p_workshop uuid, p_now timestamptz) returns integer
language plpgsql as $$
declare
  v_room integer;
begin
  select least(w.capacity - w.taken, w.waitlisted) into v_room
  from workshops w
  where w.id = p_workshop and w.state = 'published' and p_now < w.starts_at;

  if coalesce(v_room, 0) = 0 then
    return 0;
  end if;

  with promoted as (
    update registrations
    set status = 'confirmed', seated_at = p_now
    where id in (
      select id from registrations
      where workshop_id = p_workshop and status = 'waitlisted'
      order by seq
      limit v_room
    )
    returning id
  )
  insert into mails (registration_id, kind, created_at, due_at)
  select id, 'promoted', p_now, p_now from promoted;

  return v_room;
end
$$;
--> statement-breakpoint
-- More seats, a later start or a workshop opened again: the line moves with the change that makes it possible.
create or replace function serve_waitlist_of_changed_workshop() returns trigger
language plpgsql as $$
begin
  perform serve_waitlist(new.id, new.updated_at);
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger serve_waitlist_on_change after update of capacity, state, starts_at on workshops
  for each row when (new.waitlisted > 0 and new.taken < new.capacity)
  execute function serve_waitlist_of_changed_workshop();
-- file set_items.sql
-- revision 1
-- Replaces the checklist of a campaign or of a workshop; the other of the two is null. An item whose id the checklist had
-- keeps it, and with it the attendees' answers; any other gets its new_id.
create or replace function set_items(p_campaign uuid, p_workshop uuid, p_items jsonb) returns void
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_there uuid[];
begin
  -- Two changes at once would meet at the same positions, also where there is no row yet to lock. Sign-ups wait for their
  -- workshop's row and never for this table, which they only read.
  lock table checklist_items in share row exclusive mode;

  with gone as (
    delete from checklist_items where campaign_id = p_campaign or workshop_id = p_workshop returning id
  )
  select array_agg(id) into v_there from gone;

  insert into checklist_items (id, campaign_id, workshop_id, position, kind, text, url, must_confirm)
  select case when item.id = any (v_there) then item.id else item.new_id end,
         p_campaign, p_workshop, item.place - 1, item.kind, item.words, item.url, item.must_confirm
  from rows from (
    jsonb_to_recordset(p_items) as (id uuid, new_id uuid, kind text, text jsonb, url text, "mustConfirm" boolean)
  ) with ordinality as item (id, new_id, kind, words, url, must_confirm, place);
end
$$;
