import { ServiceError } from '../contract/errors.js';
import type { EventOutcome } from '../contract/processor.js';
import { decodeEvent, type LoggedLine, type ProcessorEvent, type TaskName } from './decode.js';

/** An execution, and whether the event changed it. */
export interface ExecutionChange {
  executionId: string;
  applied: boolean;
}

/** What events change. Each changes nothing a second time, and nothing of what is not known. */
export interface EventTargets {
  /** Puts back, or ends, the jobs that the task had in hand. */
  loseJobs(taskArn: string, reason: string): Promise<readonly { id: number }[]>;
  /** The task's execution runs. */
  taskRuns(task: TaskName): Promise<ExecutionChange | undefined>;
  /** The task's execution has ended. */
  taskStopped(task: TaskName, exitCode: number | undefined, reason: string): Promise<ExecutionChange | undefined>;
  /** The task's execution, and how many of the lines were new; undefined when it has none. */
  storeLines(
    taskId: string,
    lines: readonly LoggedLine[],
  ): Promise<{ executionId: string; stored: number } | undefined>;
  /** Whether the token opened the log. */
  socketOpened(event: Extract<ProcessorEvent, { kind: 'socket_opened' }>): Promise<boolean>;
  /** Sends a subscriber what it has not had. */
  socketSpoke(connectionId: string): Promise<boolean>;
  socketClosed(connectionId: string): Promise<boolean>;
  /** An hour has passed. */
  reconcile(): Promise<void>;
  /** Told of what was sent for nobody. */
  onUnknown(event: ProcessorEvent): void;
}

const nothing: EventOutcome = { applied: false, jobs: [], executions: [], stored: 0 };

/** Applies one raw event. Applying it twice, late or out of order changes nothing twice. */
export async function processEvent(raw: unknown, targets: EventTargets): Promise<EventOutcome> {
  const event = decodeEvent(raw);
  if (!event) throw new ServiceError('invalid', 'This is no event that the processor knows');
  return apply(event, targets);
}

async function apply(event: ProcessorEvent, targets: EventTargets): Promise<EventOutcome> {
  const outcomeOf = (change: ExecutionChange | undefined): EventOutcome => {
    if (!change) targets.onUnknown(event);
    return change?.applied ? { ...nothing, applied: true, executions: [change.executionId] } : nothing;
  };
  switch (event.kind) {
    case 'task_stopped': {
      const { task, exitCode, reason } = event;
      const change = await targets.taskStopped(task, exitCode, reason);
      if (change) return outcomeOf(change);
      const moved = await targets.loseJobs(task.arn, `the worker's task stopped: ${reason}`);
      if (moved.length === 0) targets.onUnknown(event);
      return { ...nothing, applied: moved.length > 0, jobs: moved.map(({ id }) => id) };
    }
    case 'task_running':
      return outcomeOf(await targets.taskRuns(event.task));
    case 'lines': {
      const found = await targets.storeLines(event.taskId, event.lines);
      const stored = found?.stored ?? 0;
      return { ...outcomeOf(found && { ...found, applied: stored > 0 }), stored };
    }
    case 'socket_opened': {
      const isOpen = await targets.socketOpened(event);
      return { ...nothing, applied: isOpen, statusCode: isOpen ? 200 : 401 };
    }
    case 'socket_spoke':
      return { ...nothing, applied: await targets.socketSpoke(event.connectionId), statusCode: 200 };
    case 'socket_closed':
      return { ...nothing, applied: await targets.socketClosed(event.connectionId), statusCode: 200 };
    case 'schedule':
      await targets.reconcile();
      return { ...nothing, applied: true };
    case 'task_changed':
    case 'test':
      return nothing;
  }
}
