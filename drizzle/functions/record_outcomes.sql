-- revision 2
-- Records the outcomes of delivery attempts, and pauses what the server refuses for its content. Outcomes of mails that
-- another sender claimed since are ignored.
--
-- p_outcomes: [{ id, attempt, state, sent_at, due_at, reason, postponed_since, refused_at }] in the order in which the
-- attempts ended, as domain/mails.ts builds it. refused_at: when a mail was claimed whose content was refused; it is
-- `pending`, as every mail that is tried again, or `dead` after 24 hours.
--
-- Refusals in a row are counted for each message of an organiser, and together for all other mails; one mail counts once in
-- a row, and in two rows at the most: otherwise five mails that are refused in any case would pause delivery every hour.
-- Five pause the message, or delivery as a whole, and the five are due at once. An accepted mail ends the row.
--
-- While delivery is paused, claim_mails hands out one mail at a time. After a refusal the next one is tried 30 s, 1, 2, 4
-- and then every 5 minutes later; after an accepted mail at once. Five accepted in a row, or an accepted one after which no
-- other is due, end the pause: a server that accepts one attempt in six would otherwise refuse most mails at full speed.
-- The 24 hours of the refused mails do not run until the first mail is accepted.
--
-- Returns what was recorded of each mail. pause: null | paused | kept | resumed; of its message if of_message.
--
-- Locks: content_refusals, then mails by id, as resume_message does; claim_mails skips mails that are locked.
create or replace function record_outcomes(p_outcomes jsonb, p_now timestamptz)
returns table (mail_id bigint, recorded text, pause text, of_message boolean)
language plpgsql as $$
declare
  v_ids bigint[] := array(select (o ->> 'id')::bigint from jsonb_array_elements(p_outcomes) o);
  v_refused boolean := exists (select 1 from jsonb_array_elements(p_outcomes) o where o ->> 'refused_at' is not null);
  v_messages uuid[];
  v_others boolean;
  v_rows integer[] := '{}';
  v_outcome record;
  v_run content_refusals;
  v_delivery content_refusals;
