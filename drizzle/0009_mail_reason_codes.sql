ALTER TABLE "mails" ADD COLUMN "last_error" text;--> statement-breakpoint
ALTER TABLE "content_refusals" RENAME COLUMN "reason" TO "last_error";--> statement-breakpoint
UPDATE "content_refusals" SET "last_error" = substr("last_error", 26) WHERE "last_error" LIKE 'given up after 24 hours: %';--> statement-breakpoint
UPDATE "mails" SET
  "last_error" = case
    when "reason" in (
      'its link is good no longer', 'the person was erased', 'no ticket is left to send', 'the workshop is over',
      'the registration was cancelled since', 'promoted since', 'taken since', 'not taken in time',
      'opened again since', 'closed again since', 'changed again since', 'moved again since',
      'superseded by a corrected address', 'superseded by a move', 'the board came back since', 'its time is another since',
      'too late for it', 'ready since', 'said so since', 'switched off since',
      'did not come after all', 'came after all',
      'the mail could not be written', 'given up after 24 hours: the mail could not be written'
    ) then null
    when "reason" like 'given up after 24 hours: %' then substr("reason", 26)
    else "reason"
  end,
  "reason" = case "reason"
    when 'its link is good no longer' then 'link_expired'
    when 'the person was erased' then 'person_erased'
    when 'no ticket is left to send' then 'no_ticket'
    when 'the workshop is over' then 'workshop_over'
    when 'the registration was cancelled since' then 'registration_cancelled'
    when 'promoted since' then 'promoted'
    when 'taken since' then 'offer_accepted'
    when 'not taken in time' then 'offer_expired'
    when 'opened again since' then 'reopened'
    when 'closed again since' then 'reclosed'
    when 'changed again since' then 'changed_again'
    when 'moved again since' then 'moved_again'
    when 'superseded by a corrected address' then 'address_corrected'
    when 'superseded by a move' then 'moved'
    when 'the board came back since' then 'board_returned'
    when 'its time is another since' then 'rescheduled'
    when 'too late for it' then 'too_late'
    when 'ready since' then 'already_ready'
    when 'said so since' then 'already_confirmed'
    when 'switched off since' then 'reminder_disabled'
    when 'did not come after all' then 'did_not_attend'
    when 'came after all' then 'attended'
    when 'the mail could not be written' then 'render_failed'
    when 'given up after 24 hours: the mail could not be written' then 'render_failed'
    else case when "reason" like 'given up after 24 hours: %' then 'retries_exhausted' end
  end
WHERE "reason" is not null;--> statement-breakpoint
ALTER TABLE "mails" ADD CONSTRAINT "mails_reason" CHECK (reason in ('link_expired', 'person_erased', 'no_ticket', 'workshop_over', 'registration_cancelled', 'promoted', 'offer_accepted', 'offer_expired', 'reopened', 'reclosed', 'changed_again', 'moved_again', 'address_corrected', 'moved', 'board_returned', 'rescheduled', 'too_late', 'already_ready', 'already_confirmed', 'reminder_disabled', 'did_not_attend', 'attended', 'retries_exhausted', 'render_failed'));