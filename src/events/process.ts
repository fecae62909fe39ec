import { ServiceError } from '../contract/errors.js';
import type { EventOutcome } from '../contract/processor.js';
import { decodeEvent, type EventTask, type LoggedLine, type ProcessorEvent, type SocketOpened } from './decode.js';

/** Execution of an event; `applied` is true when the event changed the execution. */
export type ExecutionChange = { executionId: string; applied: boolean };
/** Execution of log lines, with the number of new lines. */
export type StoredLines = { executionId: string; stored: number };

/** Applies parts of events. Each method changes nothing twice, and nothing for an unknown task or subscriber. */
export interface EventHandlers {
  /** Requeues or ends the jobs of the task, and returns the jobs. */
  requeueJobs(taskArn: string, reason: string): Promise<readonly { id: number }[]>;
  /** Records that the execution of the task runs. Returns undefined for a task without an execution. */
  recordRunning(task: EventTask): Promise<ExecutionChange | undefined>;
  /** Ends the execution of the task. Returns undefined for a task without an execution. */
  recordStopped(task: EventTask, exitCode: number | undefined, reason: string): Promise<ExecutionChange | undefined>;
  /** Stores lines of an execution, and returns the number of new lines; undefined for a task without an execution. */
  storeLines(taskId: string, lines: readonly LoggedLine[]): Promise<StoredLines | undefined>;
  /** Adds a subscriber to a log. Returns false when the token is invalid. */
  addSubscriber(event: SocketOpened): Promise<boolean>;
  /** Sends a subscriber the lines that follow the last sent line. */
  sendToSubscriber(connectionId: string): Promise<boolean>;
  removeSubscriber(connectionId: string): Promise<boolean>;
  maintain(): Promise<void>;
  /** Receives each event of an unknown task. */
  onUnknown(event: ProcessorEvent): void;
}

type TaskStopped = Extract<ProcessorEvent, { kind: 'task_stopped' }>;

const nothing: EventOutcome = { applied: false, jobs: [], executions: [], stored: 0 };

/** Applies one raw event. An event that comes twice, late or out of order changes nothing twice. */
export async function processEvent(raw: unknown, handlers: EventHandlers): Promise<EventOutcome> {
  const event = decodeEvent(raw);
  if (event) return apply(event, handlers);
  throw new ServiceError('invalid', 'Unknown event: expected a task, log, WebSocket or scheduled event of AWS');
}

async function apply(event: ProcessorEvent, handlers: EventHandlers): Promise<EventOutcome> {
  switch (event.kind) {
    case 'task_running':
      return toOutcome(await handlers.recordRunning(event.task), event, handlers);
    case 'task_stopped':
      return applyTaskStopped(event, handlers);
    case 'lines': {
      const result = await handlers.storeLines(event.taskId, event.lines);
      const stored = result?.stored ?? 0;
      return { ...toOutcome(result && { ...result, applied: stored > 0 }, event, handlers), stored };
    }
    case 'socket_opened': {
      const isAdded = await handlers.addSubscriber(event);
      return { ...nothing, applied: isAdded, statusCode: isAdded ? 200 : 401 };
    }
    case 'socket_message':
      return { ...nothing, applied: await handlers.sendToSubscriber(event.connectionId), statusCode: 200 };
    case 'socket_closed':
      return { ...nothing, applied: await handlers.removeSubscriber(event.connectionId), statusCode: 200 };
    case 'schedule':
      await handlers.maintain();
      return { ...nothing, applied: true };
    case 'task_changed':
    case 'log_subscription_test':
      return nothing;
  }
}

/** Ends the execution of the task. A task without an execution is a worker, so its jobs are requeued. */
async function applyTaskStopped(event: TaskStopped, handlers: EventHandlers): Promise<EventOutcome> {
  const { task, exitCode, reason } = event;
  const change = await handlers.recordStopped(task, exitCode, reason);
  if (change) return toOutcome(change, event, handlers);
  const jobs = await handlers.requeueJobs(task.arn, `the worker's task stopped: ${reason}`);
  if (jobs.length === 0) handlers.onUnknown(event);
  return { ...nothing, applied: jobs.length > 0, jobs: jobs.map(({ id }) => id) };
}

function toOutcome(change: ExecutionChange | undefined, event: ProcessorEvent, handlers: EventHandlers): EventOutcome {
  if (!change) handlers.onUnknown(event);
  return change?.applied ? { ...nothing, applied: true, executions: [change.executionId] } : nothing;
}