begin
  -- The rows that these outcomes may change: as a rule there are none, and this is all that counting costs.
  if v_refused or exists (select 1 from content_refusals c where c.refused_mails <> '{}' or c.paused_at is not null) then
    select array_agg(distinct m.written_id) filter (where m.written_id is not null), bool_or(m.written_id is null)
    into v_messages, v_others
    from mails m
    where m.id = any (v_ids);
    if v_refused then
      insert into content_refusals (written_id)
      select unnest(v_messages) union all select null::uuid where v_others
      order by 1
      on conflict do nothing;
    end if;
    v_rows := array(
      select c.id from content_refusals c
      where c.written_id = any (v_messages) or (c.written_id is null and v_others) or c.probed_mail = any (v_ids)
      order by c.id
      for no key update
    );
  end if;
  perform 1 from mails m
  where m.id = any (
    v_ids || array(select unnest(c.refused_mails) from content_refusals c where c.id = any (v_rows))
  )
  order by m.id
  for no key update;

  for v_outcome in
    with outcomes as (
      select * from rows from (
        jsonb_to_recordset(p_outcomes) as (
          id bigint, attempt integer, state text, sent_at timestamptz, due_at timestamptz, reason text,
          postponed_since timestamptz, refused_at timestamptz
        )
      ) with ordinality as o(id, attempt, state, sent_at, due_at, reason, postponed_since, refused_at, n)
    ),
    -- The clock of the 24 hours stops from the claim of a postponed mail to the next. If that claim was the first, it has
    -- not begun. A message that nobody can have seen gets another date.
    stored as (
      update mails m
      set state = outcomes.state, leased_until = null,
        sent_at = coalesce(outcomes.sent_at, m.sent_at),
        due_at = coalesce(outcomes.due_at, m.due_at),
        reason = coalesce(outcomes.reason, case when outcomes.postponed_since is not null then m.reason end),
        first_tried_at = case when outcomes.postponed_since is null then m.first_tried_at
          else nullif(m.first_tried_at, outcomes.postponed_since) + (outcomes.due_at - outcomes.postponed_since) end,
        dated_at = nullif(m.dated_at, coalesce(outcomes.postponed_since, outcomes.refused_at))
      from outcomes
      where m.id = any (v_ids) and m.id = outcomes.id and m.attempt = outcomes.attempt and m.state = 'sending'
      returning m.id, m.written_id, m.refusals, outcomes.n, outcomes.state, outcomes.reason, outcomes.refused_at is not null as refused
    )
    select * from stored order by n
  loop
    mail_id := v_outcome.id;
    recorded := v_outcome.state;
    pause := null;
    of_message := false;
    if cardinality(v_rows) > 0 then
      select * into v_run from content_refusals c
      where c.id = any (v_rows) and c.written_id is not distinct from v_outcome.written_id;
      select * into v_delivery from content_refusals c
      where c.id = any (v_rows) and c.written_id is null and c.paused_at is not null and c.probed_mail = v_outcome.id;

      if v_outcome.state = 'sent' then
        if v_run.written_id is not null or v_run.paused_at is null then
          update content_refusals c set refused_mails = '{}', reason = null, paused_at = null where c.id = v_run.id;
          if v_run.paused_at is not null then
            pause := 'resumed';
            of_message := true;
          end if;
        end if;
        -- While delivery is paused only the mail that was to be tried counts, also one of a message.
        if v_delivery.accepted >= 4 or (v_delivery.id is not null and not exists (
          select 1 from mails m
          where m.state in ('pending', 'sending') and m.due_at <= p_now and (m.written_id is null or m.written_id <> all (
            array(select c.written_id from content_refusals c where c.written_id is not null and c.paused_at is not null)
          ))
        )) then
          update content_refusals c
          set refused_mails = '{}', reason = null, paused_at = null, probe_at = null, probes = 0, probed_mail = null,
            accepted = 0
          where c.id = v_delivery.id;
          pause := 'resumed';
          of_message := false;
        elsif v_delivery.id is not null then
          update content_refusals c
          set refused_mails = '{}', accepted = c.accepted + 1, probe_at = p_now, probes = 0
          where c.id = v_delivery.id;
        end if;

      elsif v_outcome.refused and (v_delivery.id is not null or v_run.paused_at is not null) then
        pause := 'kept';
        of_message := v_delivery.id is null and v_run.written_id is not null;
        update mails m
        set due_at = p_now,
          first_tried_at = case when not of_message and coalesce(v_delivery.refused_mails, v_run.refused_mails) = '{}'
            then m.first_tried_at end
        where m.id = v_outcome.id and m.state = 'pending';
        update content_refusals c
        set reason = v_outcome.reason, accepted = 0, probes = c.probes + 1,
          probe_at = p_now + least(interval '30 seconds' * 2 ^ least(c.probes, 4), interval '5 minutes')
        where c.id = v_delivery.id;

      elsif v_outcome.refused then
        update mails m set refusals = m.refusals + 1 where m.id = v_outcome.id;
        if v_outcome.refusals < 2 and not v_outcome.id = any (v_run.refused_mails) then
          v_run.refused_mails := v_run.refused_mails || v_outcome.id;
          if cardinality(v_run.refused_mails) >= 5 then
            pause := 'paused';
            of_message := v_run.written_id is not null;
            v_run.paused_at := p_now;
            update mails m set due_at = p_now where m.id = any (v_run.refused_mails) and m.state = 'pending';
            if not of_message then
              v_run.probe_at := p_now + interval '30 seconds';
              -- The pause does not count as time in which a mail was tried.
              update mails m set first_tried_at = null
              where m.id in (
                select waits.id from mails waits
                where waits.state = 'pending' and waits.first_tried_at is not null
                for no key update skip locked
              );
            end if;
          end if;
          update content_refusals c
          set refused_mails = v_run.refused_mails, reason = v_outcome.reason, paused_at = v_run.paused_at,
            probe_at = v_run.probe_at, probes = 1, probed_mail = null, accepted = 0
          where c.id = v_run.id;
        end if;

      elsif v_delivery.id is not null then
        -- Not about content: the next mail may be tried at once.
        update content_refusals c set probe_at = p_now where c.id = v_delivery.id;
      end if;
    end if;
    return next;
  end loop;
end
$$;
