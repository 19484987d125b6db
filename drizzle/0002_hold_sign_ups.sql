CREATE TABLE "held_sign_ups" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workshop_id" uuid NOT NULL,
	"email_key" text NOT NULL,
	"sign_up" jsonb NOT NULL,
	"idempotency_key" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "mails" DROP CONSTRAINT "mails_kind";--> statement-breakpoint
ALTER TABLE "mails" ALTER COLUMN "registration_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "mails" ADD COLUMN "held_id" uuid;--> statement-breakpoint
ALTER TABLE "workshops" ADD COLUMN "proof_of_work" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "held_sign_ups" ADD CONSTRAINT "held_sign_ups_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "held_sign_ups_idempotency" ON "held_sign_ups" USING btree ("idempotency_key","workshop_id");--> statement-breakpoint
CREATE INDEX "held_sign_ups_by_email" ON "held_sign_ups" USING btree ("email_key");--> statement-breakpoint
CREATE INDEX "held_sign_ups_by_age" ON "held_sign_ups" USING btree ("created_at");--> statement-breakpoint
ALTER TABLE "mails" ADD CONSTRAINT "mails_held_id_held_sign_ups_id_fk" FOREIGN KEY ("held_id") REFERENCES "public"."held_sign_ups"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "mails_by_held" ON "mails" USING btree ("held_id") WHERE held_id is not null;--> statement-breakpoint
ALTER TABLE "mails" ADD CONSTRAINT "mails_about" CHECK (num_nonnulls("mails"."registration_id", "mails"."held_id") = 1);--> statement-breakpoint
ALTER TABLE "mails" ADD CONSTRAINT "mails_kind" CHECK (kind in ('confirmed', 'waitlisted', 'offered', 'promoted', 'cancelled', 'found', 'moved', 'closed', 'reopened', 'held'));