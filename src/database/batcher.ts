/**
 * Collects calls that arrive while earlier ones are being served, and serves them together: one statement and one commit
 * for all. A lone call is served at once; under load the batch grows by itself to what arrives in one round trip.
 *
 * `serve` gets the calls in order of arrival and answers each at its index, or throws and has done nothing. Then all its
 * calls fail, unless one of them alone may be to blame: then they are served one by one, and only the bad one fails.
 */
export function createBatcher<Call, Answer>(options: {
  serve(calls: Call[]): Promise<Answer[]>;
  /** The largest batch, measured by `weigh` (default: calls). */
  maxWeight: number;
  weigh?(call: Call): number;
  /** How many batches may be under way at once. */
  concurrency: number;
  /** Whether the error may be the fault of one call (default: never). */
  isFaultOfCall?(error: unknown): boolean;
}): (call: Call) => Promise<Answer> {
  interface Waiting {
    call: Call;
    resolve(answer: Answer): void;
    reject(error: unknown): void;
  }
  const { serve, maxWeight, weigh = () => 1, concurrency, isFaultOfCall = () => false } = options;
  let waiting: Waiting[] = [];
  let running = 0;

  const take = (): Waiting[] => {
    let weight = 0;
    let count = 0;
    for (const { call } of waiting) {
      weight += weigh(call);
      if (count > 0 && weight > maxWeight) break;
      count += 1;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return batch;
  };

  const serveAll = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const answers = await serve(batch.map(({ call }) => call));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const answer = answers[index];
        if (answer === undefined) reject(new Error('a batch answered fewer calls than it had'));
        else resolve(answer);
      }
    } catch (error) {
      if (batch.length > 1 && isFaultOfCall(error)) for (const one of batch) await serveAll([one]);
      else for (const { reject } of batch) reject(error);
    }
  };

  const pump = () => {
    while (running < concurrency && waiting.length > 0) {
      running += 1;
      void serveAll(take()).finally(() => {
        running -= 1;
        pump();
      });
    }
  };

  return (call) =>
    new Promise((resolve, reject) => {
      waiting.push({ call, resolve, reject });
      // After the turn of the event loop, so that calls read from the network together are served together.
      if (waiting.length === 1) setImmediate(pump);
    });
}
