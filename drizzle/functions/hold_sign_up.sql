-- revision 1
-- Holds a sign-up until its person follows the link that is mailed to the address typed, and owes that mail. It takes no
-- seat: what it may be refused for is looked at again when the link is followed.
-- p_sign_up: what was typed, checked already.
-- outcome: held, also for a retry | known (its key has a registration: `register` answers it) | idempotency_mismatch
--          | already_registered (the ticket goes to the address on file) | full | not_open | closed | cancelled
--          | too_many (mails to this address today) | not_found.
create or replace function hold_sign_up(
  p_id uuid, p_workshop uuid, p_sign_up jsonb, p_email_key text, p_idempotency_key text, p_now timestamptz
) returns text
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_workshop workshops;
  v_held jsonb;
  v_live uuid;
begin
  -- So that those who type the same address in at once are counted one after another.
  select w.* into v_workshop from workshops w where w.id = p_workshop for no key update;

  if exists (
    select 1 from registrations r
    where r.idempotency_key = p_idempotency_key and r.first_workshop_id = p_workshop
  ) then
    return 'known';
  end if;

  delete from held_sign_ups h
  where h.idempotency_key = p_idempotency_key and h.workshop_id = p_workshop
    and h.created_at <= p_now - interval '24 hours';

  select h.sign_up into v_held from held_sign_ups h
  where h.idempotency_key = p_idempotency_key and h.workshop_id = p_workshop;
  v_live := live_registration(p_email_key, v_workshop);

  if v_held is not null then
    return case when v_held = p_sign_up then 'held' else 'idempotency_mismatch' end;
  elsif v_workshop.id is null then
    return 'not_found';
  elsif refusal_of(v_workshop, p_now) is not null then
    return refusal_of(v_workshop, p_now);
  elsif v_live is not null then
    insert into mails (registration_id, kind, created_at, due_at)
    select v_live, 'found', p_now, p_now where may_mail_ticket(p_email_key, p_now);
    return 'already_registered';
  elsif mails_caused(p_email_key, p_now) >= 10 then
    return 'too_many';
  elsif not v_workshop.waitlist and (v_workshop.waitlisted > 0 or v_workshop.taken >= v_workshop.capacity) then
    return 'full';
  end if;

  insert into held_sign_ups (id, workshop_id, email_key, sign_up, idempotency_key, created_at)
  values (p_id, p_workshop, p_email_key, p_sign_up, p_idempotency_key, p_now);

  insert into mails (held_id, kind, created_at, due_at) values (p_id, 'held', p_now, p_now);
  return 'held';
end
$$;
