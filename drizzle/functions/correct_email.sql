-- revision 4
-- Replaces a mistyped address and owes the confirmation again. Every older ticket link and door code becomes invalid,
-- because a stranger may have received them.
-- outcome: corrected | unchanged | already_registered | too_many (five corrections, or mails to the new
--          address today) | cancelled | over | not_found.
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
  -- First the campaign, so that nobody registers the new address in another of its cities meanwhile.
  perform 1
  from campaigns c
  where c.one_seat_per_person
    and c.id = (select w.campaign_id from registrations r join workshops w on w.id = r.workshop_id where r.id = p_id)
  for no key update;
  v_workshop := lock_workshop_of(p_id);

  select r.* into v_registration from registrations r where r.id = p_id;

  if v_registration.id is null then
    return query select 'not_found', 0;
  elsif v_registration.status = 'cancelled' then
    return query select 'cancelled', v_registration.ticket_version;
  elsif p_now >= v_workshop.ends_at then
    return query select 'over', v_registration.ticket_version;
  elsif v_registration.email = p_email then
    return query select 'unchanged', v_registration.ticket_version;
  elsif v_registration.ticket_version > 5 or mails_caused(p_email_key, p_now) >= 10 then
    return query select 'too_many', v_registration.ticket_version;
  elsif live_registration(p_email_key, v_workshop) <> p_id then
    return query select 'already_registered', v_registration.ticket_version;
  else
    update registrations
    set email = p_email, email_key = p_email_key, ticket_version = ticket_version + 1,
        calendar_raise = calendar_raise + 1
    where id = p_id;

    -- What still waits to be sent would now say the same twice, save what an organiser wrote and what follows the day.
    update mails set state = 'dead', reason = 'superseded by a corrected address'
    where registration_id = p_id and state = 'pending'
      and kind not in ('closed', 'reopened', 'message', 'board_due', 'afterwards');

    insert into mails (registration_id, kind, facts, created_at, due_at)
    values (p_id, v_registration.status, '{"corrected": true}', p_now, p_now);

    return query select 'corrected', v_registration.ticket_version + 1;
  end if;
end
$$;
