import { hasEnded } from '../../contract/executions.js';
import { createBatcher } from '../../database/batcher.js';
import type { EventTask, LoggedLine } from '../../events/decode.js';
import type { ExecutionChange, StoredLines } from '../../events/process.js';
import { truncateLine } from '../logs/line-reader.js';
import { toNote } from '../logs/note.js';
import { Redactor } from '../logs/redact.js';
import { openValues } from '../secrets/sealed-values.js';
import { findExecutionsOfTasks, type LiveExecution, setTask, type TaskReference } from './sql.js';
import { mayBecome } from './status.js';
import type { ExecutionDependencies } from './transitions.js';

const maxReasonCharacters = 2_000;

/** Applies events of tasks to executions. Repeated, late, early events change nothing. Unknown tasks give undefined. */
export class TaskEvents {
  private readonly findByTask = createBatcher({
    serve: async (tasks: TaskReference[]) =>
      (await findExecutionsOfTasks(this.deps.database, tasks)).map((execution) => ({ execution })),
    maxWeight: 200,
    concurrency: 2,
  });

  constructor(private readonly deps: ExecutionDependencies) {}

  async recordRunning(task: EventTask): Promise<ExecutionChange | undefined> {
    const { database, transitions, runner } = this.deps;
    const execution = await this.findExecution(task);
    if (!execution) return undefined;
    const executionId = execution.execution_id;
    if (execution.task_arn === null) {
      // The server was killed before recording the task, or received an error for a successful launch.
      if (hasEnded(execution.status)) await runner?.stop(task.arn);
      else await setTask(database, executionId, task.arn);
    }
    if (!mayBecome(execution.status, 'RUNNING')) return this.ignore(execution, 'RUNNING');
    return { executionId, applied: (await transitions.move(executionId, 'RUNNING')) !== undefined };
  }

  /** Ends the execution of a stopped task, after storing the last lines. */
  async recordStopped(task: EventTask, exitCode: number | undefined, reason: string) {
    const { transitions, logs, log, now } = this.deps;
    const execution = await this.findExecution(task);
    if (!execution) return undefined;
    const executionId = execution.execution_id;
    if (hasEnded(execution.status)) return this.ignore(execution, 'STOPPED');
    await this.fetchLines({ ...execution, task_arn: task.arn });
    if (exitCode === undefined && execution.status !== 'TERMINATING') {
      const text = `the task stopped: ${reason.slice(0, maxReasonCharacters)}`;
      await logs.append(executionId, [toNote(executionId, text, now())]);
    }
    const ended = await transitions.finish(executionId, exitCode);
    if (ended) log.info({ executionId, exitCode, reason }, 'execution ended');
    return { executionId, applied: ended !== undefined };
  }

  async storeLines(taskId: string, lines: readonly LoggedLine[]): Promise<StoredLines | undefined> {
    const { execution } = await this.findByTask({ taskId, executionId: taskId });
    if (!execution) return undefined;
    return { executionId: execution.execution_id, stored: await this.append(execution, lines) };
  }

  /** Stores lines ahead of their delivery by the provider. The later delivery stores nothing twice. */
  async fetchLines(execution: LiveExecution): Promise<void> {
    const { runner, log } = this.deps;
    const { compute_platform, task_arn } = execution;
    if (compute_platform !== runner?.platform || task_arn === null) return;
    try {
      for await (const lines of runner.readLogs(task_arn)) await this.append(execution, lines);
    } catch (error) {
      log.warn({ err: error, executionId: execution.execution_id }, 'could not read the last log lines of a task');
    }
  }

  private async findExecution({ id, startedBy }: EventTask): Promise<LiveExecution | undefined> {
    const isExecutionId = startedBy !== undefined && /^[0-9a-f]{32}$/.test(startedBy);
    return (await this.findByTask({ taskId: id, executionId: isExecutionId ? startedBy : id })).execution;
  }

  private append({ execution_id, masked }: LiveExecution, lines: readonly LoggedLine[]): Promise<number> {
    const redactor = new Redactor(openValues(this.deps.encryption, execution_id, masked));
    const toEvent = ({ id, timestamp, message }: LoggedLine) => {
      const redacted = redactor.redact(message.replaceAll('\0', '\uFFFD'));
      return { event_id: id, timestamp, message: truncateLine(redacted) };
    };
    return this.deps.logs.append(execution_id, lines.map(toEvent));
  }

  private ignore({ execution_id: executionId, status }: LiveExecution, taskStatus: string): ExecutionChange {
    this.deps.log.info({ executionId, status, taskStatus }, 'ignored a late event of a task');
    return { executionId, applied: false };
  }
}
