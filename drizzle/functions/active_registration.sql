-- revision 1
-- Returns the active registration that prevents an address from registering for a workshop; null if there is none.
create or replace function active_registration(p_email_key text, w workshops) returns uuid
language sql stable as $$
  select conflict.id
  from conflicting_registrations(
    p_email_key, w.id, (select c.id from campaigns c where c.id = w.campaign_id and c.one_seat_per_person)
  ) conflict
  limit 1
$$;
