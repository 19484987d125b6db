-- revision 2
-- Takes a lent board back, whoever has it.
-- p_id: the nonce of the scan or tap; the same again is answered again. One that brought back another board is good for
--       none: not_found.
-- p_at: by the phone's clock, believed from twelve hours before the start until now, as by lend_board.sql. A loan that
--       began later is none of this return: a phone that was offline may tell late of a board that has come back over
--       another and was lent again. One minute is left to clocks that differ.
-- p_state: broken or retired takes it out of use with the same step, and out of the box in which it is packed; null
--          leaves it usable. p_note: what is wrong with it or missing; null leaves what is there.
-- outcome: returned | not_lent | not_found (no such board, or the nonce of another).
create or replace function return_board(
  p_id uuid, p_board uuid, p_at timestamptz, p_by text, p_state text, p_note text, p_now timestamptz
) returns table (outcome text, registration uuid, workshop uuid, replayed boolean)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_registration uuid;
  v_workshop uuid;
  v_board uuid;
begin
  -- Before anything is read: the same return twice at once is one of them after the other.
  perform 1 from boards b where b.id = p_board for no key update;
  if not found then
    return query select 'not_found', null::uuid, null::uuid, false;
    return;
  end if;

  select l.registration_id, l.workshop_id, l.board_id into v_registration, v_workshop, v_board
  from loans l where l.return_id = p_id;
  if v_board = p_board then
    return query select 'returned', v_registration, v_workshop, true;
    return;
  elsif v_board is not null then
    return query select 'not_found', null::uuid, null::uuid, false;
    return;
  end if;

  update loans l
  set returned_at = greatest(least(p_at, p_now), l.lent_at), returned_by = p_by, return_id = p_id
  where l.board_id = p_board and l.returned_at is null and l.lent_at <= interval '1 minute' + greatest(
    p_at, (select w.starts_at - interval '12 hours' from workshops w where w.id = l.workshop_id)
  )
  returning l.registration_id, l.workshop_id into v_registration, v_workshop;
  if not found then
    return query select 'not_lent', null::uuid, null::uuid, false;
    return;
  end if;

  update boards b
  set state = coalesce(p_state, b.state), note = coalesce(p_note, b.note),
      packed_for = case when p_state is null then b.packed_for end, updated_at = p_now
  where b.id = p_board and (p_state in ('broken', 'retired') or p_note is not null);

  return query select 'returned', v_registration, v_workshop, false;
end
$$;
