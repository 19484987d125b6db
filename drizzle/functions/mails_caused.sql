-- revision 2
-- How many mails were caused in the last day by whoever typed an address: ten are enough for everyone who owns it, and
-- nobody shall flood a stranger's mailbox by signing up and cancelling, by typing it in, by moving to and
-- fro, or by correcting to it. Those of held sign-ups count too.
create or replace function mails_caused(p_email_key text, p_now timestamptz) returns integer
language sql stable as $$
  select (
    select count(*)
    from registrations r
    join mails m on m.registration_id = r.id
    where r.email_key = p_email_key
      and m.created_at > p_now - interval '24 hours'
      and m.kind in ('confirmed', 'waitlisted', 'found', 'moved')
  )::integer + (
    select count(*)
    from held_sign_ups h
    join mails m on m.held_id = h.id
    where h.email_key = p_email_key and m.created_at > p_now - interval '24 hours'
  )::integer
$$;
