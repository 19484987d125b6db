-- revision 1
-- Returns a page of a workshop's registrations after a sequence number, in the order of sign-up.
-- Reads the index that has this order. Without statistics the planner would fetch all later rows and sort them, for each page;
-- the settings prevent that.
create or replace function registrations_page(p_workshop uuid, p_status text, p_after integer, p_limit integer)
returns setof registrations
language sql stable
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
  select *
  from registrations
  where workshop_id = p_workshop and seq > p_after and (p_status is null or status = p_status)
  order by seq
  limit p_limit
$$;
