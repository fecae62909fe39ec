import { Errors } from '@oclif/core';
import type { Api } from '../../client/api.js';
import { followLogs } from '../../client/live-logs.js';
import type { ExecutionLogs, LogEvent } from '../../contract/executions.js';
import { abortOnSignal } from '../command/signals.js';
import { LogPrinter } from '../output/log-lines.js';
import type { Report } from '../output/steps.js';
import { describeExecution } from './outcome.js';

interface Options {
  /** Follows to the end. Otherwise stops after `quietMs` without a new event. */
  follow: boolean;
  quietMs?: number;
  /** Returns the events without printing them. */
  json: boolean;
  raw: boolean;
  report: Report;
}

/** Prints the logs of an execution, ended or running. SIGINT leaves the execution running and ends this process. */
export async function printLogs(
  api: Pick<Api, 'executionLogs' | 'executionStatus'>,
  id: string,
  options: Options,
): Promise<ExecutionLogs> {
  const { json, raw, report } = options;
  const printer = new LogPrinter(process.stdout, { raw });
  const logs = await api.executionLogs(id);
  if (logs.events) {
    if (!json) for (const event of logs.events) printer.print(event);
    report(describeExecution(await api.executionStatus(id)));
    return logs;
  }
  const events: LogEvent[] = [];
  const { signal, stopListening } = abortOnSignal({ names: ['SIGINT'] });
  for await (const event of readLiveEvents(api, id, logs.websocket_url, signal, options)) {
    if (json) events.push(event);
    else printer.print(event);
  }
  stopListening();
  if (signal.aborted) {
    report(`Execution ${id} keeps running. Follow it again with: reefguide executions logs ${id}`);
    throw new Errors.ExitError(130);
  }
  const state = await api.executionStatus(id);
  report(describeExecution(state));
  return { execution_id: id, status: state.status, events };
}

/** Yields events to the end, or without `follow` until a pause or until the events written before the call have come. */
async function* readLiveEvents(
  api: Pick<Api, 'executionLogs'>,
  id: string,
  websocketUrl: string | undefined,
  interrupt: AbortSignal,
  { follow, quietMs = 2_000, report }: Options,
): AsyncGenerator<LogEvent> {
  const startedAt = Date.now();
  const pause = new AbortController();
  const timer = follow ? undefined : setTimeout(() => pause.abort(), quietMs);
  const signal = AbortSignal.any([interrupt, pause.signal]);
  try {
    const onRetry = (reason: string) => report(`Reconnecting to the logs: ${reason}`);
    for await (const event of followLogs(api, id, { websocketUrl, signal, onRetry })) {
      yield event;
      timer?.refresh();
      // Stop here, because a command that writes without a pause would be followed to its end.
      if (!follow && event.timestamp > startedAt) return;
    }
  } finally {
    clearTimeout(timer);
  }
}
