-- revision 1
-- Returns the mails of the last 24 hours that were triggered by anonymous input of an address: signing up, looking up tickets,
-- moving and correcting, including pending sign-ups. Ten per address are allowed, so that nobody can flood a stranger's mailbox.
-- A table function with a fixed join order: see conflicting_registrations.sql.
create or replace function mails_triggered_today(p_email_key text, p_now timestamptz) returns table (id bigint)
language sql stable as $$
  select m.id
  from registrations r
  cross join lateral (
    select m.id from mails m
    where m.registration_id = r.id
      and m.created_at > p_now - interval '24 hours'
      and (m.kind in ('confirmed', 'waitlisted', 'found', 'moved') or m.payload ->> 'corrected' is not null)
    offset 0
  ) m
  where r.email_key = p_email_key
  union all
  select m.id
  from pending_sign_ups h
  cross join lateral (
    select m.id from mails m where m.pending_sign_up_id = h.id and m.created_at > p_now - interval '24 hours' offset 0
  ) m
  where h.email_key = p_email_key
$$;
--> statement-breakpoint
create or replace function count_mails_triggered_today(p_email_key text, p_now timestamptz) returns integer
language sql stable as $$
  select count(*)::integer from mails_triggered_today(p_email_key, p_now)
$$;
