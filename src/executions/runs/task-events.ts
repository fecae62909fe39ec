import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { hasEnded } from '../../contract/executions.js';
import type { ExecutionChange } from '../../events/process.js';
import { cutLine } from '../logs/line-reader.js';
import { createRedactor } from '../logs/redact.js';
import type { LogStore } from '../logs/store.js';
import type { CommandRunner, ProviderLogEvent } from '../runners/runner.js';
import type { EncryptionKeys } from '../secrets/encryption.js';
import { openValues } from '../secrets/sealed-values.js';
import type { LiveExecution, Records } from './sql.js';
import { mayBecome } from './status.js';

interface Task {
  arn: string;
  id: string;
  startedBy: string | undefined;
}

/** What a provider tells of tasks, as it concerns their executions. Told twice, late or out of order it changes nothing. */
export function createTaskEvents(deps: {
  records: Records;
  logs: LogStore;
  runner: CommandRunner | undefined;
  encryption: EncryptionKeys | undefined;
  log: Logger;
  now(): number;
}) {
  const { records, logs, runner, log } = deps;

  const executionOf = ({ id, startedBy }: Task) =>
    records.ofTask(id, startedBy !== undefined && /^[0-9a-f]{32}$/.test(startedBy) ? startedBy : undefined);

  const append = (execution: LiveExecution, lines: readonly ProviderLogEvent[]): Promise<number> => {
    const redact = createRedactor(openValues(deps.encryption, execution.execution_id, execution.masked));
    return logs.append(
      execution.execution_id,
      lines.map(({ id, timestamp, message }) => ({
        event_id: id,
        timestamp,
        message: cutLine(redact(message.replaceAll('\0', '\uFFFD'))),
      })),
    );
  };
  /** The lines that the provider has and did not announce yet. They come again, and are not stored again. */
  const fetchLines = async (execution: LiveExecution): Promise<void> => {
    const { compute_platform, task_arn } = execution;
    if (compute_platform !== runner?.platform || task_arn === null) return;
    try {
      for await (const lines of runner.logs(task_arn)) await append(execution, lines);
    } catch (error) {
      log.warn({ err: error, executionId: execution.execution_id }, 'the last lines of a task could not be read');
    }
  };

  const ignored = ({ execution_id: executionId, status }: LiveExecution, taskStatus: string): ExecutionChange => {
    log.info({ executionId, status, taskStatus }, 'an event that comes too late is left out');
    return { executionId, applied: false };
  };

  return {
    fetchLines,
    async taskRuns(task: Task): Promise<ExecutionChange | undefined> {
      const execution = await executionOf(task);
      if (!execution) return undefined;
      const executionId = execution.execution_id;
      if (execution.task_arn === null) {
        // Whoever launched it was killed before noting its task, or was told that the launch had failed.
        if (hasEnded(execution.status)) await runner?.stop(task.arn);
        else await records.setTask(executionId, task.arn);
      }
      if (!mayBecome(execution.status, 'RUNNING')) return ignored(execution, 'RUNNING');
      return { executionId, applied: (await records.move(executionId, 'RUNNING')) !== undefined };
    },
    async taskStopped(task: Task, exitCode: number | undefined, reason: string): Promise<ExecutionChange | undefined> {
      const execution = await executionOf(task);
      if (!execution) return undefined;
      const { execution_id } = execution;
      if (hasEnded(execution.status)) return ignored(execution, 'STOPPED');
      await fetchLines({ ...execution, task_arn: task.arn });
      if (exitCode === undefined && execution.status !== 'TERMINATING') {
        const event_id = `${execution_id}-note-${randomBytes(6).toString('hex')}`;
        const message = `[reefguide] the task stopped: ${reason.slice(0, 2_000)}`;
        await logs.append(execution_id, [{ event_id, timestamp: deps.now(), message }]);
      }
      const ended = await records.finish(execution_id, exitCode);
      if (ended) log.info({ executionId: execution_id, exitCode, reason }, 'execution ended');
      return { executionId: execution_id, applied: ended !== undefined };
    },
    async storeLines(taskId: string, lines: readonly ProviderLogEvent[]) {
      const execution = await records.ofTask(taskId);
      if (!execution) return undefined;
      return { executionId: execution.execution_id, stored: await append(execution, lines) };
    },
  };
}
export type TaskEvents = ReturnType<typeof createTaskEvents>;
