-- revision 1
-- A workshop that starts earlier takes its offers along: none is held beyond the start, none is held longer than was said.
create or replace function shorten_offers() returns trigger
language plpgsql as $$
begin
  update registrations
  set offered_until = new.starts_at
  where workshop_id = new.id and status = 'offered' and offered_until > new.starts_at;
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger shorten_offers_on_change after update of starts_at on workshops
  for each row when (new.starts_at < old.starts_at)
  execute function shorten_offers();
