-- revision 5
-- Replaces a mistyped address and enqueues the confirmation again. Older ticket links and check-in codes become invalid,
-- because they may have reached a stranger.
-- outcome: corrected | unchanged | already_registered | too_many (five corrections, or the daily limit of mails to the new
--          address) | cancelled | over | not_found.
create or replace function correct_email(p_id uuid, p_email text, p_email_key text, p_now timestamptz)
returns table (outcome text, ticket_version integer)
language plpgsql
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  v_workshop workshops;
  v_registration registrations;
begin
  -- The campaign is locked first, so that the new address cannot be registered concurrently in another of its cities.
  perform 1
  from campaigns c
  where c.one_seat_per_person
    and c.id = (select w.campaign_id from registrations r join workshops w on w.id = r.workshop_id where r.id = p_id)
  for no key update;
  v_workshop := lock_registration_workshop(p_id);

  select r.* into v_registration from registrations r where r.id = p_id;

  if v_registration.id is null then
    return query select 'not_found', 0;
  elsif v_registration.status = 'cancelled' then
    return query select 'cancelled', v_registration.ticket_version;
  elsif p_now >= v_workshop.ends_at then
    return query select 'over', v_registration.ticket_version;
  elsif v_registration.email = p_email then
    return query select 'unchanged', v_registration.ticket_version;
  elsif v_registration.ticket_version > 5 or count_mails_triggered_today(p_email_key, p_now) >= 10 then
    return query select 'too_many', v_registration.ticket_version;
  elsif active_registration(p_email_key, v_workshop) <> p_id then
    return query select 'already_registered', v_registration.ticket_version;
  else
    update registrations
    set email = p_email, email_key = p_email_key, ticket_version = ticket_version + 1,
        calendar_sequence_offset = calendar_sequence_offset + 1
    where id = p_id;

    -- Discards pending mails that the new confirmation replaces; reminders are enqueued again by enqueue_reminders.
    -- Nothing enqueues the kinds below again.
    update mails set state = 'dead', reason = 'address_corrected'
    where registration_id = p_id and state = 'pending'
      and kind not in ('closed', 'reopened', 'message', 'board_due', 'afterwards');

    insert into mails (registration_id, kind, payload, created_at, due_at)
    values (p_id, v_registration.status, '{"corrected": true}', p_now, p_now);

    return query select 'corrected', v_registration.ticket_version + 1;
  end if;
end
$$;
