-- revision 5
-- Moves a registration to another workshop of its campaign: same id, same ticket, a new number there, and a seat if one is
-- free and nobody is waitlisted, else a place on the waitlist. The seat it leaves goes to the next in line. If it is refused
-- nothing changes.
-- outcome: confirmed | waitlisted | not_live (it is cancelled) | over (its workshop has started) | already_registered (for the
--          other one) | too_many (daily limit of mails) | full | not_open | closed | cancelled | not_found.
create or replace function move_registration(p_id uuid, p_to uuid, p_now timestamptz)
returns table (outcome text)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_from uuid;
  v_registration registrations;
  v_old workshops;
  v_new workshops;
  v_status text;
begin
  loop
    select r.workshop_id into v_from from registrations r where r.id = p_id;
    perform 1 from workshops w where w.id in (v_from, p_to) order by w.id for no key update;
    select r.* into v_registration from registrations r where r.id = p_id;
    -- Checks again after the locks: the registration may have been moved meanwhile.
    exit when v_registration.workshop_id is not distinct from v_from;
  end loop;
  select w.* into v_old from workshops w where w.id = v_from;
  select w.* into v_new from workshops w where w.id = p_to;

  v_status := case
    when v_new.waitlisted = 0 and v_new.taken < v_new.capacity then 'confirmed'
    when v_new.waitlist then 'waitlisted'
  end;

  if v_registration.id is null or v_new.id is null or v_new.campaign_id is distinct from v_old.campaign_id
    or v_new.campaign_id is null then
    return query select 'not_found';
  elsif v_registration.status = 'cancelled' then
    return query select 'not_live';
  elsif p_now >= v_old.starts_at then
    return query select 'over';
  elsif exists (
    select 1 from registrations r
    where r.email_key = v_registration.email_key and r.workshop_id = p_to
      and r.status in ('confirmed', 'waitlisted', 'offered')
  ) then
    return query select 'already_registered';
  elsif registration_refusal(v_new, p_now) is not null then
    return query select registration_refusal(v_new, p_now);
  elsif count_mails_triggered_today(v_registration.email_key, p_now) >= 10 then
    return query select 'too_many';
  elsif v_status is null then
    return query select 'full';
  else
    update registrations
    set workshop_id = p_to,
        seq = v_new.next_seq,
        status = v_status,
        placed_at = greatest(p_now, v_new.last_placed_at),
        moved_at = p_now,
        seated_at = case when v_status = 'confirmed' then p_now end,
        offered_until = null,
        -- That decision concerned the waitlist of the old workshop.
        promoted_manually = false,
        -- So did the place in the door queue.
        walk_in_at = null,
        calendar_sequence_offset = greatest(0, v_old.calendar_sequence - v_new.calendar_sequence) + calendar_sequence_offset + 1
    where id = p_id;

    -- Pending mails are about the old workshop or would repeat this one, except a broadcast to the campaign. So are mails whose
    -- content was refused: resume_broadcast would send them.
    update mails m set state = 'dead', reason = 'moved', refusals = 0
    where m.registration_id = p_id and (m.state = 'pending' or (m.state = 'dead' and m.refusals > 0)) and m.kind <> 'found'
      and not exists (select 1 from broadcasts x where x.id = m.broadcast_id and x.campaign_id is not null);

    insert into mails (registration_id, kind, payload, created_at, due_at)
    select p_id, 'moved', jsonb_build_object('from', v_old.id), p_now, p_now where v_registration.email <> '';

    perform promote_waitlist(v_old.id, p_now);
    return query select v_status;
  end if;
end
$$;
