-- revision 1
-- Ends the offers whose deadline has passed and promotes the next in line. Returns the number of offers that ended.
-- Workshops are locked in the order of their ids and read after that, so that concurrent runs, or an acceptance at the last
-- moment, never give one seat to two people.
-- Sequential scans are disabled: without statistics a table would be read in full, several times a minute.
create or replace function expire_offers(p_now timestamptz) returns integer
language plpgsql
set enable_seqscan = off
set lock_timeout = '3s'
as $$
declare
  v_workshops uuid[];
  v_expired integer;
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

  with expired as (
    update registrations
    set status = 'cancelled', cancelled_at = p_now, cancelled_by = 'deadline', offered_until = null
    where status = 'offered' and offered_until <= p_now and workshop_id = any (v_workshops)
    returning id, email
  ), mailed as (
    insert into mails (registration_id, kind, payload, created_at, due_at)
    select id, 'cancelled', '{"by": "deadline"}', p_now, p_now from expired where email <> ''
  )
  select count(*) into v_expired from expired;

  perform promote_waitlist(id, p_now) from unnest(v_workshops) id;
  return v_expired;
end
$$;
