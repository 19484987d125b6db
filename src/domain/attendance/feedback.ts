import { eq, sql } from 'drizzle-orm'
import { query, timestamptz } from '../../db/database.ts'
import { type FeedbackQuestion, workshops } from '../../db/schema.ts'
import { normalizeText } from '../../lib/text.ts'
import { type Actor, recordAudit } from '../audit/log.ts'
import type { Deps } from '../deps.ts'
import type { Registration } from '../registrations/registrations.ts'
import { findWorkshopById, type Workshop } from '../workshops/workshops.ts'
import { checkInJoin, effectiveEnd } from './attendance.ts'

/** A question to attendees. The texts of the default questions are in i18n/. */
export type Question = Omit<FeedbackQuestion, 'text'> & { text?: FeedbackQuestion['text'] | undefined }

const defaultQuestions = [
  { id: 'useful', kind: 'rating' },
  { id: 'hands_on', kind: 'rating' },
  { id: 'better', kind: 'text' },
] as const satisfies readonly Question[]
export type DefaultQuestion = (typeof defaultQuestions)[number]['id']

/** Per workshop. */
export const maxQuestions = 10
/** In UTF-16 units. */
export const maxAnswerLength = 2000

export function listQuestions({ feedbackQuestions }: Pick<Workshop, 'feedbackQuestions'>): readonly Question[] {
  return feedbackQuestions ?? defaultQuestions
}

/** Ratings from 1 to 5 and texts, by the ids of the questions. */
export type FeedbackAnswers = { ratings: Record<string, number>; texts: Record<string, string> }

/**
 * Parses the answers of a feedback form. Ratings other than 1 to 5 count as missing.
 * @returns the answers, or the ids of the questions whose answers are too long
 */
export function parseAnswers(
  questions: readonly Question[],
  answerTo: (id: string) => unknown,
): { answers: FeedbackAnswers } | { tooLong: string[] } {
  const answers: FeedbackAnswers = { ratings: {}, texts: {} }
  const tooLong: string[] = []
  for (const { id, kind } of questions) {
    const value = answerTo(id)
    if (typeof value !== 'string') continue
    if (kind === 'rating' && /^[1-5]$/.test(value)) answers.ratings[id] = Number(value)
    if (kind === 'text') {
      const text = normalizeText(value, maxAnswerLength)
      if (text === undefined) tooLong.push(id)
      else if (text) answers.texts[id] = text
    }
  }
  return tooLong.length > 0 ? { tooLong } : { answers }
}

/** Why feedback is refused. `empty`: no question was answered. */
export type FeedbackRefusal = 'too_early' | 'too_late' | 'did_not_come' | 'empty'

const twoWeeksMs = 14 * 24 * 3600 * 1000

/** 14 days after the end of the workshop, or after the closing of its attendance if that is later. */
export function feedbackDeadline({
  endsAt,
  attendanceClosedAt,
}: Pick<Workshop, 'endsAt' | 'attendanceClosedAt'>): Date {
  return new Date(Math.max(endsAt.getTime(), attendanceClosedAt?.getTime() ?? 0) + twoWeeksMs)
}

/** Why attendees cannot give feedback now; undefined if they can. */
export function feedbackClosedReason(workshop: Workshop, now: Date): 'too_early' | 'too_late' | undefined {
  return now < effectiveEnd(workshop) ? 'too_early' : now >= feedbackDeadline(workshop) ? 'too_late' : undefined
}

/** Stores an attendee's feedback, replacing earlier answers. */
export async function saveFeedback(
  deps: Deps,
  { id, workshop }: Pick<Registration, 'id' | 'workshop'>,
  { ratings, texts }: FeedbackAnswers,
): Promise<'saved' | FeedbackRefusal> {
  const closed = feedbackClosedReason(workshop, deps.now())
  if (closed) return closed
  if (Object.keys(ratings).length + Object.keys(texts).length === 0) return 'empty'
  const now = timestamptz(deps.now())
  // Locks the row against concurrent erasure, which would otherwise miss the texts stored here.
  const stored = await query(
    deps.db,
    sql`with person as materialized (
          select r.id, r.workshop_id from registrations r
          where r.id = ${id}::uuid and r.workshop_id = ${workshop.id}::uuid and r.erased_at is null
          for share
        )
        insert into feedback as mine (registration_id, workshop_id, ratings, texts, created_at, updated_at)
        select r.id, r.workshop_id, ${JSON.stringify(ratings)}::jsonb, ${JSON.stringify(texts)}::jsonb, ${now}, ${now}
        from person r ${checkInJoin}
        where c.id is not null
        on conflict (registration_id) do update
          set ratings = excluded.ratings, texts = excluded.texts, updated_at = excluded.updated_at
        returning registration_id`,
  )
  return stored.length > 0 ? 'saved' : 'did_not_come'
}

