-- revision 1
-- Accepts an offered seat: the registration becomes confirmed, and the mail with the check-in code is enqueued.
-- outcome: taken | already_taken (it is confirmed) | lapsed (the deadline has passed, whether or not the seat went to the
--          next in line) | cancelled | not_offered (it is waitlisted) | not_found.
create or replace function accept_offer(p_id uuid, p_now timestamptz)
returns table (outcome text)
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_registration registrations;
begin
  perform lock_registration_workshop(p_id);

  select r.* into v_registration from registrations r where r.id = p_id;

  if v_registration.id is null then
    return query select 'not_found';
  elsif v_registration.status = 'confirmed' then
    return query select 'already_taken';
  elsif v_registration.status = 'waitlisted' then
    return query select 'not_offered';
  elsif v_registration.cancelled_by = 'deadline' or p_now >= v_registration.offered_until then
    return query select 'lapsed';
  elsif v_registration.status = 'cancelled' then
    return query select 'cancelled';
  else
    update registrations set status = 'confirmed', seated_at = p_now, offered_until = null where id = p_id;
    insert into mails (registration_id, kind, created_at, due_at) values (p_id, 'promoted', p_now, p_now);
    return query select 'taken';
  end if;
end
$$;
