-- revision 1
-- Erases the personal fields of registrations; what remains is a row that counts. A seat that is still held is given
-- back first. Mails that are still owed cannot be delivered any more. Returns how many people were forgotten.
-- p_by: who gives back the seat, attendee or organiser.
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

  -- In the order of their ids, because two purges may meet.
  perform 1 from registrations r where r.id = any (p_ids) order by r.id for no key update;

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
