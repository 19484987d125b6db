-- revision 2
-- Erases the personal fields of registrations; what remains is a row that counts. A seat that is still held is given
-- back first. Mails that are still owed cannot be delivered any more, and what their mailboxes still hold back goes.
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
      reason = case when state in ('pending', 'sending') then 'the person was erased' end
  where registration_id = any (p_ids);

  update registrations
  set name = '', email = '', email_key = id::text, phone = null, company = null, fingerprint = '', ready = '{}',
      erased_at = p_now
  where id = any (p_ids) and erased_at is null;
  get diagnostics v_forgotten = row_count;
  return v_forgotten;
end
$$;
