-- revision 1
-- Stores a pending sign-up and enqueues the mail with the link that confirms it. It holds no seat; the rules are evaluated
-- again when the link is followed.
-- p_sign_up: validated input.
-- outcome: held, also for a retry | known (the idempotency key belongs to a registration: call `register`)
--          | idempotency_mismatch | already_registered (the ticket is mailed to the address on file, at most every
--          ten minutes) | full | not_open | closed | cancelled | too_many (daily limit of mails to this address) | not_found.
create or replace function create_pending_sign_up(
  p_id uuid, p_workshop uuid, p_sign_up jsonb, p_email_key text, p_idempotency_key text, p_now timestamptz
) returns text
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_workshop workshops;
  v_pending jsonb;
  v_active uuid;
begin
  -- Serializes sign-ups for this workshop, so that the limit of mails is exact within it. Concurrent sign-ups for several
  -- workshops may exceed it slightly.
  select w.* into v_workshop from workshops w where w.id = p_workshop for no key update;

  if exists (
    select 1 from registrations r
    where r.idempotency_key = p_idempotency_key and r.first_workshop_id = p_workshop
  ) then
    return 'known';
  end if;

  -- The mailed link has expired, so the key may be used again.
  delete from pending_sign_ups p
  where p.idempotency_key = p_idempotency_key and p.workshop_id = p_workshop
    and p.created_at <= p_now - interval '24 hours';

  select p.sign_up into v_pending from pending_sign_ups p
  where p.idempotency_key = p_idempotency_key and p.workshop_id = p_workshop;
  v_active := active_registration(p_email_key, v_workshop);

  if v_pending is not null then
    return case when v_pending = p_sign_up then 'held' else 'idempotency_mismatch' end;
  elsif v_workshop.id is null then
    return 'not_found';
  elsif registration_refusal(v_workshop, p_now) is not null then
    return registration_refusal(v_workshop, p_now);
  elsif v_active is not null then
    insert into mails (registration_id, kind, created_at, due_at)
    select v_active, 'found', p_now, p_now where can_mail_ticket(p_email_key, p_now);
    return 'already_registered';
  elsif count_mails_triggered_today(p_email_key, p_now) >= 10 then
    return 'too_many';
  elsif not v_workshop.waitlist and (v_workshop.waitlisted > 0 or v_workshop.taken >= v_workshop.capacity) then
    return 'full';
  end if;

  insert into pending_sign_ups (id, workshop_id, email_key, sign_up, idempotency_key, created_at)
  values (p_id, p_workshop, p_email_key, p_sign_up, p_idempotency_key, p_now);

  insert into mails (pending_sign_up_id, kind, created_at, due_at) values (p_id, 'held', p_now, p_now);
  return 'held';
end
$$;
