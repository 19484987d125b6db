-- revision 2
-- Sets the state of a board, usable, broken or retired, with a note. A lent board has to be returned before it is taken out of
-- use. A board out of use is not allocated.
-- outcome: changed | lent | not_found.
create or replace function set_board_state(
  p_board uuid, p_state text, p_note text, p_now timestamptz
) returns text
language plpgsql
set lock_timeout = '3s'
as $$
begin
  -- Lending locks the board too: loans are read after this lock.
  perform 1 from boards b where b.id = p_board for no key update;
  if not found then
    return 'not_found';
  elsif p_state <> 'usable' and exists (select 1 from loans l where l.board_id = p_board and l.returned_at is null) then
    return 'lent';
  else
    update boards b
    set state = p_state, note = p_note, updated_at = p_now,
        allocated_to = case when p_state = 'usable' then b.allocated_to end
    where b.id = p_board;
    return 'changed';
  end if;
end
$$;
