import type { Api } from '../../client/api.js';
import { followLogs } from '../../client/live-logs.js';
import { type ExecutionLogs, hasEnded, type LogEvent } from '../../contract/executions.js';
import { createLogLines } from '../output/log-lines.js';
import { describeEnd } from './run-command.js';

interface Options {
  /** To the end; otherwise until nothing has come for `quietMs`. */
  follow: boolean;
  quietMs?: number;
  /** Prints nothing: the events are returned. */
  json: boolean;
  raw: boolean;
  tell(line: string): void;
}

/** The logs of an execution, ended or not. SIGINT leaves it running and ends this process. */
export async function printLogs(
  api: Pick<Api, 'executionLogs' | 'executionStatus'>,
  id: string,
  { follow, quietMs = 2_000, json, raw, tell }: Options,
): Promise<ExecutionLogs> {
  const lines = createLogLines(process.stdout, { raw });
  const logs = await api.executionLogs(id);
  if (logs.events) {
    if (!json) for (const event of logs.events) lines.show(event);
    tell(describeEnd(await api.executionStatus(id)));
    return logs;
  }
  const interrupted = () => {
    tell(`Execution ${id} goes on. Follow it again with: reefguide executions logs ${id}`);
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  const quiet = new AbortController();
  const timer = follow ? undefined : setTimeout(() => quiet.abort(), quietMs);
  const began = Date.now();
  const events: LogEvent[] = [];
  try {
    const onTrouble = (reason: string) => tell(`No logs just now, trying again: ${reason}`);
    const options = { websocketUrl: logs.websocket_url, signal: quiet.signal, onTrouble };
    for await (const event of followLogs(api, id, options)) {
      if (json) events.push(event);
      else lines.show(event);
      timer?.refresh();
      // It writes without a pause: what it wrote after we asked is not asked for.
      if (!follow && event.timestamp > began) break;
    }
  } finally {
    clearTimeout(timer);
    process.removeListener('SIGINT', interrupted);
  }
  const state = await api.executionStatus(id);
  tell(hasEnded(state.status) ? describeEnd(state) : `Execution ${id} ${state.status}`);
  return { execution_id: id, status: state.status, events };
}
