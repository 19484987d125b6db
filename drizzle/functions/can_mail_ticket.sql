-- revision 1
-- Returns true if the ticket may be mailed to an address again: at most every ten minutes, and within the daily limit.
create or replace function can_mail_ticket(p_email_key text, p_now timestamptz) returns boolean
language sql stable as $$
  select count_mails_triggered_today(p_email_key, p_now) < 10 and not exists (
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
