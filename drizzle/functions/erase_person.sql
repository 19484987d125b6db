-- revision 2
-- Erases one person on request, unless they have not returned a board: nobody could ask for it afterwards.
-- outcome: erased | board_not_returned | not_found (unknown or erased before).
create or replace function erase_person(p_id uuid, p_by text, p_now timestamptz) returns text
language plpgsql
set lock_timeout = '3s'
as $$
begin
  -- The workshop is locked first, as everywhere. Lending locks the registration, so loans are read after this lock.
  perform lock_registration_workshop(p_id);
  perform 1 from registrations r where r.id = p_id for no key update;

  if exists (select 1 from loans l where l.registration_id = p_id and l.returned_at is null) then
    return 'board_not_returned';
  elsif erase_people(array[p_id], p_by, p_now) = 0 then
    return 'not_found';
  else
    return 'erased';
  end if;
end
$$;
