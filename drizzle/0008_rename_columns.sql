ALTER TABLE "registrations" RENAME COLUMN "name_initials" TO "name_search";--> statement-breakpoint
ALTER TABLE "registrations" RENAME COLUMN "out_of_turn" TO "promoted_manually";--> statement-breakpoint
ALTER TABLE "registrations" RENAME COLUMN "told_apart" TO "not_duplicates";--> statement-breakpoint
ALTER TABLE "registrations" RENAME COLUMN "coming_on" TO "attendance_confirmed_for";--> statement-breakpoint
ALTER TABLE "registrations" RENAME COLUMN "calendar_raise" TO "calendar_sequence_offset";--> statement-breakpoint
ALTER INDEX "registrations_one_live_per_person" RENAME TO "registrations_one_active_per_person";--> statement-breakpoint
ALTER INDEX "registrations_at_the_door" RENAME TO "registrations_door_queue";--> statement-breakpoint
ALTER TABLE "workshops" RENAME COLUMN "door_version" TO "join_code_version";--> statement-breakpoint
ALTER TABLE "held_sign_ups" RENAME TO "pending_sign_ups";--> statement-breakpoint
ALTER TABLE "pending_sign_ups" RENAME CONSTRAINT "held_sign_ups_pkey" TO "pending_sign_ups_pkey";--> statement-breakpoint
ALTER TABLE "pending_sign_ups" RENAME CONSTRAINT "held_sign_ups_workshop_id_workshops_id_fk" TO "pending_sign_ups_workshop_id_workshops_id_fk";--> statement-breakpoint
ALTER INDEX "held_sign_ups_idempotency" RENAME TO "pending_sign_ups_idempotency";--> statement-breakpoint
ALTER INDEX "held_sign_ups_by_email" RENAME TO "pending_sign_ups_by_email";--> statement-breakpoint
ALTER INDEX "held_sign_ups_by_age" RENAME TO "pending_sign_ups_by_age";--> statement-breakpoint
ALTER TABLE "messages" RENAME TO "broadcasts";--> statement-breakpoint
ALTER TABLE "broadcasts" RENAME CONSTRAINT "messages_pkey" TO "broadcasts_pkey";--> statement-breakpoint
ALTER TABLE "broadcasts" RENAME CONSTRAINT "messages_about" TO "broadcasts_target";--> statement-breakpoint
ALTER TABLE "broadcasts" RENAME CONSTRAINT "messages_campaign_id_campaigns_id_fk" TO "broadcasts_campaign_id_campaigns_id_fk";--> statement-breakpoint
ALTER TABLE "broadcasts" RENAME CONSTRAINT "messages_workshop_id_workshops_id_fk" TO "broadcasts_workshop_id_workshops_id_fk";--> statement-breakpoint
ALTER TABLE "broadcasts" RENAME CONSTRAINT "messages_organiser_id_organisers_id_fk" TO "broadcasts_organiser_id_organisers_id_fk";--> statement-breakpoint
ALTER TABLE "mails" RENAME COLUMN "held_id" TO "pending_sign_up_id";--> statement-breakpoint
ALTER TABLE "mails" RENAME COLUMN "written_id" TO "broadcast_id";--> statement-breakpoint
ALTER TABLE "mails" RENAME COLUMN "facts" TO "payload";--> statement-breakpoint
ALTER TABLE "mails" RENAME COLUMN "dated_at" TO "message_date";--> statement-breakpoint
ALTER TABLE "mails" RENAME CONSTRAINT "mails_held_id_held_sign_ups_id_fk" TO "mails_pending_sign_up_id_pending_sign_ups_id_fk";--> statement-breakpoint
ALTER TABLE "mails" RENAME CONSTRAINT "mails_written_id_messages_id_fk" TO "mails_broadcast_id_broadcasts_id_fk";--> statement-breakpoint
ALTER TABLE "mails" RENAME CONSTRAINT "mails_about" TO "mails_one_recipient";--> statement-breakpoint
ALTER TABLE "mails" RENAME CONSTRAINT "mails_written" TO "mails_broadcast";--> statement-breakpoint
ALTER INDEX "mails_by_held" RENAME TO "mails_by_pending_sign_up";--> statement-breakpoint
ALTER INDEX "mails_by_written" RENAME TO "mails_by_broadcast";--> statement-breakpoint
ALTER TABLE "mail_pace" RENAME TO "mail_rate_window";--> statement-breakpoint
ALTER TABLE "mail_rate_window" RENAME COLUMN "only" TO "singleton";--> statement-breakpoint
ALTER TABLE "mail_rate_window" RENAME COLUMN "tries" TO "attempts";--> statement-breakpoint
ALTER TABLE "mail_rate_window" RENAME CONSTRAINT "mail_pace_pkey" TO "mail_rate_window_pkey";--> statement-breakpoint
ALTER TABLE "mail_rate_window" RENAME CONSTRAINT "mail_pace_only" TO "mail_rate_window_singleton";--> statement-breakpoint
ALTER TABLE "content_refusals" RENAME COLUMN "written_id" TO "broadcast_id";--> statement-breakpoint
ALTER TABLE "content_refusals" RENAME CONSTRAINT "content_refusals_written_id_messages_id_fk" TO "content_refusals_broadcast_id_broadcasts_id_fk";--> statement-breakpoint
ALTER TABLE "content_refusals" RENAME CONSTRAINT "content_refusals_of" TO "content_refusals_by_broadcast";--> statement-breakpoint
ALTER TABLE "audit_entries" RENAME COLUMN "facts" TO "payload";--> statement-breakpoint
ALTER TABLE "audit_entries" RENAME COLUMN "personal" TO "pii";--> statement-breakpoint
ALTER TABLE "boards" RENAME COLUMN "packed_for" TO "allocated_to";--> statement-breakpoint
ALTER TABLE "boards" RENAME CONSTRAINT "boards_packed_for_workshops_id_fk" TO "boards_allocated_to_workshops_id_fk";--> statement-breakpoint
ALTER INDEX "boards_packed" RENAME TO "boards_allocated";--> statement-breakpoint
ALTER INDEX "check_ins_once" RENAME TO "check_ins_one_active";--> statement-breakpoint
ALTER INDEX "loans_one_holder" RENAME TO "loans_one_active_per_board";--> statement-breakpoint
ALTER INDEX "loans_one_board" RENAME TO "loans_one_active_per_registration";--> statement-breakpoint
ALTER INDEX "checklist_items_of_campaign" RENAME TO "checklist_items_by_campaign";--> statement-breakpoint
ALTER INDEX "checklist_items_of_workshop" RENAME TO "checklist_items_by_workshop";--> statement-breakpoint
ALTER INDEX "materials_of_workshop" RENAME TO "materials_by_workshop";