-- revision 1
-- What the attendees of a workshop are to confirm, as those answer who are ready: {"<id of an item>": true, …}; nothing
-- where nothing is asked. A workshop without items of its own has those of its campaign.
create or replace function asked_of(p_workshop uuid, p_campaign uuid) returns jsonb
language sql stable as $$
  select coalesce(jsonb_object_agg(i.id, true), '{}')
  from checklist_items i
  where i.must_confirm and (
    i.workshop_id = p_workshop
    or (i.campaign_id = p_campaign and not exists (select 1 from checklist_items own where own.workshop_id = p_workshop))
  )
$$;
