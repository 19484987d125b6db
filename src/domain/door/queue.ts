/**
 * When the door queue may get a seat: from the start on if one is free, else once the grace time is over and no-shows
 * lose theirs. Infinity if the workshop has no grace time. As in ensure_free_seat.sql and seat_door_queue.sql.
 * @returns milliseconds since 1970
 */
export function doorQueueDueAt(
  { capacity, taken, graceMinutes }: { capacity: number; taken: number; graceMinutes: number | null },
  startsAt: Date,
): number {
  if (taken < capacity) return startsAt.getTime()
  return graceMinutes === null ? Number.POSITIVE_INFINITY : startsAt.getTime() + graceMinutes * 60_000
}
