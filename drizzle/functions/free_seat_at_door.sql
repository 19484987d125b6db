-- revision 1
-- Makes room for one who stands at the door, and tells whether there is: a free seat, or after the workshop's grace time
-- that of somebody who did not come. Who did not say that they come on the day loses it first, then who registered last.
-- The caller holds the lock on the workshop, and the workshop has started.
create or replace function free_seat_at_door(p_workshop uuid, p_now timestamptz) returns boolean
language plpgsql as $$
declare
  v_workshop workshops;
  v_absent registrations;
begin
  select w.* into v_workshop from workshops w where w.id = p_workshop;
  if v_workshop.taken < v_workshop.capacity then
    return true;
  elsif p_now < v_workshop.starts_at + make_interval(mins => v_workshop.grace_minutes) is not false then
    return false;
  end if;

  select r.* into v_absent
  from registrations r
  where r.workshop_id = p_workshop and r.status = 'confirmed'
    and not exists (select 1 from check_ins c where c.registration_id = r.id and c.outcome = 'in')
  order by r.coming_on is not distinct from (v_workshop.starts_at at time zone v_workshop.time_zone)::date, r.seq desc
  limit 1;
  if v_absent.id is null then
    return false;
  end if;

  update registrations set status = 'cancelled', cancelled_at = p_now, cancelled_by = 'absence' where id = v_absent.id;
  insert into mails (registration_id, kind, facts, created_at, due_at)
  select v_absent.id, 'cancelled', '{"by": "absence"}', p_now, p_now where v_absent.email <> '';
  return true;
end
$$;
