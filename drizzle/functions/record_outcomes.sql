-- revision 3
-- Records the outcomes of delivery attempts, and pauses what the server refuses for its content. Outcomes of mails that
-- another sender has claimed since are ignored.
--
-- p_outcomes: [{ id, attempt, state, sent_at, due_at, reason, last_error, deferred_since, refused_at }] in the order in which
-- the attempts ended, as built by domain/mails/outbox.ts. refused_at: claim time of a mail whose content was refused; the
-- mail is `pending`, as every mail that is retried, or `dead` after 24 hours.
--
-- Consecutive refusals are counted per broadcast, and together for all other mails. A mail counts once per streak, and in two
-- streaks at most: otherwise five mails that are always refused would pause delivery every hour. Five refusals pause the
-- broadcast, or delivery as a whole, and those five are due at once. An accepted mail ends the streak.
--
-- While delivery is paused, claim_mails returns one mail at a time (a probe). After a refusal the next probe follows 30 s, 1, 2,
-- 4 and then every 5 minutes later; after an accepted mail at once. The pause ends after five accepted in a row, or one after
-- which no other is due: a server that accepts one attempt in six would otherwise refuse most mails at full speed.
-- The 24 hours of the refused mails do not run until the first mail is accepted.
--
-- Returns what was recorded of each mail. pause: null | paused | kept | resumed; of its broadcast if of_broadcast.
--
-- Locks: content_refusals, then mails by id, as in resume_broadcast; claim_mails skips locked mails.
create or replace function record_outcomes(p_outcomes jsonb, p_now timestamptz)
returns table (mail_id bigint, recorded text, pause text, of_broadcast boolean)
language plpgsql as $$
declare
  v_ids bigint[] := array(select (o ->> 'id')::bigint from jsonb_array_elements(p_outcomes) o);
  v_any_refused boolean := exists (select 1 from jsonb_array_elements(p_outcomes) o where o ->> 'refused_at' is not null);
  v_broadcasts uuid[];
  v_has_other_mails boolean;
  v_streak_ids integer[] := '{}';
  v_outcome record;
  v_streak content_refusals;
  v_delivery content_refusals;
