import { setTimeout as delay } from 'node:timers/promises';
import type { LogEvent } from '../../contract/executions.js';
import { createLineReader, cutLine } from './line-reader.js';
import type { Redactor } from './redact.js';
import type { LogStore } from './store.js';

export interface OutputOptions {
  executionId: string;
  logs: Pick<LogStore, 'append'>;
  redact: Redactor;
  now(): number;
  /** Told when lines could not be stored; they are stored again until it works or `signal` aborts. */
  onError(error: unknown): void;
  signal: AbortSignal;
  /** Until lines that could not be stored are tried again. */
  retryMs?: number;
}

/** One statement stores at most so many. */
const maxLines = 2_000;
const maxCharacters = 1_000_000;
/** More output than this waits in the pipe of the command, which then waits itself. */
const maxWaiting = 8_000;
const maxWaitingCharacters = 8_000_000;

/**
 * Stores what a command prints, line by line as it comes: masked, cut, once, in order. What arrives while lines are being
 * stored is stored with the next statement, so that a busy command needs few of them. Resolves when all is stored.
 */
export async function storeOutput(output: AsyncIterable<Uint8Array>, options: OutputOptions): Promise<void> {
  const { executionId, logs, redact, now, signal, retryMs = 500 } = options;
  const reader = createLineReader(redact.longest);
  let waiting: LogEvent[] = [];
  let characters = 0;
  let count = 0;
  let last = 0;
  let storing: Promise<void> | undefined;
  let failure: { cause: unknown } | undefined;
  let wakeReader = () => {};

  const add = (lines: readonly string[]) => {
    // Time order is the order of lines, also when the clock is set back.
    last = Math.max(last, now());
    for (const line of lines) {
      const message = cutLine(redact(line));
      waiting.push({ event_id: `${executionId}-${String(count).padStart(10, '0')}`, timestamp: last, message });
      characters += message.length;
      count += 1;
    }
  };
  const take = (): LogEvent[] => {
    let size = 0;
    const end = waiting.findIndex(({ message }, n) => {
      size += message.length;
      return n >= maxLines || (n > 0 && size > maxCharacters);
    });
    const batch = end === -1 ? waiting : waiting.slice(0, end);
    waiting = end === -1 ? [] : waiting.slice(end);
    for (const { message } of batch) characters -= message.length;
    return batch;
  };
  /** An event that was stored although its answer was lost is not stored again: its id is there. */
  const store = async (batch: readonly LogEvent[]): Promise<void> => {
    for (;;) {
      try {
        await logs.append(executionId, batch);
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        options.onError(error);
        // An abort ends the wait; the next attempt is the last.
        await delay(retryMs, undefined, { signal }).catch(() => {});
      }
    }
  };
  const pump = async () => {
    try {
      while (waiting.length > 0) {
        await store(take());
        wakeReader();
      }
    } catch (cause) {
      failure = { cause };
      wakeReader();
    }
    storing = undefined;
  };
  const isFull = () => waiting.length > maxWaiting || characters > maxWaitingCharacters;

  const put = async (lines: readonly string[]) => {
    if (lines.length === 0) return;
    add(lines);
    storing ??= pump();
    while (isFull() && !failure) await new Promise<void>((resolve) => (wakeReader = resolve));
    if (failure) throw failure.cause;
  };
  for await (const chunk of output) await put(reader.push(chunk));
  await put(reader.end());
  await storing;
  if (failure) throw failure.cause;
}
