/** Runs `work`. If it fails, runs `close`, then rethrows the error of `work`. */
export async function closeOnError<T>(close: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    // An error from closing would hide the cause.
    await close().catch(() => {})
    throw error
  }
}
