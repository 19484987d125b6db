-- revision 2
-- Takes check-ins back. Each entry is judged on its own, in their order; the answer has a row per entry.
--
-- p_entries: [{ n, check_in, at }], n = 0, 1, 2 …; at is the phone's own time.
-- outcome:   undone | not_in (somebody else had taken it back) | not_found. Where another door has scanned the person too,
--            they stay in by that scan: id, at and by tell of it.
--
-- With a scan goes whatever else the same door had scanned of the person: a scanner may read a code twice. Who came in
-- without having signed up, and by this very check-in, never was there, and the seat goes to the next in line. Where they
-- got no seat there is no check-in, but their phone did not know: they leave the line at the door.
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
        and r.workshop_id = p_workshop and r.consent_version like '%-door' and r.status = 'waitlisted' and r.email = '';
      v_outcome := case when exists (
        select 1 from registrations r
        where r.idempotency_key = v_entry.check_in::text and r.first_workshop_id = p_workshop
          and r.consent_version like '%-door' and r.status = 'cancelled' and r.email = ''
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
            select 1 from check_ins seen
            where seen.registration_id = v_check_in.registration_id and seen.outcome = 'in'
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
        perform serve_waitlist(p_workshop, p_now);
      end if;
    end if;

    return query select v_entry.n, v_outcome, v_first.id, v_first.at, v_first."by";
  end loop;
end
$$;
