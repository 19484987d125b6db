-- revision 3
-- Registers a batch of sign-ups, for any mix of workshops: decides who gets a seat, who is waitlisted, who is refused and why.
-- Entries are decided independently, so that a bad one never fails the others; one row is returned per entry.
--
-- p_entries: [{ n, id, workshop_id, name, email, email_key, phone, company, locale, via, ready, consent_version,
--               source, idempotency_key, fingerprint }] in the order of arrival, n = 0, 1, 2 …
-- outcome:   registered | replayed | already_registered | idempotency_mismatch | full | not_open | closed | cancelled
--            | too_many (daily limit of mails to this address) | not_found; place is the position on the waitlist, from 1.
--            `deferred`: the outcome depends on an earlier entry of the same person or key in this batch; submit it again. The
--            first entry of a person is always decided.
--
-- Campaigns with one seat per person are locked first, then workshops, each in the order of their ids; what the locks protect
-- is read after that.
--
-- Without statistics the planner chooses plans that slow down with every stored row. The settings and the lateral look-ups
-- with a limit leave it one plan: an index look-up per entry. Entries are compared by window functions only: a join of them
-- grows with the square of the batch.
create or replace function register(p_entries jsonb, p_now timestamptz)
returns table (n integer, outcome text, id uuid, ticket_version integer, status text, place integer)
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set jit = off
set lock_timeout = '1s'
as $$
#variable_conflict use_column
declare
  v_workshops uuid[] := array(select distinct (e ->> 'workshop_id')::uuid from jsonb_array_elements(p_entries) e);
begin
  perform 1
  from campaigns c
  where c.one_seat_per_person
    and c.id in (select w.campaign_id from workshops w where w.id = any (v_workshops))
  order by c.id
  for no key update;

  perform 1 from workshops w where w.id = any (v_workshops) order by w.id for no key update;

  return query
  with input as (
    select e.*,
           w.waitlist, w.next_seq, w.last_placed_at, w.waitlisted,
           -- While anyone is waitlisted, new registrations get no seat.
           case when w.waitlisted = 0 then w.capacity - w.taken else 0 end as free,
           existing.id as existing_id, active.id as active_id,
           coalesce(c.id, e.workshop_id) as scope_id,
           case
             when existing.fingerprint = e.fingerprint then 'replayed'
             when existing.id is not null then 'idempotency_mismatch'
             when w.id is null then 'not_found'
             when registration_refusal(w, p_now) is not null then registration_refusal(w, p_now)
             when active.id is not null then 'already_registered'
             when mail_quota.limit_reached is not null then 'too_many'
             when not w.waitlist and (w.waitlisted > 0 or w.taken >= w.capacity) then 'full'
           end as stored_outcome
    from jsonb_to_recordset(p_entries) as e (
      n integer, id uuid, workshop_id uuid, name text, email text, email_key text, phone text, company text,
      locale text, via text, ready jsonb, consent_version text, source text, idempotency_key text,
      fingerprint text
    )
    left join workshops w on w.id = e.workshop_id
    left join campaigns c on c.id = w.campaign_id and c.one_seat_per_person
    left join lateral (
      select r.id, r.fingerprint from registrations r
      where r.idempotency_key = e.idempotency_key and r.first_workshop_id = e.workshop_id
      limit 1
    ) existing on true
    left join lateral (select conflict.id from conflicting_registrations(e.email_key, w.id, c.id) conflict limit 1) active on true
    left join lateral (
      select m.id as limit_reached from mails_triggered_today(e.email_key, p_now) m offset 9 limit 1
    ) mail_quota on true
  ),
  -- An earlier entry of the same person or key that no stored row refuses may change the outcome.
  batch_rank as (
    select a.*,
           a.stored_outcome is null and count(*) filter (where a.stored_outcome is null) over person = 0
             and count(*) filter (where a.stored_outcome is null) over key = 0 as is_first,
           (a.stored_outcome is null or a.stored_outcome = 'full') and count(*) filter (where a.stored_outcome is null) over person > 0
             or a.stored_outcome is null and count(*) filter (where a.stored_outcome is null) over key > 0 as is_deferred
    from input a
    window
      person as (partition by a.scope_id, a.email_key order by a.n rows between unbounded preceding and 1 preceding),
      key as (partition by a.workshop_id, a.idempotency_key order by a.n rows between unbounded preceding and 1 preceding)
  ),
  ranked as (
    select f.*, count(*) filter (where f.is_first) over (partition by f.workshop_id order by f.n) as rank
    from batch_rank f
  ),
  decided as materialized (
    select r.*,
           case
             when not r.is_first then null
             when r.rank <= r.free then 'confirmed'
             when r.waitlist then 'waitlisted'
           end as status
    from ranked r
  ),
  inserted as (
    insert into registrations (
      id, workshop_id, seq, status, first_status, name, email, email_key, phone, company, locale, link_code, ready,
      consent_version, consent_at, source, idempotency_key, first_workshop_id, fingerprint, created_at, placed_at, seated_at
    )
    select j.id, j.workshop_id, j.next_seq + j.rank - 1, j.status, j.status, j.name, j.email, j.email_key, j.phone,
           j.company, j.locale, link.code, coalesce(j.ready, '{}'), j.consent_version, p_now, j.source, j.idempotency_key,
           j.workshop_id, j.fingerprint, p_now,
           -- Clocks of servers differ; placed_at never decreases within a workshop.
           greatest(p_now, j.last_placed_at),
           case when j.status = 'confirmed' then p_now end
    from decided j
    left join registration_links link on link.code = j.via
    where j.status is not null
    order by j.n
  ),
  enqueued as (
    insert into mails (registration_id, kind, created_at, due_at)
    select j.id, j.status, p_now, p_now from decided j where j.status is not null
    union all
    -- Already registered: the ticket is mailed to the address on file; the response reveals nothing.
    (
      select distinct on (j.email_key) j.active_id, 'found', p_now, p_now
      from decided j
      where j.stored_outcome = 'already_registered' and can_mail_ticket(j.email_key, p_now)
      order by j.email_key, j.n
    )
  )
  select j.n,
         case
           when j.is_deferred then 'deferred'
           when j.stored_outcome is not null then j.stored_outcome
           when j.status is null then 'full'
           else 'registered'
         end,
         coalesce(existing.id, j.id),
         coalesce(existing.ticket_version, 1),
         -- A retry returns the current status; for a registration cancelled since, the original one.
         coalesce(case when existing.status = 'cancelled' then existing.first_status else existing.status end, j.status),
         case
           when existing.status = 'waitlisted' then (
             select count(*)::integer from registrations ahead
             where ahead.workshop_id = existing.workshop_id and ahead.status = 'waitlisted' and ahead.seq <= existing.seq
           )
           when j.status = 'waitlisted' then (j.waitlisted + j.rank - j.free)::integer
         end
  from decided j
  left join registrations existing on existing.id = j.existing_id and j.stored_outcome = 'replayed'
  order by j.n;
end
$$;
