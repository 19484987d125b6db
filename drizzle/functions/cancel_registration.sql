-- revision 4
-- Cancels a registration, enqueues its mail if it has an address, and promotes the next in line.
-- outcome: cancelled | already_cancelled | over (an attendee may cancel until the workshop starts) | not_found.
create or replace function cancel_registration(p_id uuid, p_by text, p_now timestamptz)
returns table (outcome text, promoted integer)
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_workshop workshops;
  v_status text;
  v_email text;
begin
  v_workshop := lock_registration_workshop(p_id);

  select r.status, r.email into v_status, v_email from registrations r where r.id = p_id;

  if v_status is null then
    return query select 'not_found', 0;
  elsif v_status = 'cancelled' then
    return query select 'already_cancelled', 0;
  elsif p_by = 'attendee' and p_now >= v_workshop.starts_at then
    return query select 'over', 0;
  else
    update registrations
    set status = 'cancelled', cancelled_at = p_now, cancelled_by = p_by, offered_until = null
    where id = p_id;
    insert into mails (registration_id, kind, payload, created_at, due_at)
    select p_id, 'cancelled', jsonb_build_object('by', p_by), p_now, p_now where v_email <> '';
    return query select 'cancelled', promote_waitlist(v_workshop.id, p_now);
  end if;
end
$$;
