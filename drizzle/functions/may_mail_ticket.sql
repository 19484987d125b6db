-- revision 1
-- Whether a mailbox may be sent its ticket again: at most every ten minutes and five times a day,
-- so that nobody can flood a stranger's mailbox by typing the address.
create or replace function may_mail_ticket(p_email_key text, p_now timestamptz) returns boolean
language sql stable as $$
  select count(*) < 5 and count(*) filter (where m.created_at > p_now - interval '10 minutes') = 0
  from registrations r
  join mails m on m.registration_id = r.id and m.kind = 'found'
  where r.email_key = p_email_key
    and r.status in ('confirmed', 'waitlisted', 'offered')
    and m.created_at > p_now - interval '24 hours'
$$;
