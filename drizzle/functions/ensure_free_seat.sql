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
