import type { LogEvent } from '../../contract/executions.js';
import { retryUntilRecorded } from '../retry.js';
import { LineReader, truncateLine } from './line-reader.js';
import type { Redactor } from './redact.js';
import type { LogStore } from './store.js';

export interface OutputOptions {
  executionId: string;
  logs: Pick<LogStore, 'append'>;
  redactor: Redactor;
  now(): number;
  /** Receives the error when lines could not be stored and will be stored again. */
  onRetry(error: unknown): void;
  /** Ends the retries. */
  signal: AbortSignal;
  retryMs?: number;
}

/** Bounds of the lines of one statement. */
const maxBatchLines = 2_000;
const maxBatchCharacters = 1_000_000;
/** Bounds of the waiting lines. Further output waits in the pipe, and blocks the command. */
const maxWaitingLines = 8_000;
const maxWaitingCharacters = 8_000_000;

/**
 * Stores the output of a command: line by line as printed, redacted, truncated, once, in order. Resolves when
 * everything is stored. Lines that arrive during a statement are stored together by the next statement.
 */
export async function storeOutput(output: AsyncIterable<Uint8Array>, options: OutputOptions): Promise<void> {
  const reader = new LineReader(options.redactor.maxCharacters);
  const writer = new OutputWriter(options);
  for await (const chunk of output) await writer.write(reader.push(chunk));
  await writer.write(reader.end());
  await writer.finish();
}

class OutputWriter {
  private waiting: LogEvent[] = [];
  private waitingCharacters = 0;
  private lineCount = 0;
  private lastTime = 0;
  private storing: Promise<void> | undefined;
  private failure: { cause: unknown } | undefined;
  private onProgress = () => {};

  constructor(private readonly options: OutputOptions) {}

  /** Takes lines; resolves when there is room for more. Throws when storing has failed for good. */
  async write(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    this.add(lines);
    this.storing ??= this.storeAll();
    while (this.isFull() && !this.failure) {
      await new Promise<void>((resolve) => {
        this.onProgress = resolve;
      });
    }
    this.throwFailure();
  }

  /** Resolves when all lines are stored. */
  async finish(): Promise<void> {
    await this.storing;
    this.throwFailure();
  }

  private add(lines: readonly string[]): void {
    const { executionId, redactor, now } = this.options;
    // Keeps the order of time equal to the order of lines, also when the clock is set back.
    this.lastTime = Math.max(this.lastTime, now());
    for (const line of lines) {
      const message = truncateLine(redactor.redact(line));
      const event_id = `${executionId}-${String(this.lineCount).padStart(10, '0')}`;
      this.waiting.push({ event_id, timestamp: this.lastTime, message });
      this.waitingCharacters += message.length;
      this.lineCount += 1;
    }
  }

  private isFull(): boolean {
    return this.waiting.length > maxWaitingLines || this.waitingCharacters > maxWaitingCharacters;
  }

  /** Stores all waiting lines. After a lost answer a batch is sent twice, and stored once, by the ids of the events. */
  private async storeAll(): Promise<void> {
    const { executionId, logs, signal, onRetry, retryMs = 500 } = this.options;
    try {
      while (this.waiting.length > 0) {
        const batch = this.takeBatch();
        await retryUntilRecorded(() => logs.append(executionId, batch), { signal, intervalMs: retryMs, onRetry });
        this.onProgress();
      }
    } catch (cause) {
      this.failure = { cause };
      this.onProgress();
    }
    this.storing = undefined;
  }

  private takeBatch(): LogEvent[] {
    let characters = 0;
    const end = this.waiting.findIndex(({ message }, n) => {
      characters += message.length;
      return n >= maxBatchLines || (n > 0 && characters > maxBatchCharacters);
    });
    const batch = end === -1 ? this.waiting : this.waiting.slice(0, end);
    this.waiting = end === -1 ? [] : this.waiting.slice(end);
    for (const { message } of batch) this.waitingCharacters -= message.length;
    return batch;
  }

  private throwFailure(): void {
    if (this.failure) throw this.failure.cause;
  }
}