export async function findFeedback(deps: Deps, registrationId: string): Promise<FeedbackAnswers | undefined> {
  const [answers] = await query<FeedbackAnswers>(
    deps.db,
    sql`select ratings, texts from feedback where registration_id = ${registrationId}::uuid`,
  )
  return answers
}

export type FeedbackSummary = {
  /** Number of attendees who answered. */
  answered: number
  questions: (
    | { question: Question; kind: 'rating'; counts: [number, number, number, number, number]; average: number | null }
    | { question: Question; kind: 'text'; texts: string[] }
  )[]
}

/** Summarizes the feedback of a workshop: counts of each rating, and the texts without names. */
export async function feedbackResults(deps: Deps, workshop: Workshop): Promise<FeedbackSummary> {
  const all = await allAnswers(deps, workshop)
  return {
    answered: all.length,
    questions: listQuestions(workshop).map((question) => {
      const { id } = question
      if (question.kind === 'text') {
        return { question, kind: 'text', texts: all.flatMap(({ texts }) => texts[id] ?? []) }
      }
      const ratings = all.flatMap(({ ratings }) => ratings[id] ?? [])
      const count = (rating: number) => ratings.filter((value) => value === rating).length
      return {
        question,
        kind: 'rating',
        counts: [count(1), count(2), count(3), count(4), count(5)],
        average: ratings.length > 0 ? ratings.reduce((sum, rating) => sum + rating, 0) / ratings.length : null,
      }
    }),
  }
}

/**
 * Returns the answers of all checked-in attendees, in an order that does not reveal who gave them. Answers are ignored while a
 * check-in is undone.
 */
export async function allAnswers(deps: Deps, workshop: Pick<Workshop, 'id'>): Promise<FeedbackAnswers[]> {
  return query<FeedbackAnswers>(
    deps.db,
    sql`select f.ratings, f.texts
        from feedback f join registrations r on r.id = f.registration_id ${checkInJoin}
        where f.workshop_id = ${workshop.id}::uuid and c.id is not null
        order by md5(f.registration_id::text)`,
  )
}

async function findAnsweredIds(deps: Deps, workshop: Pick<Workshop, 'id'>): Promise<Set<string>> {
  const rows = await query<{ id: string }>(
    deps.db,
    sql`select distinct answer.id from feedback f
        cross join lateral (
          select jsonb_object_keys(f.ratings) union all select jsonb_object_keys(f.texts)
        ) as answer (id)
        where f.workshop_id = ${workshop.id}::uuid`,
  )
  return new Set(rows.map(({ id }) => id))
}

/** A question in the organiser's form; without an id it is new. */
export type QuestionDraft = Omit<FeedbackQuestion, 'id'> & { id?: string | undefined }

/**
 * Replaces the questions of a workshop; an empty list restores the default ones. Audited. Questions with answers must keep
 * their id and kind and cannot be removed (`answered`, with those missing); their text may be changed.
 */
export async function replaceQuestions(
  deps: Deps,
  actor: Actor,
  workshop: Workshop,
  drafts: readonly QuestionDraft[],
): Promise<{ kind: 'changed'; workshop: Workshop } | { kind: 'refused'; refusal: 'answered'; questions: Question[] }> {
  const before = listQuestions(workshop)
  const known = new Set(before.map(({ id }) => id))
  const questions = drafts.map(({ id, kind, text }): FeedbackQuestion => {
    // Of duplicate ids only the first one keeps the id.
    const isKnown = id !== undefined && known.delete(id)
    return { id: isKnown ? id : deps.newId(), kind, text }
  })
  const effective = questions.length > 0 ? questions : defaultQuestions
  const answered = await findAnsweredIds(deps, workshop)
  const missing = before.filter(
    ({ id, kind }) => answered.has(id) && !effective.some((after) => after.id === id && after.kind === kind),
  )
  if (missing.length > 0) return { kind: 'refused', refusal: 'answered', questions: missing }
  await deps.db.transaction(async (db) => {
    await db
      .update(workshops)
      .set({ feedbackQuestions: questions.length > 0 ? questions : null })
      .where(eq(workshops.id, workshop.id))
    const payload = { slug: workshop.slug, count: effective.length }
    await recordAudit({ ...deps, db }, actor, { action: 'feedback.changed', workshopId: workshop.id, payload })
  })
  return { kind: 'changed', workshop: (await findWorkshopById(deps, workshop.id)) as Workshop }
}
