-- revision 2
-- Checks people in to a workshop. Entries are processed independently, in their order; one row is returned per entry.
--
-- p_entries: [{ n, id, registration, at }], n = 0, 1, 2 …; id is the nonce made by the phone; at is the phone's time, clamped
-- to between twelve hours before the start and now.
-- outcome:   in | again (an earlier check-in exists: id, at and by are those of that one) | waitlisted | cancelled
--            | elsewhere (workshop is where they are registered) | not_found. A repeated nonce returns the same outcome.
--
-- Of a person's check-ins that were not undone the one with the earliest time is `in`, in whatever order they arrive; the
-- others are `again`. Checking in accepts an offered seat. A registration that lost its seat as a no-show is restored if it
-- was checked in before that by a phone that was offline, and a seat is available.
create or replace function check_in(p_workshop uuid, p_entries jsonb, p_session uuid, p_by text, p_now timestamptz)
returns table (n integer, outcome text, id uuid, at timestamptz, by text, workshop uuid)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_workshop workshops;
  v_entry record;
  v_registration registrations;
  v_existing check_ins;
  v_first check_ins;
  v_at timestamptz;
  v_outcome text;
begin
  -- Restoring a no-show may conflict with a registration elsewhere in the campaign. Campaigns are locked first, as in register.sql.
  perform 1
  from campaigns c
  where c.one_seat_per_person and c.id = (select w.campaign_id from workshops w where w.id = p_workshop) and exists (
    select 1
    from jsonb_to_recordset(p_entries) as e (registration uuid) join registrations r on r.id = e.registration
    where r.cancelled_by = 'absence'
  )
  for no key update;

  select w.* into v_workshop from workshops w where w.id = p_workshop for no key update;

  for v_entry in
    select e.* from jsonb_to_recordset(p_entries) as e (n integer, id uuid, registration uuid, at timestamptz) order by e.n
  loop
    v_at := least(greatest(v_entry.at, v_workshop.starts_at - interval '12 hours'), p_now);
    select c.* into v_existing from check_ins c where c.id = v_entry.id;
    select r.* into v_registration from registrations r where r.id = v_entry.registration and r.erased_at is null;

    v_outcome := case
      when v_existing.id is not null and (v_existing.registration_id, v_existing.workshop_id) is distinct from (v_entry.registration, p_workshop)
        then 'not_found'
      when v_existing.outcome = 'again' then 'again'
      when v_existing.id is not null then 'in'
      when v_registration.id is null then 'not_found'
      when v_registration.workshop_id <> p_workshop then 'elsewhere'
      when v_registration.status = 'waitlisted' then 'waitlisted'
    end;

    if v_outcome is null and v_registration.status = 'cancelled' then
      if not restore_no_show_seat(v_registration, v_workshop, v_at, p_now) then
        v_outcome := 'cancelled';
      end if;
    elsif v_outcome is null and v_registration.status = 'offered' then
      update registrations r set status = 'confirmed', seated_at = p_now, offered_until = null where r.id = v_registration.id;
      insert into mails (registration_id, kind, created_at, due_at)
      select v_registration.id, 'promoted', p_now, p_now where v_registration.email <> '';
    end if;

    if v_outcome is null then
      select c.* into v_first from check_ins c where c.registration_id = v_registration.id and c.outcome = 'in';
      -- Ties are broken by nonce, so that all servers and phones agree.
      v_outcome := case when v_first.id is null or (v_at, v_entry.id) < (v_first.at, v_first.id) then 'in' else 'again' end;
      if v_outcome = 'in' then
        update check_ins c set outcome = 'again' where c.id = v_first.id;
      end if;
      insert into check_ins (id, registration_id, workshop_id, outcome, at, received_at, door_session_id, by)
      values (v_entry.id, v_registration.id, p_workshop, v_outcome, v_at, p_now, p_session, p_by);
    end if;

    select c.* into v_first
    from check_ins c
    where v_outcome in ('in', 'again') and c.registration_id = v_entry.registration and c.outcome = 'in';
    return query select v_entry.n, v_outcome, v_first.id, v_first.at, v_first."by",
                        case when v_outcome = 'elsewhere' then v_registration.workshop_id end;
  end loop;
end
$$;
--> statement-breakpoint
-- Restores a registration that was cancelled as a no-show, if the check-in is older than that and the person has not
-- registered again. Returns whether it did. The caller holds the locks on the campaign and the workshop.
create or replace function restore_no_show_seat(r registrations, w workshops, p_at timestamptz, p_now timestamptz) returns boolean
language plpgsql as $$
begin
  if r.cancelled_by is distinct from 'absence' or p_at >= r.cancelled_at or exists (
    select 1 from conflicting_registrations(
      r.email_key, w.id, (select c.id from campaigns c where c.id = w.campaign_id and c.one_seat_per_person)
    )
  ) or not ensure_free_seat(w.id, p_now) then
    return false;
  end if;

  update registrations set status = 'confirmed', cancelled_at = null, cancelled_by = null where id = r.id;
  update mails set state = 'dead', reason = 'attended'
  where registration_id = r.id and kind = 'cancelled' and state = 'pending';
  return true;
end
$$;
--> statement-breakpoint
-- Undoes the check-ins of a registration that loses its seat or is moved to another workshop.
create or replace function revoke_check_ins() returns trigger
language plpgsql as $$
begin
  update check_ins
  set outcome = 'undone', undone_at = greatest(at, coalesce(new.cancelled_at, new.moved_at, at)), undone_by = ''
  where registration_id = new.id and outcome <> 'undone';
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger revoke_check_ins after update of status, workshop_id on registrations
  for each row when (
    old.status = 'confirmed' and (new.status <> 'confirmed' or new.workshop_id <> old.workshop_id)
  )
  execute function revoke_check_ins();
