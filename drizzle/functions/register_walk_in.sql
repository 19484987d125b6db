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
