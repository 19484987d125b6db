-- revision 4
-- Cancels a workshop for good with all its active registrations, and enqueues a mail for each that has an address.
-- outcome: cancelled | already_cancelled | over (it has ended) | not_found; notified is the number of mails.
create or replace function cancel_workshop(p_id uuid, p_now timestamptz)
returns table (outcome text, notified integer)
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_workshop workshops;
  v_notified integer;
begin
  select w.* into v_workshop from workshops w where w.id = p_id for no key update;

  if v_workshop.id is null then
    return query select 'not_found', 0;
  elsif v_workshop.state = 'cancelled' then
    return query select 'already_cancelled', 0;
  elsif p_now >= v_workshop.ends_at then
    return query select 'over', 0;
  else
    update workshops
    set state = 'cancelled', calendar_sequence = calendar_sequence + 1, updated_at = p_now
    where id = p_id;

    with cancelled as (
      update registrations
      set status = 'cancelled', cancelled_at = p_now, cancelled_by = 'workshop', offered_until = null
      where workshop_id = p_id and status in ('confirmed', 'waitlisted', 'offered')
      returning id, email
    )
    insert into mails (registration_id, kind, payload, created_at, due_at)
    select id, 'cancelled', '{"by": "workshop"}', p_now, p_now from cancelled where email <> '';
    get diagnostics v_notified = row_count;

    return query select 'cancelled', v_notified;
  end if;
end
$$;
