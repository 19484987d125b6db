-- revision 1
-- The live registration that keeps an address out of a workshop: one to the same workshop, or to another one of a
-- campaign with one seat per person. Null where there is none.
-- Workshops are compared as text so that the address is what is looked up: see register.sql.
create or replace function live_registration(p_email_key text, w workshops) returns uuid
language sql stable as $$
  select r.id
  from registrations r
  where r.email_key = p_email_key
    and r.status in ('confirmed', 'waitlisted', 'offered')
    and (
      r.workshop_id::text = w.id::text
      or exists (
        select 1 from workshops other
        join campaigns c on c.id = other.campaign_id and c.one_seat_per_person
        where other.id = r.workshop_id and other.campaign_id = w.campaign_id
      )
    )
  order by r.workshop_id = w.id desc
  limit 1
$$;
