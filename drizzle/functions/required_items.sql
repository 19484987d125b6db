-- revision 1
-- Returns the checklist items that the attendees of a workshop have to confirm, in the form of complete answers:
-- {"<item id>": true, …}. A workshop without items of its own has those of its campaign.
create or replace function required_items(p_workshop uuid, p_campaign uuid) returns jsonb
language sql stable as $$
  select coalesce(jsonb_object_agg(i.id, true), '{}')
  from checklist_items i
  where i.must_confirm and (
    i.workshop_id = p_workshop
    or (i.campaign_id = p_campaign and not exists (select 1 from checklist_items own where own.workshop_id = p_workshop))
  )
$$;
