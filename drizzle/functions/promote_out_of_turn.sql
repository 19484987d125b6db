-- revision 2
-- Gives somebody who waits a seat before their turn, as an organiser decided, and owes the mail. That it was decided is
-- kept in out_of_turn; by whom and why stands in the audit log. Who stands at the door is checked in with it.
-- p_add_seat: where no seat is free the workshop gets one more, and it is this person's. Nobody is squeezed in.
-- outcome: promoted | full (with the numbers) | seated (a seat is theirs or offered to them) | cancelled | over (the
--          workshop has ended) | not_found.
create or replace function promote_out_of_turn(p_id uuid, p_add_seat boolean, p_now timestamptz)
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
  v_workshop := lock_workshop_of(p_id);
  v_full := v_workshop.taken >= v_workshop.capacity;

  -- Whoever erases the person locks the row: of who is erased nothing is written down any more.
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
      -- A trigger gives a new seat to the first in line, with updated_at for the time, and after the start to nobody.
      update workshops set capacity = capacity + 1, updated_at = 'infinity' where id = v_workshop.id;
    end if;

    if v_registration.walk_in_at is not null then
      perform seat_at_door(array[p_id], null, '', p_now);
    else
      update registrations
      set status = 'confirmed', seated_at = p_now, out_of_turn = true
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