begin
  -- The streaks that these outcomes may change. Usually there are none, and this check is the only cost.
  if v_any_refused or exists (select 1 from content_refusals c where c.refused_mails <> '{}' or c.paused_at is not null) then
    select array_agg(distinct m.broadcast_id) filter (where m.broadcast_id is not null), bool_or(m.broadcast_id is null)
    into v_broadcasts, v_has_other_mails
    from mails m
    where m.id = any (v_ids);
    if v_any_refused then
      insert into content_refusals (broadcast_id)
      select unnest(v_broadcasts) union all select null::uuid where v_has_other_mails
      order by 1
      on conflict do nothing;
    end if;
    v_streak_ids := array(
      select c.id from content_refusals c
      where c.broadcast_id = any (v_broadcasts) or (c.broadcast_id is null and v_has_other_mails) or c.probed_mail = any (v_ids)
      order by c.id
      for no key update
    );
  end if;
  perform 1 from mails m
  where m.id = any (
    v_ids || array(select unnest(c.refused_mails) from content_refusals c where c.id = any (v_streak_ids))
  )
  order by m.id
  for no key update;

  for v_outcome in
    with outcomes as (
      select *, deferred_since is not null and reason is null and last_error is null as unchanged from rows from (
        jsonb_to_recordset(p_outcomes) as (
          id bigint, attempt integer, state text, sent_at timestamptz, due_at timestamptz, reason text, last_error text,
          deferred_since timestamptz, refused_at timestamptz
        )
      ) with ordinality as o(id, attempt, state, sent_at, due_at, reason, last_error, deferred_since, refused_at, n)
    ),
    -- The 24 hours do not run from the claim of a deferred mail to its next claim; if that claim was the first, they have not
    -- begun. A mail that cannot have been delivered gets a new Date.
    stored as (
      update mails m
      set state = outcomes.state, leased_until = null,
        sent_at = coalesce(outcomes.sent_at, m.sent_at),
        due_at = coalesce(outcomes.due_at, m.due_at),
        reason = case when outcomes.unchanged then m.reason else outcomes.reason end,
        last_error = case when outcomes.unchanged then m.last_error else outcomes.last_error end,
        first_tried_at = case when outcomes.deferred_since is null then m.first_tried_at
          else nullif(m.first_tried_at, outcomes.deferred_since) + (outcomes.due_at - outcomes.deferred_since) end,
        message_date = nullif(m.message_date, coalesce(outcomes.deferred_since, outcomes.refused_at))
      from outcomes
      where m.id = any (v_ids) and m.id = outcomes.id and m.attempt = outcomes.attempt and m.state = 'sending'
      returning m.id, m.broadcast_id, m.refusals, outcomes.n, outcomes.state, outcomes.last_error, outcomes.refused_at is not null as refused
    )
    select * from stored order by n
  loop
    mail_id := v_outcome.id;
    recorded := v_outcome.state;
    pause := null;
    of_broadcast := false;
    if cardinality(v_streak_ids) > 0 then
      select * into v_streak from content_refusals c
      where c.id = any (v_streak_ids) and c.broadcast_id is not distinct from v_outcome.broadcast_id;
      select * into v_delivery from content_refusals c
      where c.id = any (v_streak_ids) and c.broadcast_id is null and c.paused_at is not null and c.probed_mail = v_outcome.id;

      if v_outcome.state = 'sent' then
        if v_streak.broadcast_id is not null or v_streak.paused_at is null then
          update content_refusals c set refused_mails = '{}', last_error = null, paused_at = null where c.id = v_streak.id;
          if v_streak.paused_at is not null then
            pause := 'resumed';
            of_broadcast := true;
          end if;
        end if;
        -- While delivery is paused only the probed mail counts, also if it belongs to a broadcast.
        if v_delivery.accepted >= 4 or (v_delivery.id is not null and not exists (
          select 1 from mails m
          where m.state in ('pending', 'sending') and m.due_at <= p_now and (m.broadcast_id is null or m.broadcast_id <> all (
            array(select c.broadcast_id from content_refusals c where c.broadcast_id is not null and c.paused_at is not null)
          ))
        )) then
          update content_refusals c
          set refused_mails = '{}', last_error = null, paused_at = null, probe_at = null, probes = 0, probed_mail = null,
            accepted = 0
          where c.id = v_delivery.id;
          pause := 'resumed';
          of_broadcast := false;
        elsif v_delivery.id is not null then
          update content_refusals c
          set refused_mails = '{}', accepted = c.accepted + 1, probe_at = p_now, probes = 0
          where c.id = v_delivery.id;
        end if;

      elsif v_outcome.refused and (v_delivery.id is not null or v_streak.paused_at is not null) then
        pause := 'kept';
        of_broadcast := v_delivery.id is null and v_streak.broadcast_id is not null;
        update mails m
        set due_at = p_now,
          first_tried_at = case when not of_broadcast and coalesce(v_delivery.refused_mails, v_streak.refused_mails) = '{}'
            then m.first_tried_at end
        where m.id = v_outcome.id and m.state = 'pending';
        update content_refusals c
        set last_error = v_outcome.last_error, accepted = 0, probes = c.probes + 1,
          probe_at = p_now + least(interval '30 seconds' * 2 ^ least(c.probes, 4), interval '5 minutes')
        where c.id = v_delivery.id;

      elsif v_outcome.refused then
        update mails m set refusals = m.refusals + 1 where m.id = v_outcome.id;
        if v_outcome.refusals < 2 and not v_outcome.id = any (v_streak.refused_mails) then
          v_streak.refused_mails := v_streak.refused_mails || v_outcome.id;
          if cardinality(v_streak.refused_mails) >= 5 then
            pause := 'paused';
            of_broadcast := v_streak.broadcast_id is not null;
            v_streak.paused_at := p_now;
            update mails m set due_at = p_now where m.id = any (v_streak.refused_mails) and m.state = 'pending';
            if not of_broadcast then
              v_streak.probe_at := p_now + interval '30 seconds';
              -- The pause does not count towards the 24 hours.
              update mails m set first_tried_at = null
              where m.id in (
                select queued.id from mails queued
                where queued.state = 'pending' and queued.first_tried_at is not null
                for no key update skip locked
              );
            end if;
          end if;
          update content_refusals c
          set refused_mails = v_streak.refused_mails, last_error = v_outcome.last_error, paused_at = v_streak.paused_at,
            probe_at = v_streak.probe_at, probes = 1, probed_mail = null, accepted = 0
          where c.id = v_streak.id;
        end if;

      elsif v_delivery.id is not null then
        -- Not about content: the next probe is due at once.
        update content_refusals c set probe_at = p_now where c.id = v_delivery.id;
      end if;
    end if;
    return next;
  end loop;
end
$$;
