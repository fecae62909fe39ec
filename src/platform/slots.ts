/** Lets so many run; who waits may leave. */
export function createSlots(count: number) {
  let free = count;
  const waiting = new Set<(release: (() => void) | undefined) => void>();
  const release = () => {
    const [next] = waiting;
    if (!next) free += 1;
    else {
      waiting.delete(next);
      next(release);
    }
  };
  return {
    /** Resolves with the way to give the slot back, or with undefined after `leave` was called while it waited. */
    async take(onWait: (leave: () => void) => void): Promise<(() => void) | undefined> {
      if (free > 0) {
        free -= 1;
        return release;
      }
      return new Promise((resolve) => {
        waiting.add(resolve);
        onWait(() => {
          if (waiting.delete(resolve)) resolve(undefined);
        });
      });
    },
  };
}
