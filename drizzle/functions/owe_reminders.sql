-- revision 2
-- Owes the reminders whose time it is to those whom they concern, and who were not reminded of that workshop on that day
-- before; p_limit of them at the most. Returns how many. Several may call it at once: the index mails_reminders_once lets
-- each through once.
-- A mail that became pointless before it left is as if it had not been; one that could not be delivered was one.
--
-- p_due: [{ workshop, kind, day, startsAt, until, seatedBy }], as domain/reminders.ts works it out, which knows the clocks
-- of all time zones. A workshop that was moved meanwhile is left for the next time.
-- p_first: when the first mail falls due, the others p_seconds apart, so that tickets get their turn between them.
--
-- Without the switches tables that were never analysed would be read from end to end, every minute.
create or replace function owe_reminders(
  p_due jsonb, p_limit integer, p_first timestamptz, p_seconds double precision, p_now timestamptz
) returns integer
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_owed integer;
begin
  insert into mails (registration_id, kind, facts, created_at, due_at)
  select r.id, due.kind, due.facts, p_now,
    p_first + p_seconds * interval '1 second' * (row_number() over (order by due.place, r.seq) - 1)
  from (
    select w.id as workshop_id, d.kind, d.day, d.place, d."seatedBy" as seated_by,
      case when d.kind = 'get_ready' then asked_of(w.id, w.campaign_id) end as asked,
      w.id || ' ' || d.day as occasion,
      jsonb_build_object('occasion', w.id || ' ' || d.day, 'startsAt', d."startsAt", 'until', d.until) as facts
    from rows from (
      jsonb_to_recordset(p_due) as (workshop uuid, kind text, day text, "startsAt" text, until text, "seatedBy" timestamptz)
    ) with ordinality as d(workshop, kind, day, "startsAt", until, "seatedBy", place)
    join workshops w on w.id = d.workshop and w.starts_at = d."startsAt"::timestamptz and w.state in ('published', 'closed')
    offset 0
  ) due
  cross join lateral (
    select r.id, r.seq
    from registrations r
    where r.workshop_id = due.workshop_id
      and (r.status = 'confirmed' or (r.status = 'offered' and r.offered_until > p_now and due.kind = 'get_ready'))
      -- Who was erased, or came in at the door and left no address, is mailed nothing.
      and r.erased_at is null and r.email <> ''
      and coalesce(r.seated_at, r.placed_at) <= due.seated_by
      and (due.kind <> 'get_ready' or not r.ready @> due.asked)
      and (due.kind <> 'coming' or r.coming_on is distinct from due.day::date)
      -- Not as "not exists", for which every mail is read where the tables were never analysed.
      and (
        select 1 from mails m
        where m.registration_id = r.id and m.kind = due.kind and m.facts ->> 'occasion' = due.occasion
          and (m.state <> 'dead' or m.reason not in (
            'its time is another since', 'too late for it', 'ready since', 'said so since', 'switched off since',
            'not taken in time', 'superseded by a move', 'superseded by a corrected address'
          ))
        limit 1
      ) is null
    offset 0
  ) r
  order by due.place, r.seq
  limit p_limit
  on conflict do nothing;
  get diagnostics v_owed = row_count;
  return v_owed;
end
$$;
