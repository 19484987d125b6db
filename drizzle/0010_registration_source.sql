ALTER TABLE "registrations" ADD COLUMN "source" text;--> statement-breakpoint
UPDATE "registrations" SET "source" = case when "consent_version" like '%-door' then 'walk_in' else 'organiser' end
WHERE "consent_version" like '%-door' or "consent_version" like '%, by word of an organiser';--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_source" CHECK (source in ('web', 'api', 'organiser', 'walk_in'));