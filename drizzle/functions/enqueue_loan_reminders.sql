-- revision 1
-- Enqueues a mail to everyone who has an address and has not returned a board of a workshop, at most once a day. A mail that
-- was discarded because the board had been returned does not count. Returns the number of mails.
create or replace function enqueue_loan_reminders(p_workshop uuid, p_now timestamptz) returns integer
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_enqueued integer;
begin
  -- Locked in the order of ids, as in erase_people; existing mails are read after it.
  perform 1 from registrations r
  where r.id in (select l.registration_id from loans l where l.workshop_id = p_workshop and l.returned_at is null)
  order by r.id for no key update;

  insert into mails (registration_id, kind, payload, created_at, due_at)
  select r.id, 'board_due',
    jsonb_build_object(
      'loan', l.id, 'from', l.workshop_id, 'board', jsonb_build_object('kind', b.kind, 'serial', b.serial)
    ), p_now, p_now
  from loans l
  join registrations r on r.id = l.registration_id
  join boards b on b.id = l.board_id
  where l.workshop_id = p_workshop and l.returned_at is null and r.email <> '' and r.erased_at is null
    and not exists (
      select 1 from mails m
      where m.registration_id = r.id and m.kind = 'board_due' and m.created_at > p_now - interval '1 day'
        and (m.state <> 'dead' or m.reason is distinct from 'board_returned')
    )
  order by l.lent_at, r.id;
  get diagnostics v_enqueued = row_count;
  return v_enqueued;
end
$$;
