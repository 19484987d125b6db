-- revision 1
-- Returns why a workshop accepts no new registrations at a moment; null if it does, with a seat or on the waitlist.
create or replace function registration_refusal(w workshops, p_now timestamptz) returns text
language sql immutable as $$
  select case
    when w.state = 'draft' or w.published_at is null then 'not_found'
    when w.state = 'cancelled' then 'cancelled'
    when w.state = 'closed' or p_now >= w.closes_at or p_now >= w.starts_at then 'closed'
    when p_now < w.opens_at then 'not_open'
  end
$$;
