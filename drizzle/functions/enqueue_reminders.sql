-- revision 1
-- Enqueues the reminders that are due, at most p_limit, for attendees who were not reminded of that workshop on that day yet.
-- Returns their number. May run concurrently: the index mails_reminders_once lets each through once.
-- A discarded reminder does not count; one that failed does.
--
-- p_due: [{ workshop, kind, day, startsAt, until, seatedBy }], computed by domain/mails/reminders.ts, which knows time zones. A
-- workshop that was rescheduled since is skipped until the next run.
-- p_first_due_at: due time of the first mail; the others follow p_interval_seconds apart, so that tickets are sent in between.
--
-- Planner settings: without statistics tables would be read in full, every minute.
create or replace function enqueue_reminders(
  p_due jsonb, p_limit integer, p_first_due_at timestamptz, p_interval_seconds double precision, p_now timestamptz
) returns integer
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_enqueued integer;
begin
  insert into mails (registration_id, kind, payload, created_at, due_at)
  select r.id, due.kind, due.payload, p_now,
    p_first_due_at + p_interval_seconds * interval '1 second' * (row_number() over (order by due.position, r.seq) - 1)
  from (
    select w.id as workshop_id, d.kind, d.day, d.position, d."seatedBy" as seated_by,
      case when d.kind = 'get_ready' then required_items(w.id, w.campaign_id) end as required,
      w.id || ' ' || d.day as occasion,
      jsonb_build_object('occasion', w.id || ' ' || d.day, 'startsAt', d."startsAt", 'until', d.until) as payload
    from rows from (
      jsonb_to_recordset(p_due) as (workshop uuid, kind text, day text, "startsAt" text, until text, "seatedBy" timestamptz)
    ) with ordinality as d(workshop, kind, day, "startsAt", until, "seatedBy", position)
    join workshops w on w.id = d.workshop and w.starts_at = d."startsAt"::timestamptz and w.state in ('published', 'closed')
    offset 0
  ) due
  cross join lateral (
    select r.id, r.seq
    from registrations r
    where r.workshop_id = due.workshop_id
      and (r.status = 'confirmed' or (r.status = 'offered' and r.offered_until > p_now and due.kind = 'get_ready'))
      -- Erased people and walk-ins without an address get no mail.
      and r.erased_at is null and r.email <> ''
      and coalesce(r.seated_at, r.placed_at) <= due.seated_by
      and (due.kind <> 'get_ready' or not r.ready @> due.required)
      and (due.kind <> 'coming' or r.attendance_confirmed_for is distinct from due.day::date)
      -- Not as "not exists": without statistics the planner would read every mail.
      and (
        select 1 from mails m
        where m.registration_id = r.id and m.kind = due.kind and m.payload ->> 'occasion' = due.occasion
          and (m.state <> 'dead' or coalesce(m.reason, '') not in (
            'rescheduled', 'too_late', 'already_ready', 'already_confirmed', 'reminder_disabled',
            'offer_expired', 'moved', 'address_corrected'
          ))
        limit 1
      ) is null
    offset 0
  ) r
  order by due.position, r.seq
  limit p_limit
  on conflict do nothing;
  get diagnostics v_enqueued = row_count;
  return v_enqueued;
end
$$;
