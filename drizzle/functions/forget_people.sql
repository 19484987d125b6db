-- revision 6
-- Erases the personal fields of registrations; what remains is a row that counts. A seat that is still held is given
-- back first. Mails that are still owed cannot be delivered any more, and what their mailboxes still hold back goes. The
-- audit log keeps that something was done to them, and nothing of who they were. Of the day it remains that they came, had
-- a board, and how they rated it: not what they wrote, nor which helper was at the door. A certificate keeps its number and,
-- where they asked for that, its name, unless they asked to be erased.
-- Whose time is over but who still has a board is left out until it is back.
-- Returns how many people were forgotten.
-- p_by: who gives back the seat, attendee or organiser; purge where only the time of these registrations is over.
create or replace function forget_people(p_ids uuid[], p_by text, p_now timestamptz) returns integer
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_id uuid;
  v_forgotten integer;
begin
  if p_by = 'purge' then
    -- Looked up for each, because a board may have been lent since they were chosen.
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

  -- Who is still to follow a mailed link wants to come again: a purge of an old registration leaves that alone.
  delete from held_sign_ups h
  where p_by <> 'purge' and h.email_key in (select r.email_key from registrations r where r.id = any (p_ids));

  -- In the order of their ids, because two purges may meet, and so may one and a sender of mails.
  perform 1 from registrations r where r.id = any (p_ids) order by r.id for no key update;
  perform 1 from mails m where m.registration_id = any (p_ids) order by m.id for no key update;

  update mails
  set state = case when state in ('pending', 'sending') then 'dead' else state end,
      reason = case when state in ('pending', 'sending') then 'the person was erased' end,
      refusals = 0
  where registration_id = any (p_ids);

  perform 1 from audit_entries e
  where e.registration_id = any (p_ids) and e.personal is not null
  order by e.id for no key update;
  update audit_entries e set personal = null where e.registration_id = any (p_ids) and e.personal is not null;

  -- Who asks to be erased goes from what organisers searched for too; a purge goes by the age of that: see privacy.ts.
  if p_by <> 'purge' then
    update audit_entries e set personal = null
    where e.id in (
      select s.id from audit_entries s
      where s.registration_id is null and s.personal is not null and exists (
        select 1 from registrations r, jsonb_each_text(s.personal) told
        where r.id = any (p_ids) and (
          -- A single letter is in every search.
          (length(r.name) > 1 and strpos(lower(told.value), lower(r.name)) > 0)
          or (r.email <> '' and strpos(lower(told.value), r.email_key) > 0)
          or strpos(told.value, right(r.phone, 8)) > 0
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
  set name = '', name_initials = null, email = '', email_key = id::text, phone = null, company = null, fingerprint = '',
      ready = '{}', coming_on = null, erased_at = p_now
  where id = any (p_ids) and erased_at is null;
  get diagnostics v_forgotten = row_count;
  return v_forgotten;
end
$$;
