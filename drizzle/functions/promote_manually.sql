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
