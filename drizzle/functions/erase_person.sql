-- revision 1
-- Erases one person who asks for it, or for whom an organiser does, unless they have a board that is not returned: nobody
-- would know any more whom to ask for it.
-- outcome: erased | board_not_returned | not_found (no such registration, or erased before).
create or replace function erase_person(p_id uuid, p_by text, p_now timestamptz) returns text
language plpgsql
set lock_timeout = '3s'
as $$
begin
  -- The workshop first, as everywhere. Who lends a board locks the person: what is read after this lock holds.
  perform lock_workshop_of(p_id);
  perform 1 from registrations r where r.id = p_id for no key update;

  if exists (select 1 from loans l where l.registration_id = p_id and l.returned_at is null) then
    return 'board_not_returned';
  elsif forget_people(array[p_id], p_by, p_now) = 0 then
    return 'not_found';
  else
    return 'erased';
  end if;
end
$$;
