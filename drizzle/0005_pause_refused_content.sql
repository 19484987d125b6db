CREATE TABLE "content_refusals" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "content_refusals_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"written_id" uuid,
	"refused_mails" bigint[] DEFAULT '{}' NOT NULL,
	"reason" text,
	"paused_at" timestamp with time zone,
	"probe_at" timestamp with time zone,
	"probes" integer DEFAULT 0 NOT NULL,
	"probed_mail" bigint,
	CONSTRAINT "content_refusals_of" UNIQUE NULLS NOT DISTINCT("written_id")
);
--> statement-breakpoint
ALTER TABLE "mails" ADD COLUMN "refusals" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "content_refusals" ADD CONSTRAINT "content_refusals_written_id_messages_id_fk" FOREIGN KEY ("written_id") REFERENCES "public"."messages"("id") ON DELETE no action ON UPDATE no action;