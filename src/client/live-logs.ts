import { type ExecutionState, hasEnded, type LogEvent } from '../contract/executions.js';
import type { Api } from './api.js';
import { socketMessages } from './node-socket.js';
import { Retries, type RetryOptions } from './retries.js';

export interface FollowOptions extends RetryOptions {
  /** Address of the WebSocket from the answer of `run`; without an address, the API is asked. */
  websocketUrl?: string | undefined;
}

/** A connection that lasted this long counts as a success, even without an event. */
const minHealthyMs = 10_000;

/**
 * Yields the log events of an execution, each once, in order of arrival, until the execution ends. A lost connection is
 * resumed after the last event. Returns early, without an error, when `signal` aborts; throws when the API refuses (ApiError)
 * or fails for minutes.
 */
export async function* followLogs(
  api: Pick<Api, 'executionLogs'>,
  executionId: string,
  options: FollowOptions = {},
): AsyncGenerator<LogEvent> {
  const { signal } = options;
  // All ids, because the events of an ended execution come in order of time, not of arrival.
  const seen = new Set<string>();
  let last: string | undefined;
  let url = options.websocketUrl;
  const retries = new Retries(options);
  while (!signal?.aborted) {
    const startedAt = Date.now();
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
      for await (const message of url === undefined ? [] : socketMessages(resumeAfter(url, last), signal)) {
        if (message.type === 'disconnect') {
          if (message.reason === 'execution_completed') return;
          break;
        }
        const { type: _, ...event } = message;
        last = event.event_id;
        if (seen.has(last)) continue;
        seen.add(last);
        retries.succeeded();
        yield event;
      }
    } catch (error) {
      failure = error;
    }
    if (signal?.aborted) return;
    url = undefined;
    if (Date.now() - startedAt >= minHealthyMs) retries.succeeded();
    await retries.failed(failure);
  }
}

/** Returns the final state of an execution. Polls, because the logs may end a moment before the execution. */
export async function waitUntilEnded(
  api: Pick<Api, 'executionStatus'>,
  executionId: string,
  options: RetryOptions = {},
): Promise<ExecutionState> {
  const retries = new Retries(options);
  for (;;) {
    let failure: unknown;
    try {
      const state = await api.executionStatus(executionId, options.signal);
      if (hasEnded(state.status)) return state;
      retries.succeeded();
    } catch (error) {
      failure = error;
    }
    options.signal?.throwIfAborted();
    await retries.failed(failure);
  }
}

/** Adds the id of the last event: `ws://x/ws?token=1` → `ws://x/ws?token=1&last_event_id=a`. */
function resumeAfter(url: string, eventId: string | undefined): string {
  if (eventId === undefined) return url;
  const next = new URL(url);
  next.searchParams.set('last_event_id', eventId);
  return next.href;
}
