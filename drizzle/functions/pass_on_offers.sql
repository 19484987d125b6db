-- revision 2
-- Ends the offers that were not taken in time and gives their seats to those who wait next. Returns how many ended.
-- The workshops are locked in the order of their ids; what the locks protect is read after that, so that two who pass on
-- at once, or one and somebody who takes the seat in the last moment, do not both have it.
-- Without the switch a table that was never analysed would be read from end to end, several times a minute.
create or replace function pass_on_offers(p_now timestamptz) returns integer
language plpgsql
set enable_seqscan = off
set lock_timeout = '3s'
as $$
declare
  v_workshops uuid[];
  v_lapsed integer;
begin
  select array_agg(locked.id) into v_workshops
  from (
    select w.id
    from workshops w
    where w.id in (select r.workshop_id from registrations r where r.status = 'offered' and r.offered_until <= p_now)
    order by w.id
    for no key update
  ) locked;

  if v_workshops is null then
    return 0;
  end if;

  with lapsed as (
    update registrations
    set status = 'cancelled', cancelled_at = p_now, cancelled_by = 'deadline', offered_until = null
    where status = 'offered' and offered_until <= p_now and workshop_id = any (v_workshops)
    returning id, email
  )
  insert into mails (registration_id, kind, facts, created_at, due_at)
  select id, 'cancelled', '{"by": "deadline"}', p_now, p_now from lapsed where email <> '';
  get diagnostics v_lapsed = row_count;

  perform serve_waitlist(id, p_now) from unnest(v_workshops) id;
  return v_lapsed;
end
$$;
