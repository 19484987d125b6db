-- revision 1
-- When a workshop is moved to an earlier time, no offer lasts beyond its start. Deadlines are never extended.
create or replace function cap_offer_deadlines() returns trigger
language plpgsql as $$
begin
  update registrations
  set offered_until = new.starts_at
  where workshop_id = new.id and status = 'offered' and offered_until > new.starts_at;
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger cap_offer_deadlines_on_change after update of starts_at on workshops
  for each row when (new.starts_at < old.starts_at)
  execute function cap_offer_deadlines();
