-- revision 1
-- Cancels a registration that is of the same person as one that is kept. Two who merge the same two at once, each the other
-- way round, do not take both away: the workshops are locked in the order of their ids, and what is kept is read after that.
-- outcome: as of cancel_registration, and kept_cancelled (the other one is no more, so this one stays).
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
    -- Whoever waited for the locks looks again: a move may have come first.
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
