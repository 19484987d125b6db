-- revision 1
-- Gives the free seats of a workshop to the first in line and enqueues their mails: confirmed at once, or as an offer to be
-- accepted within the workshop's confirm_hours and before it starts.
-- A registration in the door queue is confirmed at once and checked in. One without an address is confirmed at once, without a
-- mail, because it could not be notified of an offer.
-- A published workshop promotes until it starts, also after registration closed by time; one that an organiser closed does
-- not until it is reopened.
-- Returns the number of registrations promoted. The caller holds the lock on the workshop.
create or replace function promote_waitlist(p_workshop uuid, p_now timestamptz) returns integer
language plpgsql as $$
declare
  v_workshop workshops;
  v_seats integer;
  v_until timestamptz;
  v_next uuid[];
begin
  select w.* into v_workshop
  from workshops w
  where w.id = p_workshop and w.state = 'published' and p_now < w.starts_at;

  v_seats := least(v_workshop.capacity - v_workshop.taken, v_workshop.waitlisted);
  if coalesce(v_seats, 0) = 0 then
    return 0;
  end if;

  if v_workshop.confirm_hours is not null then
    v_until := least(p_now + make_interval(hours => v_workshop.confirm_hours), v_workshop.starts_at);
  end if;

  v_next := array(
    select id from registrations
    where workshop_id = p_workshop and status = 'waitlisted'
    order by seq
    limit v_seats
  );
  with promoted as (
    update registrations
    set status = case when v_until is null or walk_in_at is not null or email = '' then 'confirmed' else 'offered' end,
        seated_at = case when v_until is null or walk_in_at is not null or email = '' then p_now end,
        offered_until = case when walk_in_at is null and email <> '' then v_until end
    where id = any (v_next)
    returning id, status, email, walk_in_at, new_check_in_id(registrations) as check_in
  ),
  checked_in as (
    insert into check_ins (id, registration_id, workshop_id, outcome, at, received_at, by)
    select check_in, id, p_workshop, 'in', p_now, p_now, '' from promoted where walk_in_at is not null
  )
  insert into mails (registration_id, kind, created_at, due_at)
  select id, case status when 'confirmed' then 'promoted' else 'offered' end, p_now, p_now
  from promoted where email <> '';

  return v_seats;
end
$$;
--> statement-breakpoint
-- More capacity, a later start or reopening: the waitlist is promoted in the same statement.
create or replace function promote_waitlist_of_changed_workshop() returns trigger
language plpgsql as $$
begin
  perform promote_waitlist(new.id, new.updated_at);
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger promote_waitlist_on_change after update of capacity, state, starts_at on workshops
  for each row when (new.waitlisted > 0 and new.taken < new.capacity)
  execute function promote_waitlist_of_changed_workshop();
