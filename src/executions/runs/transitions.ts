import type { Logger } from 'pino';
import type { ExecutionStatus } from '../../contract/executions.js';
import { createBatcher } from '../../database/batcher.js';
import type { Database } from '../../database/database.js';
import type { Notifications } from '../../database/notifications.js';
import type { LogStore } from '../logs/store.js';
import type { CommandRunner } from '../runners/runner.js';
import type { EncryptionKeys } from '../secrets/encryption.js';
import { type Ending, executionTopic, finishExecutions, type LiveExecution, moveExecution } from './sql.js';

/** Services that the modules of executions share. */
export interface ExecutionDependencies {
  database: Database;
  transitions: Transitions;
  logs: LogStore;
  /** Undefined on a server without commands. */
  runner: CommandRunner | undefined;
  encryption: EncryptionKeys | undefined;
  log: Logger;
  now(): number;
}

/** Changes the status of executions, and publishes each change. */
export class Transitions {
  private readonly finishBatched = createBatcher({
    serve: (endings: Ending[]) => this.finishAll(endings),
    maxWeight: 200,
    concurrency: 2,
  });

  constructor(
    private readonly database: Database,
    private readonly notifications: Pick<Notifications, 'publish'>,
  ) {}

  /** Makes a transition, or returns undefined when the present status does not allow the transition. */
  async move(executionId: string, to: ExecutionStatus, requestId?: string): Promise<LiveExecution | undefined> {
    const execution = await moveExecution(this.database, executionId, to, requestId);
    if (execution) this.notifications.publish([executionTopic(executionId)]);
    return execution;
  }

  /** Ends an execution, or returns undefined when the execution had ended before. */
  async finish(executionId: string, exitCode: number | undefined): Promise<LiveExecution | undefined> {
    return (await this.finishBatched({ executionId, exitCode })).execution;
  }

  private async finishAll(endings: readonly Ending[]): Promise<{ execution: LiveExecution | undefined }[]> {
    const executions = await finishExecutions(this.database, endings);
    this.notifications.publish(executions.map(({ execution_id }) => executionTopic(execution_id)));
    const ended = new Map(executions.map((execution) => [execution.execution_id, execution]));
    return endings.map(({ executionId }) => {
      const execution = ended.get(executionId);
      // Reports the end to the first of two calls for the same execution.
      ended.delete(executionId);
      return { execution };
    });
  }
}
