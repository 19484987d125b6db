/** Does the work; if it fails, closes what was opened before, and only then rethrows its error. */
export async function closeOnError<T>(close: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    // What closing fails with would hide the cause.
    await close().catch(() => {})
    throw error
  }
}
