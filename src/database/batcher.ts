export interface BatcherOptions<Call, Answer> {
  /** Serves calls in order of arrival. Returns the answer of each call at its index, or throws and has done nothing. */
  serve(calls: Call[]): Promise<Answer[]>;
  /** Maximum weight of a batch. A heavier call is served alone. */
  maxWeight: number;
  /** Returns the weight of a call; 1 by default. */
  weigh?(call: Call): number;
  /** Maximum number of batches in progress. */
  concurrency: number;
  /** Returns whether a single call may have caused the error; false by default. */
  isFaultOfCall?(error: unknown): boolean;
}

/**
 * Returns a function that collects calls while earlier calls are served, and serves the collected calls together: one
 * statement and one commit for all. A lone call is served at once; under load a batch grows to the calls of a round trip.
 * An error fails all calls of the batch. After an error for which `isFaultOfCall` returns true, the calls are served
 * singly, so that only the bad call fails.
 */
export function createBatcher<Call, Answer>(options: BatcherOptions<Call, Answer>): (call: Call) => Promise<Answer> {
  const batcher = new Batcher(options);
  return (call) => batcher.add(call);
}

interface Waiting<Call, Answer> {
  call: Call;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

class Batcher<Call, Answer> {
  private readonly waiting: Waiting<Call, Answer>[] = [];
  private running = 0;

  constructor(private readonly options: BatcherOptions<Call, Answer>) {}

  add(call: Call): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ call, resolve, reject });
      // Waits for the end of the turn of the event loop, because calls read from the network together should share a batch.
      if (this.waiting.length === 1) setImmediate(() => this.startBatches());
    });
  }

  private startBatches(): void {
    while (this.running < this.options.concurrency && this.waiting.length > 0) {
      this.running += 1;
      void this.serve(this.takeBatch()).finally(() => {
        this.running -= 1;
        this.startBatches();
      });
    }
  }

  private takeBatch(): Waiting<Call, Answer>[] {
    const { maxWeight, weigh } = this.options;
    let weight = 0;
    let count = 0;
    for (const { call } of this.waiting) {
      weight += weigh ? weigh(call) : 1;
      if (count > 0 && weight > maxWeight) break;
      count += 1;
    }
    return this.waiting.splice(0, count);
  }

  private async serve(batch: readonly Waiting<Call, Answer>[]): Promise<void> {
    try {
      const answers = await this.options.serve(batch.map(({ call }) => call));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const answer = answers[index];
        if (answer === undefined) reject(new Error('A batch returned fewer answers than it had calls'));
        else resolve(answer);
      }
    } catch (error) {
      if (batch.length > 1 && this.options.isFaultOfCall?.(error)) for (const call of batch) await this.serve([call]);
      else for (const { reject } of batch) reject(error);
    }
  }
}
