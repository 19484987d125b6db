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
