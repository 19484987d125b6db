-- revision 1
-- Once a workshop has started: gives every seat that is free, and after its grace time those of people who did not come,
-- to those who stand at its door, in the order in which they came there, and checks them in. Returns them.
-- Before the start seats go in the order of the line: see serve_waitlist.sql.
create or replace function seat_standing(p_workshop uuid, p_session uuid, p_by text, p_now timestamptz)
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
      exit when v_next.id is null or not free_seat_at_door(p_workshop, p_now);
      perform seat_at_door(array[v_next.id], p_session, p_by, p_now);
      return query select v_next.id, v_next.name;
    end loop;
  end if;
end
$$;
--> statement-breakpoint
-- Gives free seats to people who wait and stand at the door, checks them in and owes those their mail who have an address.
-- The caller holds the lock on the workshop.
create or replace function seat_at_door(p_ids uuid[], p_session uuid, p_by text, p_now timestamptz) returns void
language plpgsql as $$
begin
  update registrations set status = 'confirmed', seated_at = p_now, out_of_turn = true where id = any (p_ids);

  insert into check_ins (id, registration_id, workshop_id, outcome, at, received_at, door_session_id, by)
  select check_in_id_of(r), r.id, r.workshop_id, 'in', p_now, p_now, p_session, p_by
  from registrations r where r.id = any (p_ids);

  insert into mails (registration_id, kind, created_at, due_at)
  select r.id, 'promoted', p_now, p_now from registrations r where r.id = any (p_ids) and r.email <> '';
end
$$;
--> statement-breakpoint
-- Under which id somebody who stood at the door is checked in: a walk-in's is the nonce, because by that their phone takes
-- it back; unless it was used before.
create or replace function check_in_id_of(r registrations) returns uuid
language sql volatile as $$
  select case
    when r.consent_version like '%-door' and not exists (select 1 from check_ins c where c.id = r.idempotency_key::uuid)
      then r.idempotency_key::uuid
    else gen_random_uuid()
  end
$$;
