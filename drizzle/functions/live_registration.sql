-- revision 2
-- The live registration that keeps an address out of a workshop; null where there is none.
create or replace function live_registration(p_email_key text, w workshops) returns uuid
language sql stable as $$
  select there.id
  from in_the_way(
    p_email_key, w.id, (select c.id from campaigns c where c.id = w.campaign_id and c.one_seat_per_person)
  ) there
  limit 1
$$;
