-- revision 3
-- Lends a board to a confirmed registration. Unique indexes on loans decide who has a board and which board a person has.
-- The registration is locked first, as in erase_person, then the board, as in set_board_state.
-- p_id: nonce of the scan or tap; a repeated one returns the same outcome. One that was used for another board or person
--       returns not_found.
-- p_at: the phone's time, clamped to between twelve hours before the start and now, and not before the last return of the
--       board or by the person, so that loans of a board do not overlap.
-- outcome: lent | has_board (board: the one that the person has) | board_taken (holder: who has it) | unusable
--          | not_found (no such board, or no confirmed registration in this workshop).
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

    -- Read after the locks, so that concurrent requests with the same nonce are serialized.
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
    -- The conflicting loan has ended meanwhile: try again.
  end loop;
end
$$;
