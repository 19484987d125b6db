-- revision 2
-- Owes a mail to those who still have a board of a workshop and have an address, unless they were owed one within a day.
-- One that came back before its mail left was asked of nobody. Returns how many.
create or replace function owe_board_due(p_workshop uuid, p_now timestamptz) returns integer
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_owed integer;
begin
  -- In the order of their ids, as who erases people; what is owed already is read after it.
  perform 1 from registrations r
  where r.id in (select l.registration_id from loans l where l.workshop_id = p_workshop and l.returned_at is null)
  order by r.id for no key update;

  insert into mails (registration_id, kind, facts, created_at, due_at)
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
        and (m.state <> 'dead' or m.reason <> 'the board came back since')
    )
  order by l.lent_at, r.id;
  get diagnostics v_owed = row_count;
  return v_owed;
end
$$;
