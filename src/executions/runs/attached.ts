import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Notifications } from '../../database/notifications.js';
import type { Redactor } from '../logs/redact.js';
import type { LogStore } from '../logs/store.js';
import { storeOutput } from '../logs/store-output.js';
import type { AttachedCommand, CommandRunner } from '../runners/runner.js';
import { executionTopic, type Records } from './sql.js';

export interface FollowedExecution {
  executionId: string;
  taskArn: string;
  attached: AttachedCommand;
  redact: Redactor;
}

/** A stop that another process asked for is seen by then, also when its notice was lost. */
const lookEveryMs = 2_000;
const retryMs = 500;

/** The commands whose output and end come from this process: their lines are stored, their ends recorded. */
export function createFollowed(deps: {
  records: Records;
  logs: LogStore;
  notifications: Notifications;
  runner: CommandRunner | undefined;
  log: Logger;
  now(): number;
}) {
  const { records, logs, notifications, runner, log } = deps;
  const live = new Map<string, { taskArn: string; done: Promise<void> }>();
  const closing = new AbortController();
  const { signal } = closing;
  let timer: NodeJS.Timeout | undefined;

  /** Tried until the database takes it: an end that is not recorded would be a command that runs for ever. */
  const insist = async (executionId: string, what: string, act: () => Promise<unknown>): Promise<void> => {
    for (;;) {
      try {
        await act();
        return;
      } catch (error) {
        log.warn({ err: error, executionId }, `${what} could not be recorded${signal.aborted ? '' : ', and will be'}`);
        if (signal.aborted) return;
        await delay(retryMs, undefined, { signal }).catch(() => {});
      }
    }
  };

  const stopThose = async (executionIds: readonly string[]) => {
    for (const executionId of await records.toStop(executionIds)) {
      const taskArn = live.get(executionId)?.taskArn;
      if (taskArn !== undefined) await runner?.stop(taskArn);
    }
  };
  const look = (executionIds: readonly string[]) =>
    void stopThose(executionIds).catch((error: unknown) => log.warn({ err: error }, 'could not look what is to stop'));
  const lookAgain = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (live.size === 0) return;
      look([...live.keys()]);
      lookAgain();
    }, lookEveryMs);
  };

  const toEnd = async ({ executionId, attached, redact }: FollowedExecution): Promise<void> => {
    const unsubscribe = notifications.subscribe(executionTopic(executionId), () => look([executionId]));
    const onError = (error: unknown) => log.warn({ err: error, executionId }, 'log lines wait for the database');
    let recorded = Promise.resolve();
    void attached.running.then(() => {
      recorded = insist(executionId, 'that it runs', () => records.move(executionId, 'RUNNING'));
    });
    try {
      await storeOutput(attached.output, { executionId, logs, redact, now: deps.now, onError, signal });
    } catch (error) {
      log.error({ err: error, executionId }, 'log lines are lost');
    }
    const { exitCode } = await attached.ended;
    await recorded;
    await insist(executionId, 'its end', async () => {
      if (await records.finish(executionId, exitCode)) log.info({ executionId, exitCode }, 'execution ended');
    });
    unsubscribe();
    await attached.release();
  };

  return {
    follow(execution: FollowedExecution): void {
      const { executionId, taskArn } = execution;
      const done = toEnd(execution).finally(() => live.delete(executionId));
      live.set(executionId, { taskArn, done });
      lookAgain();
    },
    /** Whether its end is still to come, or to be recorded. */
    has: (executionId: string) => live.has(executionId),
    /** Resolves when every end is recorded, which the runner brought about; gives up on a database that is away. */
    async close(withinMs: number): Promise<void> {
      clearTimeout(timer);
      const giveUp = setTimeout(() => closing.abort(), withinMs);
      await Promise.all([...live.values()].map(({ done }) => done));
      clearTimeout(giveUp);
      closing.abort();
    },
  };
}
export type Followed = ReturnType<typeof createFollowed>;
