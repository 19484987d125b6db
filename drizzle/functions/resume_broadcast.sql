-- revision 1
-- Ends the pause of a broadcast. Its pending mails, and those that failed because their content was refused, become due
-- p_interval_seconds apart, so that tickets are sent in between. Mails that were sent or failed for another reason stay.
-- Returns the number of mails now pending; 0 if nothing was paused or refused.
create or replace function resume_broadcast(p_broadcast uuid, p_interval_seconds double precision, p_now timestamptz) returns integer
language plpgsql as $$
declare
  v_was_paused boolean;
  v_ids bigint[];
begin
  select c.paused_at is not null into v_was_paused from content_refusals c where c.broadcast_id = p_broadcast for no key update;
  update content_refusals c
  set refused_mails = '{}', last_error = null, paused_at = null
  where c.broadcast_id = p_broadcast;

  v_ids := array(
    select m.id from mails m
    where m.broadcast_id = p_broadcast
      and ((m.state = 'pending' and v_was_paused) or (m.state = 'dead' and m.refusals > 0))
    order by m.id
    for no key update
  );
  update mails m
  set state = 'pending', reason = null, last_error = null, refusals = 0, first_tried_at = null,
    due_at = p_now + p_interval_seconds * interval '1 second' * (ordinal.n - 1)
  from unnest(v_ids) with ordinality as ordinal(id, n)
  where m.id = ordinal.id;
  return cardinality(v_ids);
end
$$;
