-- revision 1
-- Why a workshop takes nobody new at a moment, whoever it is; null where it does, with a seat or a place in line.
create or replace function refusal_of(w workshops, p_now timestamptz) returns text
language sql immutable as $$
  select case
    when w.state = 'draft' or w.published_at is null then 'not_found'
    when w.state = 'cancelled' then 'cancelled'
    when w.state = 'closed' or p_now >= w.closes_at or p_now >= w.starts_at then 'closed'
    when p_now < w.opens_at then 'not_open'
  end
$$;
