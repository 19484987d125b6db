-- revision 1
-- Erases the pii data of registrations; rows without them remain for the statistics. Seats are released, mails that
-- were not sent are discarded, pending sign-ups of these addresses and pii data in the audit log are deleted. Attendance,
-- loans and ratings stay, without texts and names of helpers. A certificate keeps its number and, if the attendee wanted
-- that and the retention period has passed (`purge`), its name.
-- With `purge`, people who have not returned a board are skipped.
-- Returns the number of people erased.
-- p_by: who releases the seat, attendee or organiser; purge if the retention period has passed.
create or replace function erase_people(p_ids uuid[], p_by text, p_now timestamptz) returns integer
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_id uuid;
  v_erased integer;
begin
  if p_by = 'purge' then
    -- Checked for each id, because a board may have been lent since they were selected.
    p_ids := array(
      select r.id from unnest(p_ids) as r (id)
      where (select 1 from loans l where l.registration_id = r.id and l.returned_at is null limit 1) is null
    );
  end if;

  for v_id in
    select r.id from registrations r
    join workshops w on w.id = r.workshop_id
    where r.id = any (p_ids) and r.status <> 'cancelled' and p_now < w.starts_at
    order by w.id, r.seq
  loop
    perform cancel_registration(v_id, p_by, p_now);
  end loop;

  -- A purge of an old registration keeps pending sign-ups: the person is signing up again.
  delete from pending_sign_ups h
  where p_by <> 'purge' and h.email_key in (select r.email_key from registrations r where r.id = any (p_ids));

  -- Locked in the order of ids, because purges may run concurrently with each other and with mail senders.
  perform 1 from registrations r where r.id = any (p_ids) order by r.id for no key update;
  perform 1 from mails m where m.registration_id = any (p_ids) order by m.id for no key update;

  update mails
  set state = case when state in ('pending', 'sending') then 'dead' else state end,
      reason = case when state in ('pending', 'sending') then 'person_erased' end,
      last_error = null, refusals = 0
  where registration_id = any (p_ids);

  perform 1 from audit_entries e
  where e.registration_id = any (p_ids) and e.pii is not null
  order by e.id for no key update;
  update audit_entries e set pii = null where e.registration_id = any (p_ids) and e.pii is not null;

  -- An erasure request also clears matching entries of the search log; purges clear those by age: see privacy.ts.
  if p_by <> 'purge' then
    update audit_entries e set pii = null
    where e.id in (
      select s.id from audit_entries s
      where s.registration_id is null and s.pii is not null and exists (
        select 1 from registrations r, jsonb_each_text(s.pii) entry
        where r.id = any (p_ids) and (
          -- A name of one letter would match every search.
          (length(r.name) > 1 and strpos(lower(entry.value), lower(r.name)) > 0)
          or (r.email <> '' and strpos(lower(entry.value), r.email_key) > 0)
          or strpos(entry.value, right(r.phone, 8)) > 0
        )
      )
      order by s.id for no key update
    );
  end if;

  update feedback set texts = '{}' where registration_id = any (p_ids) and texts <> '{}';
  update certificates set name = null
  where registration_id = any (p_ids) and name is not null and not (p_by = 'purge' and keep_name);
  perform 1 from check_ins i where i.registration_id = any (p_ids) order by i.id for no key update;
  update check_ins set by = '', undone_by = case when undone_by is not null then '' end, door_session_id = null
  where registration_id = any (p_ids);
  perform 1 from loans l where l.registration_id = any (p_ids) order by l.id for no key update;
  update loans set lent_by = '', returned_by = case when returned_by is not null then '' end
  where registration_id = any (p_ids);

  update registrations
  set name = '', name_search = null, email = '', email_key = id::text, phone = null, company = null, fingerprint = '',
      ready = '{}', attendance_confirmed_for = null, erased_at = p_now
  where id = any (p_ids) and erased_at is null;
  get diagnostics v_erased = row_count;
  return v_erased;
end
$$;
