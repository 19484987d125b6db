-- revision 1
-- After the start of a workshop: gives every available seat, and after its grace period those of no-shows, to its door queue in
-- the order of arrival, and checks these people in. Returns them.
-- Before the start seats go in the order of the waitlist: see promote_waitlist.sql.
create or replace function seat_door_queue(p_workshop uuid, p_session uuid, p_by text, p_now timestamptz)
returns table (id uuid, name text)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_workshop workshops;
  v_next registrations;
begin
  select w.* into v_workshop from workshops w where w.id = p_workshop for no key update;
  if v_workshop.state is distinct from 'cancelled' and p_now >= v_workshop.starts_at then
    loop
      select r.* into v_next
      from registrations r
      where r.workshop_id = p_workshop and r.status = 'waitlisted' and r.walk_in_at is not null
      order by r.walk_in_at, r.seq
      limit 1;
      exit when v_next.id is null or not ensure_free_seat(p_workshop, p_now);
      perform seat_and_check_in(array[v_next.id], p_session, p_by, p_now);
      return query select v_next.id, v_next.name;
    end loop;
  end if;
end
$$;
--> statement-breakpoint
-- Confirms registrations of the door queue, checks them in and enqueues the mail for those with an address.
-- The caller holds the lock on the workshop.
create or replace function seat_and_check_in(p_ids uuid[], p_session uuid, p_by text, p_now timestamptz) returns void
language plpgsql as $$
begin
  update registrations set status = 'confirmed', seated_at = p_now, promoted_manually = true where id = any (p_ids);

  insert into check_ins (id, registration_id, workshop_id, outcome, at, received_at, door_session_id, by)
  select new_check_in_id(r), r.id, r.workshop_id, 'in', p_now, p_now, p_session, p_by
  from registrations r where r.id = any (p_ids);

  insert into mails (registration_id, kind, created_at, due_at)
  select r.id, 'promoted', p_now, p_now from registrations r where r.id = any (p_ids) and r.email <> '';
end
$$;
--> statement-breakpoint
-- Returns the id for a check-in from the door queue: a walk-in's nonce if it is unused, because the phone undoes the check-in
-- by it.
create or replace function new_check_in_id(r registrations) returns uuid
language sql volatile as $$
  select case
    when r.source is not distinct from 'walk_in' and not exists (select 1 from check_ins c where c.id = r.idempotency_key::uuid)
      then r.idempotency_key::uuid
    else gen_random_uuid()
  end
$$;
