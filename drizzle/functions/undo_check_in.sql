-- revision 3
-- Undoes check-ins. Entries are processed independently, in their order; one row is returned per entry.
--
-- p_entries: [{ n, check_in, at }], n = 0, 1, 2 …; at is the phone's time.
-- outcome:   undone | not_in (somebody else had undone it) | not_found. If another door has checked the person in too, that
--            check-in remains: id, at and by are those of it.
--
-- Other check-ins of the person by the same door are undone too: a scanner may read a code twice. A walk-in who was registered
-- by this very check-in is cancelled, and the seat goes to the next in line; one who got no seat has no check-in, which an
-- offline phone cannot know, and leaves the door queue.
create or replace function undo_check_in(p_workshop uuid, p_entries jsonb, p_by text, p_now timestamptz)
returns table (n integer, outcome text, id uuid, at timestamptz, by text)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_entry record;
  v_check_in check_ins;
  v_first check_ins;
  v_outcome text;
begin
  perform 1 from workshops w where w.id = p_workshop for no key update;

  for v_entry in
    select e.* from jsonb_to_recordset(p_entries) as e (n integer, check_in uuid, at timestamptz) order by e.n
  loop
    select c.* into v_check_in from check_ins c where c.id = v_entry.check_in and c.workshop_id = p_workshop;

    if v_check_in.id is null then
      update registrations r
      set status = 'cancelled', cancelled_at = p_now, cancelled_by = 'organiser'
      where r.idempotency_key = v_entry.check_in::text and r.first_workshop_id = p_workshop
        and r.workshop_id = p_workshop and r.source = 'walk_in' and r.status = 'waitlisted' and r.email = '';
      v_outcome := case when exists (
        select 1 from registrations r
        where r.idempotency_key = v_entry.check_in::text and r.first_workshop_id = p_workshop
          and r.source = 'walk_in' and r.status = 'cancelled' and r.email = ''
      ) then 'undone' else 'not_found' end;
    elsif v_check_in.outcome = 'undone' then
      v_outcome := case when v_check_in.undone_by = p_by then 'undone' else 'not_in' end;
    else
      v_outcome := 'undone';
      update check_ins c
      set outcome = 'undone', undone_at = greatest(c.at, least(v_entry.at, p_now)), undone_by = p_by
      where c.registration_id = v_check_in.registration_id and c.outcome <> 'undone'
        and (c.id = v_check_in.id or c.door_session_id is not distinct from v_check_in.door_session_id);

      update check_ins c set outcome = 'in'
      where c.id = (
        select other.id from check_ins other
        where other.registration_id = v_check_in.registration_id and other.outcome = 'again'
          and not exists (
            select 1 from check_ins active
            where active.registration_id = v_check_in.registration_id and active.outcome = 'in'
          )
        order by other.at, other.id
        limit 1
      );
    end if;

    select c.* into v_first
    from check_ins c
    where c.registration_id = v_check_in.registration_id and c.outcome = 'in';

    if v_outcome = 'undone' and v_first.id is null then
      update registrations r
      set status = 'cancelled', cancelled_at = p_now, cancelled_by = 'organiser'
      where r.id = v_check_in.registration_id and r.status = 'confirmed' and r.walk_in_at is not null
        and r.idempotency_key = v_check_in.id::text and r.email = '';
      if found then
        perform promote_waitlist(p_workshop, p_now);
      end if;
    end if;

    return query select v_entry.n, v_outcome, v_first.id, v_first.at, v_first."by";
  end loop;
end
$$;
