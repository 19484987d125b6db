-- revision 3
-- Gives the free seats of a workshop to those who wait longest and owes each of them a mail: at once, or as an offer that
-- has to be taken within the workshop's confirm_hours and before it starts.
-- Who stands at the door when their turn comes has the seat at once and is checked in; who has no address has it at once
-- too, because nobody can tell them of an offer, and gets no mail.
-- Returns how many were served. The caller holds the lock on the workshop.
-- A published workshop serves its line until it starts, also after registration closed by the clock;
-- one that an organiser closed stands still until it is opened again.
create or replace function serve_waitlist(p_workshop uuid, p_now timestamptz) returns integer
language plpgsql as $$
declare
  v_workshop workshops;
  v_room integer;
  v_until timestamptz;
  v_next uuid[];
begin
  select w.* into v_workshop
  from workshops w
  where w.id = p_workshop and w.state = 'published' and p_now < w.starts_at;

  v_room := least(v_workshop.capacity - v_workshop.taken, v_workshop.waitlisted);
  if coalesce(v_room, 0) = 0 then
    return 0;
  end if;

  if v_workshop.confirm_hours is not null then
    v_until := least(p_now + make_interval(hours => v_workshop.confirm_hours), v_workshop.starts_at);
  end if;

  v_next := array(
    select id from registrations
    where workshop_id = p_workshop and status = 'waitlisted'
    order by seq
    limit v_room
  );
  with served as (
    update registrations
    set status = case when v_until is null or walk_in_at is not null or email = '' then 'confirmed' else 'offered' end,
        seated_at = case when v_until is null or walk_in_at is not null or email = '' then p_now end,
        offered_until = case when walk_in_at is null and email <> '' then v_until end
    where id = any (v_next)
    returning id, status, email, walk_in_at, check_in_id_of(registrations) as check_in
  ),
  came as (
    insert into check_ins (id, registration_id, workshop_id, outcome, at, received_at, by)
    select check_in, id, p_workshop, 'in', p_now, p_now, '' from served where walk_in_at is not null
  )
  insert into mails (registration_id, kind, created_at, due_at)
  select id, case status when 'confirmed' then 'promoted' else 'offered' end, p_now, p_now
  from served where email <> '';

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
