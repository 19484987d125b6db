CREATE TABLE "campaigns" (
	"id" uuid PRIMARY KEY NOT NULL,
	"slug" text NOT NULL,
	"title" jsonb NOT NULL,
	"summary" jsonb NOT NULL,
	"one_seat_per_person" boolean DEFAULT true NOT NULL,
	"state" text DEFAULT 'draft' NOT NULL,
	"published_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "campaigns_slug_unique" UNIQUE("slug"),
	CONSTRAINT "campaigns_state" CHECK (state in ('draft', 'published'))
);
--> statement-breakpoint
CREATE TABLE "checklist_items" (
	"id" uuid PRIMARY KEY NOT NULL,
	"campaign_id" uuid,
	"workshop_id" uuid,
	"position" integer NOT NULL,
	"kind" text NOT NULL,
	"text" jsonb NOT NULL,
	"url" text,
	"must_confirm" boolean DEFAULT false NOT NULL,
	CONSTRAINT "checklist_items_kind" CHECK (kind in ('prerequisite', 'provided', 'bring')),
	CONSTRAINT "checklist_items_owner" CHECK (num_nonnulls("checklist_items"."campaign_id", "checklist_items"."workshop_id") = 1)
);
--> statement-breakpoint
CREATE TABLE "mail_pace" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"tries" timestamp with time zone[] DEFAULT '{}' NOT NULL,
	CONSTRAINT "mail_pace_only" CHECK ("mail_pace"."only")
);
--> statement-breakpoint
CREATE TABLE "mails" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "mails_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"uid" uuid DEFAULT gen_random_uuid() NOT NULL,
	"registration_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"facts" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"attempt" integer DEFAULT 0 NOT NULL,
	"leased_until" timestamp with time zone,
	"first_tried_at" timestamp with time zone,
	"sent_at" timestamp with time zone,
	"message_id" text,
	"dated_at" timestamp with time zone,
	"reason" text,
	CONSTRAINT "mails_kind" CHECK (kind in ('confirmed', 'waitlisted', 'promoted', 'cancelled', 'found', 'moved')),
	CONSTRAINT "mails_state" CHECK (state in ('pending', 'sending', 'sent', 'dead'))
);
--> statement-breakpoint
CREATE TABLE "registration_links" (
	"code" text PRIMARY KEY NOT NULL,
	"campaign_id" uuid,
	"workshop_id" uuid,
	"channel" text NOT NULL,
	"active" boolean DEFAULT true NOT NULL,
	"expires_at" timestamp with time zone,
	"scans" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "registration_links_target" CHECK (num_nonnulls("registration_links"."campaign_id", "registration_links"."workshop_id") = 1)
);
--> statement-breakpoint
CREATE TABLE "registrations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workshop_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"status" text NOT NULL,
	"first_status" text NOT NULL,
	"name" text NOT NULL,
	"email" text NOT NULL,
	"email_key" text NOT NULL,
	"phone" text,
	"company" text,
	"locale" text NOT NULL,
	"link_code" text,
	"ready" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"consent_version" text NOT NULL,
	"consent_at" timestamp with time zone NOT NULL,
	"idempotency_key" text NOT NULL,
	"first_workshop_id" uuid NOT NULL,
	"fingerprint" text NOT NULL,
	"ticket_version" integer DEFAULT 1 NOT NULL,
	"out_of_turn" boolean DEFAULT false NOT NULL,
	"calendar_raise" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"placed_at" timestamp with time zone NOT NULL,
	"moved_at" timestamp with time zone,
	"seated_at" timestamp with time zone,
	"cancelled_at" timestamp with time zone,
	"cancelled_by" text,
	"erased_at" timestamp with time zone,
	CONSTRAINT "registrations_status" CHECK (status in ('confirmed', 'waitlisted', 'offered', 'cancelled')),
	CONSTRAINT "registrations_first_status" CHECK (first_status in ('confirmed', 'waitlisted', 'offered', 'cancelled')),
	CONSTRAINT "registrations_cancelled_by" CHECK (cancelled_by in ('attendee', 'organiser', 'workshop')),
	CONSTRAINT "registrations_cancelled" CHECK (("registrations"."status" = 'cancelled') = ("registrations"."cancelled_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "tokens" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"role" text NOT NULL,
	"hash" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"last_used_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "tokens_hash_unique" UNIQUE("hash"),
	CONSTRAINT "tokens_role" CHECK (role in ('owner', 'organiser', 'viewer'))
);
--> statement-breakpoint
CREATE TABLE "workshops" (
	"id" uuid PRIMARY KEY NOT NULL,
	"slug" text NOT NULL,
	"campaign_id" uuid,
	"title" jsonb NOT NULL,
	"city" jsonb NOT NULL,
	"venue" jsonb NOT NULL,
	"address" jsonb NOT NULL,
	"starts_at" timestamp with time zone NOT NULL,
	"ends_at" timestamp with time zone NOT NULL,
	"time_zone" text NOT NULL,
	"opens_at" timestamp with time zone,
	"closes_at" timestamp with time zone,
	"capacity" integer NOT NULL,
	"boards" integer DEFAULT 0 NOT NULL,
	"waitlist" boolean DEFAULT true NOT NULL,
	"phone" text DEFAULT 'optional' NOT NULL,
	"state" text DEFAULT 'draft' NOT NULL,
	"published_at" timestamp with time zone,
	"taken" integer DEFAULT 0 NOT NULL,
	"waitlisted" integer DEFAULT 0 NOT NULL,
	"next_seq" integer DEFAULT 1 NOT NULL,
	"last_placed_at" timestamp with time zone,
	"calendar_sequence" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "workshops_slug_unique" UNIQUE("slug"),
	CONSTRAINT "workshops_state" CHECK (state in ('draft', 'published', 'closed', 'cancelled')),
	CONSTRAINT "workshops_phone" CHECK (phone in ('required', 'optional', 'no')),
	CONSTRAINT "workshops_capacity" CHECK ("workshops"."capacity" between 1 and 100000),
	CONSTRAINT "workshops_boards" CHECK ("workshops"."boards" >= 0),
	CONSTRAINT "workshops_taken" CHECK ("workshops"."taken" between 0 and "workshops"."capacity"),
	CONSTRAINT "workshops_waitlisted" CHECK ("workshops"."waitlisted" >= 0),
	CONSTRAINT "workshops_ends_after_start" CHECK ("workshops"."ends_at" > "workshops"."starts_at"),
	CONSTRAINT "workshops_closes_after_opening" CHECK ("workshops"."closes_at" > "workshops"."opens_at")
);
--> statement-breakpoint
ALTER TABLE "checklist_items" ADD CONSTRAINT "checklist_items_campaign_id_campaigns_id_fk" FOREIGN KEY ("campaign_id") REFERENCES "public"."campaigns"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "checklist_items" ADD CONSTRAINT "checklist_items_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mails" ADD CONSTRAINT "mails_registration_id_registrations_id_fk" FOREIGN KEY ("registration_id") REFERENCES "public"."registrations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registration_links" ADD CONSTRAINT "registration_links_campaign_id_campaigns_id_fk" FOREIGN KEY ("campaign_id") REFERENCES "public"."campaigns"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registration_links" ADD CONSTRAINT "registration_links_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_link_code_registration_links_code_fk" FOREIGN KEY ("link_code") REFERENCES "public"."registration_links"("code") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_first_workshop_id_workshops_id_fk" FOREIGN KEY ("first_workshop_id") REFERENCES "public"."workshops"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workshops" ADD CONSTRAINT "workshops_campaign_id_campaigns_id_fk" FOREIGN KEY ("campaign_id") REFERENCES "public"."campaigns"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "checklist_items_of_campaign" ON "checklist_items" USING btree ("campaign_id","position");--> statement-breakpoint
CREATE UNIQUE INDEX "checklist_items_of_workshop" ON "checklist_items" USING btree ("workshop_id","position");--> statement-breakpoint
CREATE INDEX "mails_due" ON "mails" USING btree ("due_at","id") WHERE state in ('pending', 'sending');--> statement-breakpoint
CREATE INDEX "mails_by_registration" ON "mails" USING btree ("registration_id","kind");--> statement-breakpoint
CREATE UNIQUE INDEX "registrations_seq" ON "registrations" USING btree ("workshop_id","seq");--> statement-breakpoint
CREATE UNIQUE INDEX "registrations_one_live_per_person" ON "registrations" USING btree ("email_key","workshop_id") WHERE status in ('confirmed', 'waitlisted', 'offered');--> statement-breakpoint
CREATE UNIQUE INDEX "registrations_idempotency" ON "registrations" USING btree ("idempotency_key","first_workshop_id");--> statement-breakpoint
CREATE INDEX "registrations_waitlist" ON "registrations" USING btree ("workshop_id","seq") WHERE status = 'waitlisted';--> statement-breakpoint
CREATE INDEX "registrations_by_phone" ON "registrations" USING btree ("phone","workshop_id") WHERE status in ('confirmed', 'waitlisted', 'offered') and phone is not null;--> statement-breakpoint
CREATE INDEX "registrations_by_email" ON "registrations" USING btree ("email_key");--> statement-breakpoint
CREATE INDEX "registrations_by_link" ON "registrations" USING btree ("link_code");--> statement-breakpoint
CREATE INDEX "workshops_by_start" ON "workshops" USING btree ("starts_at","id");--> statement-breakpoint
CREATE INDEX "workshops_by_campaign" ON "workshops" USING btree ("campaign_id");