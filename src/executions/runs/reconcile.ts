import { SetupError } from '../../contract/errors.js';
import type { HealthIssue, HealthReport } from '../../contract/health.js';
import { listImages, registerImage } from '../images/images.js';
import { toNote } from '../logs/note.js';
import { findUnreadableSecrets } from '../secrets/secrets.js';
import type { AttachedExecutions } from './attached.js';
import { type AgedExecution, listLiveExecutions, readExecutionEnd } from './sql.js';
import type { TaskEvents } from './task-events.js';
import type { ExecutionDependencies } from './transitions.js';

export type AccountCheck = { total: number; problems: { email: string; message: string }[] };

interface ReconcileDependencies extends ExecutionDependencies {
  taskEvents: Pick<TaskEvents, 'fetchLines'>;
  attached: Pick<AttachedExecutions, 'has'>;
  checkAccounts(): Promise<AccountCheck>;
}

/** Checked resources of a kind, and resources in order. */
type Counts = { total: number; verified: number };

/** Time for a launched task to be listed. */
const launchSeconds = 120;
/** Time for a command on ECS to end by itself after its timeout. */
const overdueSeconds = 300;

/**
 * Compares records with what exists. Repairs what is safe to repair: ends executions without a task, stops tasks of
 * stopped or overdue executions, registers missing task definitions. Reports the rest.
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

type Kind = HealthIssue['resource_type'];

const repaired = (resource_type: Kind, resource_id: string, message: string): HealthIssue => {
  return { resource_type, resource_id, message, severity: 'warning', action: 'repaired' };
};
const failed = (resource_type: Kind, resource_id: string, message: string): HealthIssue => {
  return { resource_type, resource_id, message, severity: 'error', action: 'reported' };
};
const suspect = (resource_type: Kind, resource_id: string, message: string): HealthIssue => {
  return { resource_type, resource_id, message, severity: 'warning', action: 'reported' };
};

/** Checks the live executions of the server's runner. */
async function checkExecutions(deps: ReconcileDependencies, issues: HealthIssue[]): Promise<Counts> {
  const { database, runner, log } = deps;
  const isOwn = ({ compute_platform, task_arn }: AgedExecution) =>
    compute_platform === runner?.platform && (task_arn === null || runner.owns(task_arn));
  const executions = (await listLiveExecutions(database)).filter(isOwn);
  const taskArns = executions.flatMap(({ task_arn }) => task_arn ?? []);
  const existing = (await runner?.filterExisting(taskArns)) ?? new Set();
  let verified = 0;
  for (const execution of executions) {
    const executionId = execution.execution_id;
    const taskExists = execution.task_arn !== null && existing.has(execution.task_arn);
    try {
      const { isInOrder, repair } = await checkExecution(deps, execution, taskExists);
      if (isInOrder) verified += 1;
      if (repair !== undefined) issues.push(repaired('execution', executionId, repair));
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      log.error({ err: error, executionId }, 'could not repair an execution');
      issues.push(failed('execution', executionId, `cannot be repaired: ${error.message}`));
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
    try {
      await registerImage({ database, runner }, { image });
      issues.push(repaired('image', image, 'registered the missing task definition again'));
    } catch (error) {
      log.error({ err: error, image }, 'could not register a task definition');
      issues.push(failed('image', image, 'cannot register the missing task definition; see the log of the server'));
    }
  }
  return { total: images.length, verified: images.length - missing.length };
}

async function checkSecrets({ database, encryption }: ReconcileDependencies, issues: HealthIssue[]): Promise<Counts> {
  const { total, names } = await findUnreadableSecrets(database, encryption);
  for (const name of names) issues.push(failed('secret', name, 'cannot be decrypted with the keys of this server'));
  return { total, verified: total - names.length };
}

async function checkUsers({ checkAccounts }: ReconcileDependencies, issues: HealthIssue[]): Promise<Counts> {
  const { total, problems } = await checkAccounts();
  for (const { email, message } of problems) issues.push(suspect('user', email, message));
  return { total, verified: total - problems.length };
}

const withoutOwnerSql = `
SELECT 'image' AS kind, image AS name FROM "Image" WHERE cardinality(owned_by) > 0
  AND NOT EXISTS (SELECT 1 FROM "User" u WHERE u.id = ANY (owned_by))
UNION ALL SELECT 'secret', name FROM "Secret" WHERE NOT EXISTS (SELECT 1 FROM "User" u WHERE u.id = ANY (owned_by))`;

/** Reports images and secrets of deleted accounts. */
async function checkOwners({ database }: ReconcileDependencies, issues: HealthIssue[]): Promise<void> {
  const rows = await database.rows<{ kind: 'image' | 'secret'; name: string }>('without-owner', withoutOwnerSql, []);
  for (const { kind, name } of rows) issues.push(suspect(kind, name, 'has no owner with an account'));
}
