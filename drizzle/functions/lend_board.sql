-- revision 2
-- Lends a board to somebody who has a seat. Who holds a board, and which board a person holds, is decided by the unique
-- indexes of loans: nothing is read before it is written. The person's row is locked first, as by who erases people, then
-- the board's, as by who takes it out of use.
-- p_id: the nonce of the scan or tap; the same again is answered again. One that lent another board, or to somebody else,
--       is good for nothing: not_found.
-- p_at: by the phone's clock, believed from twelve hours before the start until now, and not before the board, or the
--       person's last one, came back: the times of a board follow one another.
-- outcome: lent | has_board (the person has one, which is given) | board_taken (holder: by whom) | unusable | not_found
--          (no such board, or nobody who has a seat in this workshop).
create or replace function lend_board(
  p_id uuid, p_board uuid, p_registration uuid, p_workshop uuid, p_at timestamptz, p_by text, p_now timestamptz
) returns table (outcome text, board uuid, holder uuid, replayed boolean)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_starts_at timestamptz;
  v_state text;
  v_board uuid;
  v_holder uuid;
begin
  loop
    select w.starts_at into v_starts_at
    from registrations r join workshops w on w.id = r.workshop_id
    where r.id = p_registration and r.workshop_id = p_workshop and r.status = 'confirmed' and r.erased_at is null
    for share of r;
    select b.state into v_state from boards b where b.id = p_board for no key update;

    -- Only now: of the same nonce twice at once one comes after the other.
    select l.board_id, l.registration_id into v_board, v_holder from loans l where l.id = p_id;
    if found and v_board = p_board and v_holder = p_registration then
      return query select 'lent', v_board, v_holder, true;
      return;
    elsif found or v_starts_at is null or v_state is null then
      return query select 'not_found', null::uuid, null::uuid, false;
      return;
    end if;

    if v_state = 'usable' then
      insert into loans (id, board_id, registration_id, workshop_id, lent_at, lent_by)
      select p_id, p_board, p_registration, p_workshop,
        greatest(
          least(p_at, p_now), least(v_starts_at - interval '12 hours', p_now),
          (select max(l.returned_at) from loans l where l.board_id = p_board),
          (select max(l.returned_at) from loans l where l.registration_id = p_registration)
        ),
        p_by
      on conflict do nothing;
      if found then
        return query select 'lent', p_board, p_registration, false;
        return;
      end if;
    end if;

    select l.board_id into v_board from loans l where l.registration_id = p_registration and l.returned_at is null;
    if found then
      return query select 'has_board', v_board, p_registration, false;
      return;
    end if;

    select l.registration_id into v_holder from loans l where l.board_id = p_board and l.returned_at is null;
    if found then
      return query select 'board_taken', p_board, v_holder, false;
      return;
    end if;

    if v_state <> 'usable' then
      return query select 'unusable', p_board, null::uuid, false;
      return;
    end if;
    -- What was in the way has ended meanwhile: once more.
  end loop;
end
$$;
