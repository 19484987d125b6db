import { eq, sql } from 'drizzle-orm'
import { query, timestamptz } from '../../db/database.ts'
import { type FeedbackQuestion, workshops } from '../../db/schema.ts'
import { normalizeText } from '../../lib/text.ts'
import { type Actor, recordAudit } from '../audit/log.ts'
import type { Deps } from '../deps.ts'
import type { Registration } from '../registrations/registrations.ts'
import { findWorkshopById, type Workshop } from '../workshops/workshops.ts'
import { checkInJoin, effectiveEnd } from './attendance.ts'

/** A question to those who came. The three that everybody is asked have their texts in messages/. */
export type Question = Omit<FeedbackQuestion, 'text'> & { text?: FeedbackQuestion['text'] | undefined }

/** What is asked where organisers ask nothing else. */
const defaultQuestions = [
  { id: 'useful', kind: 'rating' },
  { id: 'hands_on', kind: 'rating' },
  { id: 'better', kind: 'text' },
] as const satisfies readonly Question[]
export type DefaultQuestion = (typeof defaultQuestions)[number]['id']

/** As many as a workshop may have. */
export const maxQuestions = 10
/** The longest answer, in UTF-16 units. */
export const maxAnswerLength = 2000

/** What those who came to a workshop are asked. */
export function listQuestions({ feedbackQuestions }: Pick<Workshop, 'feedbackQuestions'>): readonly Question[] {
  return feedbackQuestions ?? defaultQuestions
}

/** Ratings from 1 to 5 and texts, by the ids of the questions. */
export type FeedbackAnswers = { ratings: Record<string, number>; texts: Record<string, string> }

/**
 * Reads what was sent to the questions: what is no rating from 1 to 5 counts as not answered.
 * @returns the ids of the questions whose answers are too long, where there are any
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

/** Why an answer is not stored. `empty`: nothing was answered. */
export type FeedbackRefusal = 'too_early' | 'too_late' | 'did_not_come' | 'empty'

const twoWeeksMs = 14 * 24 * 3600 * 1000

/** Until 14 days after the end of a workshop, and after its attendance was closed if that was later. */
export function feedbackDeadline({
  endsAt,
  attendanceClosedAt,
}: Pick<Workshop, 'endsAt' | 'attendanceClosedAt'>): Date {
  return new Date(Math.max(endsAt.getTime(), attendanceClosedAt?.getTime() ?? 0) + twoWeeksMs)
}

/** Why somebody who came cannot answer now; undefined where they can. */
export function feedbackClosedReason(workshop: Workshop, now: Date): 'too_early' | 'too_late' | undefined {
  return now < effectiveEnd(workshop) ? 'too_early' : now >= feedbackDeadline(workshop) ? 'too_late' : undefined
}

/** Stores what somebody who came answered, in place of what they answered before. */
export async function saveFeedback(
  deps: Deps,
  { id, workshop }: Pick<Registration, 'id' | 'workshop'>,
  { ratings, texts }: FeedbackAnswers,
): Promise<'given' | FeedbackRefusal> {
  const closed = feedbackClosedReason(workshop, deps.now())
  if (closed) return closed
  if (Object.keys(ratings).length + Object.keys(texts).length === 0) return 'empty'
  const now = timestamptz(deps.now())
  // The row is locked against the erasing of its person, whose words would stay.
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
  return stored.length > 0 ? 'given' : 'did_not_come'
}

/** What somebody answered, undefined if they did not. */
export async function findFeedback(deps: Deps, registrationId: string): Promise<FeedbackAnswers | undefined> {
  const [answers] = await query<FeedbackAnswers>(
    deps.db,
    sql`select ratings, texts from feedback where registration_id = ${registrationId}::uuid`,
  )
  return answers
}

export type FeedbackSummary = {
  /** How many answered. */
  answered: number
  questions: (
    | { question: Question; kind: 'rating'; counts: [number, number, number, number, number]; average: number | null }
    | { question: Question; kind: 'text'; texts: string[] }
  )[]
}

/** What came of the questions: how often each rating was given, and the texts, which nobody's name stands by. */
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
      const count = (rating: number) => ratings.filter((one) => one === rating).length
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
 * All answers of those who came, in an order that tells nothing of who gave them. Whose check-in was taken back did not come,
 * and counts again once they are checked in again.
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

/** Whether a question has been answered, by the ids of those that have. */
async function findAnsweredIds(deps: Deps, workshop: Pick<Workshop, 'id'>): Promise<Set<string>> {
  const found = await query<{ id: string }>(
    deps.db,
    sql`select distinct answer.id from feedback f
        cross join lateral (
          select jsonb_object_keys(f.ratings) union all select jsonb_object_keys(f.texts)
        ) as answer (id)
        where f.workshop_id = ${workshop.id}::uuid`,
  )
  return new Set(found.map(({ id }) => id))
}

/** A question as an organiser changes it; without an id it is new. */
export type QuestionDraft = Omit<FeedbackQuestion, 'id'> & { id?: string | undefined }

/**
 * Changes what is asked, which is written down; none at all means the three that everybody is asked. A question that somebody
 * has answered keeps its id and kind and cannot be left out: `answered`, with what is missing. Its words may be changed.
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
    // An id that stands there twice is of the first.
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
