-- revision 2
-- Whether a mailbox may be sent its ticket again: at most every ten minutes, and within what it may be sent at all.
create or replace function may_mail_ticket(p_email_key text, p_now timestamptz) returns boolean
language sql stable as $$
  select mails_caused(p_email_key, p_now) < 10 and not exists (
    select 1
    from registrations r
    cross join lateral (
      select 1 from mails m
      where m.registration_id = r.id and m.kind = 'found' and m.created_at > p_now - interval '10 minutes'
      offset 0
    ) m
    where r.email_key = p_email_key
  )
$$;
