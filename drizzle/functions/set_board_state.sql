-- revision 1
-- Says whether a board is usable, broken or retired, with a note. One that somebody has is not taken out of use: it has
-- to come back first. What is out of use is in no box.
-- outcome: changed | lent | not_found.
create or replace function set_board_state(
  p_board uuid, p_state text, p_note text, p_now timestamptz
) returns text
language plpgsql
set lock_timeout = '3s'
as $$
begin
  -- Who lends it waits for this lock, or this waits for them: what is read after it holds.
  perform 1 from boards b where b.id = p_board for no key update;
  if not found then
    return 'not_found';
  elsif p_state <> 'usable' and exists (select 1 from loans l where l.board_id = p_board and l.returned_at is null) then
    return 'lent';
  else
    update boards b
    set state = p_state, note = p_note, updated_at = p_now,
        packed_for = case when p_state = 'usable' then b.packed_for end
    where b.id = p_board;
    return 'changed';
  end if;
end
$$;
