interface UntilOptions {
  /** Names the condition in the error, for example `the job ended`. */
  what?: string;
  timeoutMs?: number;
  everyMs?: number;
}

/** Polls `condition` until it returns something truthy, and returns that. Throws after `timeoutMs`. */
export async function until<T>(condition: () => T | Promise<T>, options: UntilOptions = {}): Promise<NonNullable<T>> {
  const { what = condition.toString(), timeoutMs = 10_000, everyMs = 10 } = options;
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
