import { SetupError } from '../contract/errors.js';
import { type ExecutionState, hasEnded, type LogEvent } from '../contract/executions.js';
import { sleep } from '../platform/sleep.js';
import type { Api } from './api.js';
import { ApiError } from './http.js';
import { socketMessages } from './node-socket.js';

export interface FollowOptions {
  /** Of the answer to `run`; without it one is asked for. */
  websocketUrl?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Milliseconds before the next try, after so many failures one after the other. */
  backOffMs?: (failures: number) => number;
  /** Told once when the connection is lost and cannot be had again at once. */
  onTrouble?: ((reason: string) => void) | undefined;
  now?: () => number;
}

/** After so long, or so many failures one after the other, there is no use in going on. */
const mostTroubleMs = 180_000;
const mostFailures = 40;
/** Many connections end for a good reason, and the next one is had at once. */
const quietFailures = 2;
/** A connection that lived so long was none that failed. */
const goodLifeMs = 10_000;

/** Doubles up to five seconds, half of it at random: clients that were cut off together do not come back together. */
export const backOffMs = (failures: number): number => Math.min(5_000, 200 * 2 ** failures) * (0.5 + Math.random() / 2);

/**
 * The log events of an execution, each once, in the order in which they came, until it ends. Every lost connection is
 * taken up after the last event that was seen. Ends early, without an error, when `signal` aborts; throws when the API
 * refuses (ApiError) or stays away for minutes.
 */
export async function* followLogs(
  api: Pick<Api, 'executionLogs'>,
  executionId: string,
  options: FollowOptions = {},
): AsyncGenerator<LogEvent> {
  const { signal } = options;
  // Whole, not only the last: an ended execution's events come in time order, which need not be the order of arrival.
  const seen = new Set<string>();
  let last: string | undefined;
  let url = options.websocketUrl;
  const tries = countTries(options);
  while (!signal?.aborted) {
    const began = Date.now();
    let failure: unknown;
    try {
      if (url === undefined) {
        const logs = await api.executionLogs(executionId, signal);
        if (logs.events) {
          for (const event of logs.events) if (!seen.has(event.event_id)) yield event;
          return;
        }
        url = logs.websocket_url;
      }
      for await (const message of url === undefined ? [] : socketMessages(after(url, last), signal)) {
        if (message.type === 'disconnect') {
          if (message.reason === 'execution_completed') return;
          break;
        }
        const { type: _, ...event } = message;
        last = event.event_id;
        if (seen.has(last)) continue;
        seen.add(last);
        tries.succeeded();
        yield event;
      }
    } catch (error) {
      failure = error;
    }
    if (signal?.aborted) return;
    url = undefined;
    if (Date.now() - began >= goodLifeMs) tries.succeeded();
    await tries.failed(failure);
  }
}

/** How the execution ended. Asks until it has: the end of its logs may come a moment before. */
export async function untilEnded(
  api: Pick<Api, 'executionStatus'>,
  executionId: string,
  options: Omit<FollowOptions, 'websocketUrl'> = {},
): Promise<ExecutionState> {
  const tries = countTries(options);
  for (;;) {
    let failure: unknown;
    try {
      const state = await api.executionStatus(executionId, options.signal);
      if (hasEnded(state.status)) return state;
      tries.succeeded();
    } catch (error) {
      failure = error;
    }
    options.signal?.throwIfAborted();
    await tries.failed(failure);
  }
}

/** Waits longer after each failure in a row; throws what cannot get better, and the last failure of too many. */
function countTries({ signal, backOffMs: wait = backOffMs, onTrouble, now = Date.now }: FollowOptions) {
  let failures = 0;
  let since = 0;
  return {
    succeeded() {
      failures = 0;
    },
    async failed(failure: unknown) {
      if (failure instanceof ApiError && !failure.isTransient) throw failure;
      if (failures === 0) since = now();
      failures += 1;
      if (failures === quietFailures) onTrouble?.(failure instanceof Error ? failure.message : 'the connection closes');
      if (failures > mostFailures || now() - since > mostTroubleMs) {
        if (failure instanceof ApiError) throw failure;
        const reason = failure instanceof Error ? `: ${failure.message}` : '';
        throw new SetupError(`The stream of logs breaks again and again${reason}`, { cause: failure });
      }
      const asked = failure instanceof ApiError ? (failure.retryAfterSeconds ?? 0) * 1000 : 0;
      await sleep(Math.max(wait(failures), Math.min(asked, 60_000)), signal ?? new AbortController().signal);
    },
  };
}

/** The address that goes on after an event. */
function after(url: string, eventId: string | undefined): string {
  if (eventId === undefined) return url;
  const next = new URL(url);
  next.searchParams.set('last_event_id', eventId);
  return next.href;
}
