-- revision 3
-- The mails that were caused in the last day by whoever typed an address: ten are enough for everyone who owns it, and
-- nobody shall flood a stranger's mailbox by signing up and cancelling, by typing it in, by moving to and fro, or by
-- correcting to it. Those of held sign-ups count too.
-- Returns a table so that the planner writes it into the statement that asks, and leaves it one order: see in_the_way.sql.
create or replace function mails_caused_by(p_email_key text, p_now timestamptz) returns table (id bigint)
language sql stable as $$
  select m.id
  from registrations r
  cross join lateral (
    select m.id from mails m
    where m.registration_id = r.id
      and m.created_at > p_now - interval '24 hours'
      and (m.kind in ('confirmed', 'waitlisted', 'found', 'moved') or m.facts ->> 'corrected' is not null)
    offset 0
  ) m
  where r.email_key = p_email_key
  union all
  select m.id
  from held_sign_ups h
  cross join lateral (
    select m.id from mails m where m.held_id = h.id and m.created_at > p_now - interval '24 hours' offset 0
  ) m
  where h.email_key = p_email_key
$$;
--> statement-breakpoint
-- How many they are.
create or replace function mails_caused(p_email_key text, p_now timestamptz) returns integer
language sql stable as $$
  select count(*)::integer from mails_caused_by(p_email_key, p_now)
$$;
