-- revision 2
-- Keeps the counters of a workshop in step with its registrations. Nothing else may change them: see guard_counters below.
-- Statement-level, so that a batch of registrations costs one update per workshop.
create or replace function count_seats() returns trigger
language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    update workshops w
    set taken = w.taken + change.taken,
        waitlisted = w.waitlisted + change.waitlisted,
        next_seq = greatest(w.next_seq, change.next_seq),
        last_placed_at = greatest(w.last_placed_at, change.last_placed_at)
    from (
      select workshop_id,
             count(*) filter (where status in ('confirmed', 'offered')) as taken,
             count(*) filter (where status = 'waitlisted') as waitlisted,
             max(seq) + 1 as next_seq,
             max(placed_at) as last_placed_at
      from new_rows
      group by workshop_id
    ) change
    where w.id = change.workshop_id;
  elsif tg_op = 'UPDATE' then
    update workshops w
    set taken = w.taken + change.taken,
        waitlisted = w.waitlisted + change.waitlisted,
        next_seq = greatest(w.next_seq, change.next_seq),
        last_placed_at = greatest(w.last_placed_at, change.last_placed_at)
    from (
      select workshop_id,
             coalesce(sum(sign) filter (where status in ('confirmed', 'offered')), 0) as taken,
             coalesce(sum(sign) filter (where status = 'waitlisted'), 0) as waitlisted,
             max(seq) + 1 as next_seq,
             max(placed_at) as last_placed_at
      from (
        select workshop_id, status, seq, placed_at, 1 as sign from new_rows
        union all
        select workshop_id, status, seq, placed_at, -1 from old_rows
      ) moved
      group by workshop_id
    ) change
    where w.id = change.workshop_id
      and (change.taken <> 0 or change.waitlisted <> 0 or change.next_seq > w.next_seq);
  else
    update workshops w
    set taken = w.taken - change.taken,
        waitlisted = w.waitlisted - change.waitlisted
    from (
      select workshop_id,
             count(*) filter (where status in ('confirmed', 'offered')) as taken,
             count(*) filter (where status = 'waitlisted') as waitlisted
      from old_rows
      group by workshop_id
    ) change
    where w.id = change.workshop_id;
  end if;
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger count_seats_on_insert after insert on registrations
  referencing new table as new_rows for each statement execute function count_seats();
--> statement-breakpoint
create or replace trigger count_seats_on_update after update on registrations
  referencing old table as old_rows new table as new_rows for each statement execute function count_seats();
--> statement-breakpoint
create or replace trigger count_seats_on_delete after delete on registrations
  referencing old table as old_rows for each statement execute function count_seats();
--> statement-breakpoint
create or replace function guard_counters() returns trigger
language plpgsql as $$
begin
  raise exception 'taken, waitlisted, next_seq and last_placed_at of a workshop follow its registrations and are not set by hand';
end
$$;
--> statement-breakpoint
create or replace trigger guard_counters before update of taken, waitlisted, next_seq, last_placed_at on workshops
  for each row when (pg_trigger_depth() = 0) execute function guard_counters();
