interface Patience {
  /** What is waited for, in the words of the failure. */
  what?: string;
  timeoutMs?: number;
  everyMs?: number;
}

/** Looks again and again until `condition` gives something truthy, and returns it; throws when it takes too long. */
export async function until<T>(condition: () => T | Promise<T>, patience: Patience = {}): Promise<NonNullable<T>> {
  const { what = condition.toString(), timeoutMs = 10_000, everyMs = 10 } = patience;
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
