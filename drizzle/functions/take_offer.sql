-- revision 1
-- Takes an offered seat: from now on it is the attendee's own. Owes the mail that brings the code for the door.
-- outcome: taken | already_taken (the seat is theirs) | lapsed (the deadline has come, whether or not the seat was passed
--          on already) | cancelled | not_offered (they wait) | not_found.
create or replace function take_offer(p_id uuid, p_now timestamptz)
returns table (outcome text)
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_registration registrations;
begin
  perform lock_workshop_of(p_id);

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
