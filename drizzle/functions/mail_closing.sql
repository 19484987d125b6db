-- revision 3
-- An organiser closed a workshop, or opened it again: everyone registered is told once, in the statement that did it.
-- News that have not left yet and are no longer true are dropped, and whoever was told last what is so now, or of no
-- closing before an opening, is told nothing. Of a workshop that has started nobody is told.
-- Without the switch a table that was never analysed would be read from end to end, while sign-ups wait for the workshop.
create or replace function mail_closing() returns trigger
language plpgsql
set enable_seqscan = off
as $$
declare
  v_news text := case new.state when 'closed' then 'closed' else 'reopened' end;
  v_old_news text := case new.state when 'closed' then 'reopened' else 'closed' end;
begin
  -- A sender may just be giving up what is counted on below as still to be sent: see claim_mails.sql.
  perform 1
  from mails m
  where m.kind in ('closed', 'reopened') and m.state in ('pending', 'sending')
    and m.registration_id in (select r.id from registrations r where r.workshop_id = new.id)
  order by m.id
  for no key update;

  update mails m
  set state = 'dead', reason = case new.state when 'closed' then 'closed again since' else 'opened again since' end
  from registrations r
  where r.id = m.registration_id and r.workshop_id = new.id and m.kind = v_old_news and m.state = 'pending';

  insert into mails (registration_id, kind, created_at, due_at)
  select r.id, v_news, new.updated_at, new.updated_at
  from registrations r
  left join lateral (
    select m.kind
    from mails m
    where m.registration_id = r.id and m.kind in ('closed', 'reopened') and m.state <> 'dead'
      -- What was told of the workshop from which someone moved is no news of this one.
      and (r.moved_at is null or m.created_at >= r.moved_at)
    -- What is on its way may still come to nothing, what waits will say it.
    order by m.state = 'pending' desc, m.id desc
    limit 1
  ) told on true
  where r.workshop_id = new.id and r.status in ('confirmed', 'waitlisted', 'offered') and r.email <> ''
    and told.kind is distinct from v_news and (told.kind is not null or v_news = 'closed')
  order by r.seq;
  return null;
end
$$;
--> statement-breakpoint
-- By its name it comes before serve_waitlist_on_change: first the news that the line moves, then who is served.
create or replace trigger mail_closing_on_change after update of state on workshops
  for each row when (
    new.updated_at < new.starts_at
    and (old.state, new.state) in (('published', 'closed'), ('closed', 'published'))
  )
  execute function mail_closing();
