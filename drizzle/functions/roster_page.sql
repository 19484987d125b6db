-- revision 1
-- So many registrations of a workshop after a sequence number, in the order of sign-up.
-- The index that has this order is read from there on and no further. Before the first ANALYZE the planner would fetch
-- everyone who comes later and sort them, for each page again; a setting of the function's own keeps it from that.
create or replace function roster_page(p_workshop uuid, p_status text, p_after integer, p_limit integer)
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
