-- Functions, their parameters and triggers have other names from here on. All are dropped and created again from
-- drizzle/functions. Releases before this one cannot use the database any more: stop them first.
DROP FUNCTION IF EXISTS "asked_of", "came_in_time", "cancel_registration", "cancel_workshop", "check_in", "check_in_id_of", "claim_mails", "correct_email", "erase_person", "forget_people", "free_seat_at_door", "hold_sign_up", "in_the_way", "lend_board", "live_registration", "lock_workshop_of", "mails_caused", "mails_caused_by", "may_mail_ticket", "merge_registration", "move_registration", "owe_board_due", "owe_reminders", "pass_on_offers", "place_at_door", "promote_out_of_turn", "record_outcomes", "refusal_of", "register", "resume_message", "return_board", "roster_page", "seat_at_door", "seat_standing", "serve_waitlist", "set_board_state", "set_items", "stand_at_door", "take_offer", "undo_check_in", "walk_in";
--> statement-breakpoint
DROP TRIGGER IF EXISTS "count_seats_on_delete" ON "registrations";
--> statement-breakpoint
DROP TRIGGER IF EXISTS "count_seats_on_insert" ON "registrations";
--> statement-breakpoint
DROP TRIGGER IF EXISTS "count_seats_on_update" ON "registrations";
--> statement-breakpoint
DROP TRIGGER IF EXISTS "guard_counters" ON "workshops";
--> statement-breakpoint
DROP TRIGGER IF EXISTS "mail_closing_on_change" ON "workshops";
--> statement-breakpoint
DROP TRIGGER IF EXISTS "serve_waitlist_on_change" ON "workshops";
--> statement-breakpoint
DROP TRIGGER IF EXISTS "shorten_offers_on_change" ON "workshops";
--> statement-breakpoint
DROP TRIGGER IF EXISTS "take_back_check_ins" ON "registrations";
--> statement-breakpoint
DROP FUNCTION IF EXISTS "count_seats", "guard_counters", "mail_closing", "serve_waitlist_of_changed_workshop", "shorten_offers", "take_back_check_ins";
--> statement-breakpoint
DELETE FROM "drizzle"."functions";