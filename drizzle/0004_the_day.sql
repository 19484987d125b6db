CREATE TABLE "boards" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"serial" text NOT NULL,
	"code" text NOT NULL,
	"state" text DEFAULT 'usable' NOT NULL,
	"note" text,
	"packed_for" uuid,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "boards_code_unique" UNIQUE("code"),
	CONSTRAINT "boards_state" CHECK (state in ('usable', 'broken', 'retired'))
);
--> statement-breakpoint
CREATE TABLE "certificates" (
	"number" text PRIMARY KEY NOT NULL,
	"registration_id" uuid NOT NULL,
	"workshop_id" uuid NOT NULL,
	"name" text,
	"keep_name" boolean DEFAULT false NOT NULL,
	"issued_at" timestamp with time zone NOT NULL,
	CONSTRAINT "certificates_registration_id_unique" UNIQUE("registration_id")
);
--> statement-breakpoint
CREATE TABLE "check_ins" (
	"id" uuid PRIMARY KEY NOT NULL,
	"registration_id" uuid NOT NULL,
	"workshop_id" uuid NOT NULL,
	"outcome" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"received_at" timestamp with time zone NOT NULL,
	"door_session_id" uuid,
	"by" text NOT NULL,
	"undone_at" timestamp with time zone,
	"undone_by" text,
	CONSTRAINT "check_ins_outcome" CHECK (outcome in ('in', 'again', 'undone')),
	CONSTRAINT "check_ins_undone" CHECK (("check_ins"."outcome" = 'undone') = ("check_ins"."undone_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "door_sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workshop_id" uuid NOT NULL,
	"name" text NOT NULL,
	"hash" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone,
	"last_seen_at" timestamp with time zone,
	"user_agent" text,
	CONSTRAINT "door_sessions_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "feedback" (
	"registration_id" uuid PRIMARY KEY NOT NULL,
	"workshop_id" uuid NOT NULL,
	"ratings" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"texts" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "loans" (
	"id" uuid PRIMARY KEY NOT NULL,
	"board_id" uuid NOT NULL,
	"registration_id" uuid NOT NULL,
	"workshop_id" uuid NOT NULL,
	"lent_at" timestamp with time zone NOT NULL,
	"lent_by" text NOT NULL,
	"returned_at" timestamp with time zone,
	"returned_by" text,
	"return_id" uuid,
	CONSTRAINT "loans_return_id_unique" UNIQUE("return_id"),
	CONSTRAINT "loans_returned" CHECK ("loans"."returned_at" >= "loans"."lent_at")
);
--> statement-breakpoint
CREATE TABLE "materials" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workshop_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"title" jsonb NOT NULL,
	"url" text NOT NULL,
	"note" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"afterwards" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
ALTER TABLE "mails" DROP CONSTRAINT "mails_kind";--> statement-breakpoint
ALTER TABLE "registrations" DROP CONSTRAINT "registrations_cancelled_by";--> statement-breakpoint
ALTER TABLE "registrations" ADD COLUMN "coming_on" date;--> statement-breakpoint
ALTER TABLE "registrations" ADD COLUMN "walk_in_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "workshops" ADD COLUMN "entry" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "workshops" ADD COLUMN "reminders" jsonb DEFAULT '{"get_ready":168,"coming":72,"day_before":24}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "workshops" ADD COLUMN "grace_minutes" integer;--> statement-breakpoint
ALTER TABLE "workshops" ADD COLUMN "door_version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "workshops" ADD COLUMN "attendance_closed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "workshops" ADD COLUMN "feedback_questions" jsonb;--> statement-breakpoint
ALTER TABLE "boards" ADD CONSTRAINT "boards_packed_for_workshops_id_fk" FOREIGN KEY ("packed_for") REFERENCES "public"."workshops"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "certificates" ADD CONSTRAINT "certificates_registration_id_registrations_id_fk" FOREIGN KEY ("registration_id") REFERENCES "public"."registrations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "certificates" ADD CONSTRAINT "certificates_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "check_ins" ADD CONSTRAINT "check_ins_registration_id_registrations_id_fk" FOREIGN KEY ("registration_id") REFERENCES "public"."registrations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "check_ins" ADD CONSTRAINT "check_ins_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "check_ins" ADD CONSTRAINT "check_ins_door_session_id_door_sessions_id_fk" FOREIGN KEY ("door_session_id") REFERENCES "public"."door_sessions"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "door_sessions" ADD CONSTRAINT "door_sessions_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "feedback" ADD CONSTRAINT "feedback_registration_id_registrations_id_fk" FOREIGN KEY ("registration_id") REFERENCES "public"."registrations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "feedback" ADD CONSTRAINT "feedback_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "loans" ADD CONSTRAINT "loans_board_id_boards_id_fk" FOREIGN KEY ("board_id") REFERENCES "public"."boards"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "loans" ADD CONSTRAINT "loans_registration_id_registrations_id_fk" FOREIGN KEY ("registration_id") REFERENCES "public"."registrations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "loans" ADD CONSTRAINT "loans_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "materials" ADD CONSTRAINT "materials_workshop_id_workshops_id_fk" FOREIGN KEY ("workshop_id") REFERENCES "public"."workshops"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "boards_serial" ON "boards" USING btree ("serial","kind");--> statement-breakpoint
CREATE INDEX "boards_packed" ON "boards" USING btree ("packed_for") WHERE packed_for is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "check_ins_once" ON "check_ins" USING btree ("registration_id") WHERE outcome = 'in';--> statement-breakpoint
CREATE INDEX "check_ins_by_registration" ON "check_ins" USING btree ("registration_id");--> statement-breakpoint
CREATE INDEX "check_ins_by_workshop" ON "check_ins" USING btree ("workshop_id","at");--> statement-breakpoint
CREATE INDEX "door_sessions_by_workshop" ON "door_sessions" USING btree ("workshop_id");--> statement-breakpoint
CREATE INDEX "feedback_by_workshop" ON "feedback" USING btree ("workshop_id");--> statement-breakpoint
CREATE UNIQUE INDEX "loans_one_holder" ON "loans" USING btree ("board_id") WHERE returned_at is null;--> statement-breakpoint
CREATE UNIQUE INDEX "loans_one_board" ON "loans" USING btree ("registration_id") WHERE returned_at is null;--> statement-breakpoint
CREATE INDEX "loans_by_board" ON "loans" USING btree ("board_id","lent_at");--> statement-breakpoint
CREATE INDEX "loans_by_registration" ON "loans" USING btree ("registration_id");--> statement-breakpoint
CREATE INDEX "loans_by_workshop" ON "loans" USING btree ("workshop_id");--> statement-breakpoint
CREATE UNIQUE INDEX "materials_of_workshop" ON "materials" USING btree ("workshop_id","position");--> statement-breakpoint
CREATE UNIQUE INDEX "mails_reminders_once" ON "mails" USING btree ("registration_id","kind",(facts ->> 'occasion')) WHERE kind in ('get_ready', 'coming', 'day_before') and state <> 'dead';--> statement-breakpoint
CREATE INDEX "registrations_at_the_door" ON "registrations" USING btree ("workshop_id","walk_in_at") WHERE walk_in_at is not null and status in ('waitlisted', 'offered');--> statement-breakpoint
ALTER TABLE "mails" ADD CONSTRAINT "mails_kind" CHECK (kind in ('confirmed', 'waitlisted', 'offered', 'promoted', 'cancelled', 'found', 'moved', 'closed', 'reopened', 'held', 'changed', 'message', 'sign_in', 'get_ready', 'coming', 'day_before', 'board_due', 'afterwards'));--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_cancelled_by" CHECK (cancelled_by in ('attendee', 'organiser', 'workshop', 'deadline', 'absence'));--> statement-breakpoint
ALTER TABLE "workshops" ADD CONSTRAINT "workshops_grace_minutes" CHECK ("workshops"."grace_minutes" between 0 and 600);