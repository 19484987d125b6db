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
