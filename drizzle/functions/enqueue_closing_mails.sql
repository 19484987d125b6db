-- revision 1
-- An organiser closed or reopened a workshop: enqueues one notice for each active registration, in the same statement.
-- Pending notices that became obsolete are discarded. Registrations whose last notice says the same get none, nor do those
-- that were never notified of the closing when it reopens. Nobody is notified once the workshop has started.
-- Sequential scans are disabled: without statistics a table would be read in full while sign-ups wait for the workshop's lock.
create or replace function enqueue_closing_mails() returns trigger
language plpgsql
set enable_seqscan = off
as $$
declare
  v_kind text := case new.state when 'closed' then 'closed' else 'reopened' end;
  v_opposite_kind text := case new.state when 'closed' then 'reopened' else 'closed' end;
begin
  -- A concurrent claim may be discarding a notice that is counted below as still to be sent: see claim_mails.sql.
  perform 1
  from mails m
  where m.kind in ('closed', 'reopened') and m.state in ('pending', 'sending')
    and m.registration_id in (select r.id from registrations r where r.workshop_id = new.id)
  order by m.id
  for no key update;

  update mails m
  set state = 'dead', reason = case new.state when 'closed' then 'reclosed' else 'reopened' end
  from registrations r
  where r.id = m.registration_id and r.workshop_id = new.id and m.kind = v_opposite_kind and m.state = 'pending';

  insert into mails (registration_id, kind, created_at, due_at)
  select r.id, v_kind, new.updated_at, new.updated_at
  from registrations r
  left join lateral (
    select m.kind
    from mails m
    where m.registration_id = r.id and m.kind in ('closed', 'reopened') and m.state <> 'dead'
      -- Notices about the workshop that the registration was moved from do not count.
      and (r.moved_at is null or m.created_at >= r.moved_at)
    -- A notice that is being sent may still fail, a pending one will be sent.
    order by m.state = 'pending' desc, m.id desc
    limit 1
  ) last_notice on true
  where r.workshop_id = new.id and r.status in ('confirmed', 'waitlisted', 'offered') and r.email <> ''
    and last_notice.kind is distinct from v_kind and (last_notice.kind is not null or v_kind = 'closed')
  order by r.seq;
  return null;
end
$$;
--> statement-breakpoint
-- Triggers run in the order of their names: this one before promote_waitlist_on_change, so that the notice is enqueued
-- before the mails of promoted attendees.
create or replace trigger enqueue_closing_mails_on_change after update of state on workshops
  for each row when (
    new.updated_at < new.starts_at
    and (old.state, new.state) in (('published', 'closed'), ('closed', 'published'))
  )
  execute function enqueue_closing_mails();
