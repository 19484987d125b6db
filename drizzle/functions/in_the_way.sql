-- revision 1
-- The live registrations that keep an address out of a workshop: one to the same workshop, or to any of p_campaign, which
-- is the workshop's campaign if it has one seat per person and null if not. The one to the workshop comes first.
-- Returns a table so that the planner writes it into the statement that asks, which costs a tenth of a call.
create or replace function in_the_way(p_email_key text, p_workshop uuid, p_campaign uuid) returns table (id uuid)
language sql stable as $$
  select r.id
  from registrations r
  join workshops w on w.id = r.workshop_id
  where r.email_key = p_email_key
    and r.status in ('confirmed', 'waitlisted', 'offered')
    and (w.id = p_workshop or w.campaign_id = p_campaign)
  order by w.id = p_workshop desc
$$;
