import type { Notifications } from '../../database/notifications.js';
import { pollIntervalMs } from '../../database/subscription.js';
import type { Redactor } from '../logs/redact.js';
import { storeOutput } from '../logs/store-output.js';
import { retryUntilRecorded } from '../retry.js';
import type { AttachedCommand } from '../runners/runner.js';
import { executionTopic, filterStopRequested } from './sql.js';
import type { ExecutionDependencies } from './transitions.js';

interface AttachedExecution {
  executionId: string;
  taskArn: string;
  attached: AttachedCommand;
  redactor: Redactor;
}

const retryMs = 500;
/** A stop that another server records reaches this server within two seconds, also when its notification is lost. */
const maxStopDelayMs = 2_000;

/** Follows the commands of this process: stores output, records ends, stops commands on request of any process. */
export class AttachedExecutions {
  private readonly live = new Map<string, { taskArn: string; done: Promise<void> }>();
  private readonly closing = new AbortController();
  private pollTimer: NodeJS.Timeout | undefined;

  constructor(private readonly deps: ExecutionDependencies & { notifications: Notifications }) {}

  follow(execution: AttachedExecution): void {
    const { executionId, taskArn } = execution;
    const done = this.followToEnd(execution).finally(() => this.live.delete(executionId));
    this.live.set(executionId, { taskArn, done });
    this.pollStopRequests();
  }

  /** Returns true until the end of the execution is recorded. */
  has(executionId: string): boolean {
    return this.live.has(executionId);
  }

  /** Waits until the ends of all stopped commands are recorded, but at most `maxMs`. */
  async close(maxMs: number): Promise<void> {
    clearTimeout(this.pollTimer);
    const timer = setTimeout(() => this.closing.abort(), maxMs);
    await Promise.all([...this.live.values()].map(({ done }) => done));
    clearTimeout(timer);
    this.closing.abort();
  }

  private async followToEnd({ executionId, attached, redactor }: AttachedExecution): Promise<void> {
    const { notifications, transitions, logs, log, now } = this.deps;
    const { signal } = this.closing;
    const onChange = () => void this.stopRequested([executionId]);
    const unsubscribe = notifications.subscribe(executionTopic(executionId), onChange);
    let runningRecorded = Promise.resolve();
    void attached.running.then(() => {
      runningRecorded = this.record(executionId, 'start', () => transitions.move(executionId, 'RUNNING'));
    });
    const onRetry = (error: unknown) => log.warn({ err: error, executionId }, 'log lines wait for the database');
    try {
      await storeOutput(attached.output, { executionId, logs, redactor, now, onRetry, signal });
    } catch (error) {
      log.error({ err: error, executionId }, 'lost log lines of a command');
    }
    const { exitCode } = await attached.ended;
    await runningRecorded;
    await this.record(executionId, 'end', async () => {
      if (await transitions.finish(executionId, exitCode)) log.info({ executionId, exitCode }, 'execution ended');
    });
    unsubscribe();
    await attached.release();
  }

  /** Retries while the database is away, because a command without a recorded end would count as running for ever. */
  private async record(executionId: string, change: 'start' | 'end', act: () => Promise<unknown>): Promise<void> {
    const { log } = this.deps;
    const onRetry = (error: unknown) => log.warn({ err: error, executionId, change }, 'could not record yet; retrying');
    try {
      await retryUntilRecorded(act, { signal: this.closing.signal, intervalMs: retryMs, onRetry });
    } catch (error) {
      log.warn({ err: error, executionId, change }, 'could not record');
    }
  }

  /** Polls for stop requests while commands run, in case a notification was lost. */
  private pollStopRequests(): void {
    const intervalMs = Math.min(maxStopDelayMs, pollIntervalMs(this.deps.notifications));
    this.pollTimer ??= setTimeout(() => {
      this.pollTimer = undefined;
      if (this.live.size === 0) return;
      void this.stopRequested([...this.live.keys()]);
      this.pollStopRequests();
    }, intervalMs);
  }

  /** Stops the executions for which a user has requested a stop, at any server. */
  private async stopRequested(executionIds: readonly string[]): Promise<void> {
    const { database, runner, log } = this.deps;
    try {
      for (const executionId of await filterStopRequested(database, executionIds)) {
        const taskArn = this.live.get(executionId)?.taskArn;
        if (taskArn !== undefined) await runner?.stop(taskArn);
      }
    } catch (error) {
      log.warn({ err: error }, 'could not read which executions to stop');
    }
  }
}
