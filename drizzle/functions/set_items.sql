-- revision 2
-- Replaces the checklist of a campaign or of a workshop; the other of the two is null. An item whose id the checklist
-- contained keeps it, and with it the attendees' answers; any other gets its new_id.
create or replace function set_items(p_campaign uuid, p_workshop uuid, p_items jsonb) returns void
language plpgsql
set lock_timeout = '3s'
as $$
declare
  v_existing_ids uuid[];
begin
  -- Concurrent changes would conflict on positions, also where there is no row to lock yet. Sign-ups only read this table and
  -- do not wait for this lock.
  lock table checklist_items in share row exclusive mode;

  with deleted as (
    delete from checklist_items where campaign_id = p_campaign or workshop_id = p_workshop returning id
  )
  select array_agg(id) into v_existing_ids from deleted;

  insert into checklist_items (id, campaign_id, workshop_id, position, kind, text, url, must_confirm)
  select case when item.id = any (v_existing_ids) then item.id else item.new_id end,
         p_campaign, p_workshop, item.ordinal - 1, item.kind, item.item_text, item.url, item.must_confirm
  from rows from (
    jsonb_to_recordset(p_items) as (id uuid, new_id uuid, kind text, text jsonb, url text, "mustConfirm" boolean)
  ) with ordinality as item (id, new_id, kind, item_text, url, must_confirm, ordinal);
end
$$;
