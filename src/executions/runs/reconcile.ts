import type { Logger } from 'pino';
import { SetupError } from '../../contract/errors.js';
import type { HealthIssue, HealthReport } from '../../contract/health.js';
import type { Database } from '../../database/database.js';
import { listImages, registerImage } from '../images/images.js';
import { toNote } from '../logs/note.js';
import type { LogStore } from '../logs/store.js';
import type { CommandRunner } from '../runners/runner.js';
import type { EncryptionKeys } from '../secrets/encryption.js';
import { findUnreadableSecrets } from '../secrets/secrets.js';
import type { AttachedExecutions } from './attached.js';
import { type AgedExecution, listLiveExecutions, readExecutionEnd } from './sql.js';
import type { TaskEvents } from './task-events.js';
import type { Transitions } from './transitions.js';

export interface AccountCheck {
  total: number;
  problems: { email: string; message: string }[];
}

export interface ReconcileDependencies {
  database: Database;
  transitions: Transitions;
  logs: LogStore;
  taskEvents: Pick<TaskEvents, 'fetchLines'>;
  attached: Pick<AttachedExecutions, 'has'>;
  runner: CommandRunner | undefined;
  encryption: EncryptionKeys | undefined;
  checkAccounts(): Promise<AccountCheck>;
  log: Logger;
  now(): number;
}

/** Checked resources of a kind, and resources in order. */
interface Counts {
  total: number;
  verified: number;
}

/** Time for a launched task to be listed. */
const launchSeconds = 120;
/** Time for a command on ECS to end by itself after its timeout. */
const overdueSeconds = 300;

/**
 * Compares records with what exists. Repairs what is safe to repair: ends executions without a task, stops tasks of stopped or
 * overdue executions, registers missing task definitions. Reports the rest.
 */
export async function reconcile(deps: ReconcileDependencies): Promise<HealthReport> {
  const issues: HealthIssue[] = [];
  const executions = await checkExecutions(deps, issues);
  const images = await checkTaskDefinitions(deps, issues);
  const secrets = await checkSecrets(deps, issues);
  const users = await checkUsers(deps, issues);
  await checkOwners(deps, issues);
  const error_count = issues.filter(({ severity }) => severity === 'error').length;
  const reconciled_count = issues.filter(({ action }) => action === 'repaired').length;
  if (issues.length > 0)
    deps.log.warn({ issues: issues.slice(0, 20), repaired: reconciled_count, errors: error_count }, 'reconciled');
  const timestamp = new Date(deps.now()).toISOString();
  return { timestamp, executions, images, secrets, users, issues, reconciled_count, error_count };
}

type Resource = Pick<HealthIssue, 'resource_type' | 'resource_id'>;

const repaired = (resource: Resource, message: string): HealthIssue => ({
  ...resource,
  message,
  severity: 'warning',
  action: 'repaired',
});
const reported = (resource: Resource, severity: HealthIssue['severity'], message: string): HealthIssue => ({
  ...resource,
  message,
  severity,
  action: 'reported',
});

/** Checks the live executions of the server's runner. */
async function checkExecutions(deps: ReconcileDependencies, issues: HealthIssue[]): Promise<Counts> {
  const { database, runner, log } = deps;
  const executions = (await listLiveExecutions(database)).filter(
    ({ compute_platform, task_arn }) =>
      compute_platform === runner?.platform && (task_arn === null || runner.owns(task_arn)),
  );
  const taskArns = executions.flatMap(({ task_arn }) => task_arn ?? []);
  const existing = (await runner?.filterExisting(taskArns)) ?? new Set();
  let verified = 0;
  for (const execution of executions) {
    const resource: Resource = { resource_type: 'execution', resource_id: execution.execution_id };
    const taskExists = execution.task_arn !== null && existing.has(execution.task_arn);
    try {
      const { isInOrder, repair } = await checkExecution(deps, execution, taskExists);
      if (isInOrder) verified += 1;
      if (repair !== undefined) issues.push(repaired(resource, repair));
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      log.error({ err: error, executionId: execution.execution_id }, 'could not repair an execution');
      issues.push(reported(resource, 'error', `cannot be repaired: ${error.message}`));
    }
  }
  return { total: executions.length, verified };
}

