-- revision 1
-- Gives the free seats of a workshop to those who wait longest and owes each of them a mail.
-- Returns how many were promoted. The caller holds the lock on the workshop.
-- A published workshop serves its line until it starts, also after registration closed by the clock;
-- one that an organiser closed stands still until it is opened again.
create or replace function serve_waitlist(p_workshop uuid, p_now timestamptz) returns integer
language plpgsql as $$
declare
  v_room integer;
begin
  select least(w.capacity - w.taken, w.waitlisted) into v_room
  from workshops w
  where w.id = p_workshop and w.state = 'published' and p_now < w.starts_at;

  if coalesce(v_room, 0) = 0 then
    return 0;
  end if;

  with promoted as (
    update registrations
    set status = 'confirmed', seated_at = p_now
    where id in (
      select id from registrations
      where workshop_id = p_workshop and status = 'waitlisted'
      order by seq
      limit v_room
    )
    returning id
  )
  insert into mails (registration_id, kind, created_at, due_at)
  select id, 'promoted', p_now, p_now from promoted;

  return v_room;
end
$$;
--> statement-breakpoint
-- More seats, a later start or a workshop opened again: the line moves with the change that makes it possible.
create or replace function serve_waitlist_of_changed_workshop() returns trigger
language plpgsql as $$
begin
  perform serve_waitlist(new.id, new.updated_at);
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger serve_waitlist_on_change after update of capacity, state, starts_at on workshops
  for each row when (new.waitlisted > 0 and new.taken < new.capacity)
  execute function serve_waitlist_of_changed_workshop();
