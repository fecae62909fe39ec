import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { SetupError } from '../../contract/errors.js';
import type { HealthIssue, HealthReport } from '../../contract/health.js';
import type { Database } from '../../database/database.js';
import type { Images } from '../images/images.js';
import type { LogStore } from '../logs/store.js';
import type { CommandRunner } from '../runners/runner.js';
import type { Secrets } from '../secrets/secrets.js';
import type { Records } from './sql.js';
import type { TaskEvents } from './task-events.js';

/** What is wrong with accounts. */
export interface AccountCheck {
  total: number;
  problems: { email: string; message: string }[];
}

/** A launch may take so long until its task is listed. */
const launchSeconds = 120;
/** So long after its time a command that ends itself has ended. */
const overdueSeconds = 300;

const ownerless = `
SELECT 'image' AS kind, image AS name FROM "Image" WHERE cardinality(owned_by) > 0
  AND NOT EXISTS (SELECT 1 FROM "User" u WHERE u.id = ANY (owned_by))
UNION ALL SELECT 'secret', name FROM "Secret" WHERE NOT EXISTS (SELECT 1 FROM "User" u WHERE u.id = ANY (owned_by))`;

/**
 * Compares what is recorded with what exists: repairs what is safe (ends executions whose tasks have gone, stops tasks that
 * were to stop, makes task definitions again) and reports the rest.
 */
export function createReconcile(deps: {
  database: Database;
  records: Records;
  images: Images;
  secrets: Secrets;
  logs: LogStore;
  taskEvents: TaskEvents;
  runner: CommandRunner | undefined;
  /** Whether this process is about to record how it ended. */
  isFollowed(executionId: string): boolean;
  checkAccounts(): Promise<AccountCheck>;
  log: Logger;
  now(): number;
}) {
  const { records, images, runner, log } = deps;
  type Problem = Omit<HealthIssue, 'severity' | 'action'>;
  type Live = Awaited<ReturnType<Records['live']>>[number];

  /** Whether it is as it should be; repairs it if it is not. */
  const checkExecution = async (execution: Live, exists: boolean, repaired: (message: string) => void) => {
    const { execution_id: id, task_arn, status, age, timeout } = execution;
    // Meanwhile it may have ended by itself.
    if (deps.isFollowed(id) || (await records.endOf(id))?.ended) return true;
    if (task_arn !== null && exists) {
      const isOverdue = runner?.platform === 'ecs' && age > timeout + overdueSeconds;
      if (status !== 'TERMINATING' && !isOverdue) return true;
      await runner?.stop(task_arn);
      repaired(isOverdue ? 'ran beyond its time: its task was told to stop' : 'its task was told to stop again');
      return false;
    }
    if (age < launchSeconds && (task_arn === null || runner?.platform === 'ecs')) return true;
    await deps.taskEvents.fetchLines(execution);
    const event_id = `${id}-note-${randomBytes(6).toString('hex')}`;
    const message = '[reefguide] its task has gone, and nobody told how it ended';
    await deps.logs.append(id, [{ event_id, timestamp: deps.now(), message }]);
    if (await records.finish(id, undefined)) repaired('its task has gone: it was ended');
    return false;
  };

  const executions = async (repaired: (problem: Problem) => void, report: (problem: Problem) => void) => {
    const live = (await records.live()).filter(
      ({ compute_platform, task_arn }) =>
        compute_platform === runner?.platform && (task_arn === null || runner.owns(task_arn)),
    );
    const existing = (await runner?.existing(live.flatMap(({ task_arn }) => task_arn ?? []))) ?? new Set();
    let verified = 0;
    for (const execution of live) {
      const { execution_id: resource_id, task_arn } = execution;
      const problem = (message: string): Problem => ({ resource_type: 'execution', resource_id, message });
      try {
        const exists = task_arn !== null && existing.has(task_arn);
        if (await checkExecution(execution, exists, (message) => repaired(problem(message)))) verified += 1;
      } catch (error) {
        if (!(error instanceof SetupError)) throw error;
        log.error({ err: error, executionId: resource_id }, 'an execution could not be repaired');
        report(problem(`could not be repaired: ${error.message}`));
      }
    }
    return { total: live.length, verified };
  };

  const definitions = async (repaired: (problem: Problem) => void, report: (problem: Problem) => void) => {
    const all = await images.list();
    if (runner?.platform !== 'ecs') return { total: all.length, verified: all.length };
    const defined = await runner.defined(all.flatMap(({ task_definition }) => task_definition ?? []));
    const missing = all.filter(({ task_definition }) => task_definition === null || !defined.has(task_definition));
    for (const info of missing) {
      const problem = (message: string): Problem => ({ resource_type: 'image', resource_id: info.image, message });
      try {
        await images.redefine(info);
        repaired(problem('its task definition had gone: it was made again'));
      } catch (error) {
        log.error({ err: error, image: info.image }, 'a task definition could not be made again');
        report(problem('its task definition has gone, and could not be made again: the log says why'));
      }
    }
    return { total: all.length, verified: all.length - missing.length };
  };

  return async (): Promise<HealthReport> => {
    const issues: HealthIssue[] = [];
    const repaired = (problem: Problem) => issues.push({ ...problem, severity: 'warning', action: 'repaired' });
    const report = (severity: HealthIssue['severity']) => (problem: Problem) =>
      issues.push({ ...problem, severity, action: 'reported' });

    const ofExecutions = await executions(repaired, report('error'));
    const ofImages = await definitions(repaired, report('error'));
    const unreadable = await deps.secrets.unreadable();
    for (const name of unreadable.names) {
      const message = 'its value cannot be decrypted with the keys of this server';
      report('error')({ resource_type: 'secret', resource_id: name, message });
    }
    const accounts = await deps.checkAccounts();
    for (const { email, message } of accounts.problems)
      report('warning')({ resource_type: 'user', resource_id: email, message });
    const strays = await deps.database.rows<{ kind: 'image' | 'secret'; name: string }>('ownerless', ownerless, []);
    for (const { kind, name } of strays)
      report('warning')({ resource_type: kind, resource_id: name, message: 'its owner has no account any more' });

    const errors = issues.filter(({ severity }) => severity === 'error').length;
    const done = issues.filter(({ action }) => action === 'repaired').length;
    if (issues.length > 0) log.warn({ issues: issues.slice(0, 20), repaired: done, errors }, 'reconciled');
    return {
      timestamp: new Date(deps.now()).toISOString(),
      executions: ofExecutions,
      images: ofImages,
      secrets: { total: unreadable.total, verified: unreadable.total - unreadable.names.length },
      users: { total: accounts.total, verified: accounts.total - accounts.problems.length },
      issues,
      reconciled_count: done,
      error_count: errors,
    };
  };
}
