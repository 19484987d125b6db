-- revision 2
-- Ends the pause of a message, and makes its pending mails due, and those that failed because their content was refused.
-- Mails that were sent or failed for another reason stay as they are. p_seconds apart, so that tickets are sent in between.
-- Returns how many mails wait now; 0 if nothing was paused or refused.
create or replace function resume_message(p_message uuid, p_seconds double precision, p_now timestamptz) returns integer
language plpgsql as $$
declare
  v_was_paused boolean;
  v_ids bigint[];
begin
  select c.paused_at is not null into v_was_paused from content_refusals c where c.written_id = p_message for no key update;
  update content_refusals c
  set refused_mails = '{}', reason = null, paused_at = null
  where c.written_id = p_message;

  v_ids := array(
    select m.id from mails m
    where m.written_id = p_message
      and ((m.state = 'pending' and v_was_paused) or (m.state = 'dead' and m.refusals > 0))
    order by m.id
    for no key update
  );
  update mails m
  set state = 'pending', reason = null, refusals = 0, first_tried_at = null,
    due_at = p_now + p_seconds * interval '1 second' * (place.n - 1)
  from unnest(v_ids) with ordinality as place(id, n)
  where m.id = place.id;
  return cardinality(v_ids);
end
$$;
