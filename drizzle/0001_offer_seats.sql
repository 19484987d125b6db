ALTER TABLE "mails" DROP CONSTRAINT "mails_kind";--> statement-breakpoint
ALTER TABLE "registrations" DROP CONSTRAINT "registrations_cancelled_by";--> statement-breakpoint
ALTER TABLE "registrations" ADD COLUMN "offered_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "workshops" ADD COLUMN "confirm_hours" integer;--> statement-breakpoint
CREATE INDEX "registrations_offers" ON "registrations" USING btree ("offered_until") WHERE status = 'offered';--> statement-breakpoint
ALTER TABLE "mails" ADD CONSTRAINT "mails_kind" CHECK (kind in ('confirmed', 'waitlisted', 'offered', 'promoted', 'cancelled', 'found', 'moved', 'closed', 'reopened'));--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_offered" CHECK (("registrations"."status" = 'offered') = ("registrations"."offered_until" is not null));--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_cancelled_by" CHECK (cancelled_by in ('attendee', 'organiser', 'workshop', 'deadline'));--> statement-breakpoint
ALTER TABLE "workshops" ADD CONSTRAINT "workshops_confirm_hours" CHECK ("workshops"."confirm_hours" between 1 and 336);