/** Checks, and repairs, one execution. `repair` describes the repair. */
async function checkExecution(
  deps: ReconcileDependencies,
  execution: AgedExecution,
  taskExists: boolean,
): Promise<{ isInOrder: boolean; repair?: string }> {
  const { database, transitions, logs, runner } = deps;
  const { execution_id: id, task_arn, status, age, timeout } = execution;
  // Attached commands record their ends themselves, and other executions may have ended since the list was read.
  if (deps.attached.has(id) || (await readExecutionEnd(database, id))?.hasEnded) return { isInOrder: true };
  if (task_arn !== null && taskExists) {
    const isOverdue = runner?.platform === 'ecs' && age > timeout + overdueSeconds;
    if (status !== 'TERMINATING' && !isOverdue) return { isInOrder: true };
    await runner?.stop(task_arn);
    return { isInOrder: false, repair: isOverdue ? 'stopped the task after its timeout' : 'stopped the task again' };
  }
  const maySoonBeListed = task_arn === null || runner?.platform === 'ecs';
  if (age < launchSeconds && maySoonBeListed) return { isInOrder: true };
  await deps.taskEvents.fetchLines(execution);
  await logs.append(id, [toNote(id, 'the task has gone, and nothing reported how the command ended', deps.now())]);
  if (await transitions.finish(id, undefined)) return { isInOrder: false, repair: 'ended: the task has gone' };
  return { isInOrder: false };
}

/** Registers missing task definitions of images again. */
async function checkTaskDefinitions(deps: ReconcileDependencies, issues: HealthIssue[]): Promise<Counts> {
  const { database, runner, log } = deps;
  const images = await listImages(database);
  if (runner?.platform !== 'ecs') return { total: images.length, verified: images.length };
  const defined = await runner.filterDefined(images.flatMap(({ task_definition }) => task_definition ?? []));
  const missing = images.filter(({ task_definition }) => task_definition === null || !defined.has(task_definition));
  for (const { image } of missing) {
    const resource: Resource = { resource_type: 'image', resource_id: image };
    try {
      await registerImage({ database, runner }, { image }, undefined);
      issues.push(repaired(resource, 'registered the missing task definition again'));
    } catch (error) {
      log.error({ err: error, image }, 'could not register a task definition');
      issues.push(
        reported(resource, 'error', 'cannot register the missing task definition; see the log of the server'),
      );
    }
  }
  return { total: images.length, verified: images.length - missing.length };
}

async function checkSecrets({ database, encryption }: ReconcileDependencies, issues: HealthIssue[]): Promise<Counts> {
  const { total, names } = await findUnreadableSecrets(database, encryption);
  for (const name of names) {
    const resource: Resource = { resource_type: 'secret', resource_id: name };
    issues.push(reported(resource, 'error', 'cannot be decrypted with the keys of this server'));
  }
  return { total, verified: total - names.length };
}

async function checkUsers({ checkAccounts }: ReconcileDependencies, issues: HealthIssue[]): Promise<Counts> {
  const { total, problems } = await checkAccounts();
  for (const { email, message } of problems)
    issues.push(reported({ resource_type: 'user', resource_id: email }, 'warning', message));
  return { total, verified: total - problems.length };
}

const withoutOwnerSql = `
SELECT 'image' AS kind, image AS name FROM "Image" WHERE cardinality(owned_by) > 0
  AND NOT EXISTS (SELECT 1 FROM "User" u WHERE u.id = ANY (owned_by))
UNION ALL SELECT 'secret', name FROM "Secret" WHERE NOT EXISTS (SELECT 1 FROM "User" u WHERE u.id = ANY (owned_by))`;

/** Reports images and secrets of deleted accounts. */
async function checkOwners({ database }: ReconcileDependencies, issues: HealthIssue[]): Promise<void> {
  const rows = await database.rows<{ kind: 'image' | 'secret'; name: string }>('without-owner', withoutOwnerSql, []);
  for (const { kind, name } of rows)
    issues.push(reported({ resource_type: kind, resource_id: name }, 'warning', 'has no owner with an account'));
}
