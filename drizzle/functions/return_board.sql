-- revision 3
-- Records the return of a lent board, by anyone.
-- p_id: nonce of the scan or tap; a repeated one returns the same outcome. One that was used for another board returns
--       not_found.
-- p_at: the phone's time, clamped as in lend_board. A loan that began after it is not ended: a phone that was offline may
--       report late that a board was returned which has been lent again since. Clocks may differ by one minute.
-- p_state: broken or retired takes the board out of use and out of its allocation; null leaves it usable.
-- p_note: what is wrong or missing; null keeps the note.
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
  -- Locked before anything is read, so that concurrent requests with the same nonce are serialized.
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
      allocated_to = case when p_state is null then b.allocated_to end, updated_at = p_now
  where b.id = p_board and (p_state in ('broken', 'retired') or p_note is not null);

  return query select 'returned', v_registration, v_workshop, false;
end
$$;
