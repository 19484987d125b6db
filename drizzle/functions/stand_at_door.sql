-- revision 1
-- Somebody who waits for a seat stands at the door, or has left it again. Who had not signed up and leaves is cancelled.
-- outcome: standing (place is their place among those who stand there) | left | not_waiting (they have a seat, or are
--          cancelled) | not_found.
create or replace function stand_at_door(p_workshop uuid, p_id uuid, p_stands boolean, p_at timestamptz, p_now timestamptz)
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
  elsif not p_stands and v_registration.status = 'cancelled' and v_registration.email = '' then
    return query select 'left', null::integer;
  elsif v_registration.status <> 'waitlisted' then
    return query select 'not_waiting', null::integer;
  elsif p_stands then
    update registrations r
    set walk_in_at = coalesce(r.walk_in_at, least(greatest(p_at, v_workshop.starts_at - interval '12 hours'), p_now))
    where r.id = p_id
    returning * into v_registration;
    return query select 'standing', place_at_door(v_registration);
  elsif v_registration.email = '' then
    update registrations set status = 'cancelled', cancelled_at = p_now, cancelled_by = 'attendee' where id = p_id;
    return query select 'left', null::integer;
  else
    update registrations set walk_in_at = null where id = p_id;
    return query select 'left', null::integer;
  end if;
end
$$;
