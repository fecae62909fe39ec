import { randomBytes } from 'node:crypto';
import { type Caller, can } from '../../accounts/caller.js';
import { forbidden, notFound, orUnavailable, ServiceError, SetupError } from '../../contract/errors.js';
import { type ExecutionState, hasEnded, type RunBody } from '../../contract/executions.js';
import type { Database } from '../../database/database.js';
import { resolveImage } from '../images/images.js';
import { toNote } from '../logs/note.js';
import { Redactor } from '../logs/redact.js';
import { type CommandRequest, type CommandRunner, exitCodes, type StartedCommand } from '../runners/runner.js';
import { sealValues } from '../secrets/sealed-values.js';
import { readSecretValues } from '../secrets/secrets.js';
import type { AttachedExecutions } from './attached.js';
import { prepareEnvironment, redactEnvironment } from './prepare-environment.js';
import { findExecution, insertExecution, type OwnedExecution, setTask } from './sql.js';
import type { ExecutionDependencies } from './transitions.js';

export type RunDependencies = ExecutionDependencies & { attached: AttachedExecutions };

const defaultTimeoutSeconds = 86_400;

/** Records an execution, starts the task, follows an attached command. Returns the command with secrets redacted. */
export async function runCommand(deps: RunDependencies, body: RunBody, caller: Caller) {
  const { database, runner, log } = deps;
  if (!runner)
    throw new ServiceError('unavailable', 'This server runs no commands because EXECUTION_CLUSTER is not set');
  const { userId, requestId } = caller;
  const image = await resolveImage(deps, body.image ?? body.imageUri, caller);
  const secretNames = [...new Set(body.secrets)];
  const secrets = await readSecretValues(database, deps.encryption, secretNames);
  const { env, git, secretValues } = prepareEnvironment(body, secrets);
  const redactor = new Redactor(secretValues);
  const executionId = randomBytes(16).toString('hex');
  const command = redactor.redact(body.command);
  const timeoutSeconds = body.timeout || defaultTimeoutSeconds;
  await insertExecution(database, {
    executionId,
    userId,
    requestId,
    command,
    env: redactEnvironment(env, redactor),
    imageId: image.image,
    secrets: secretNames,
    git: git && { repo: redactor.redact(git.repo), ref: git.ref, path: git.path },
    timeoutSeconds,
    platform: runner.platform,
    masked: sealValues(deps.encryption, executionId, secretValues),
  });
  const taskDefinition = image.task_definition ?? undefined;
  const request = { executionId, command: body.command, image, taskDefinition, env, git };
  const { taskArn, attached } = await startCommand(deps, runner, { ...request, timeoutSeconds });
  log.info({ requestId, executionId, taskArn }, 'execution started');
  if (attached) deps.attached.follow({ executionId, taskArn, attached, redactor });
  const status = await setTask(database, executionId, taskArn);
  // A user asked for a stop during the launch, when there was no task to stop yet.
  if (status === 'TERMINATING') await runner.stop(taskArn);
  return { executionId, status: status ?? 'STARTING', imageId: image.image, command };
}

/** Starts the command. Ends the execution, with a note in the log, when the start fails. */
async function startCommand(
  { transitions, logs, now }: ExecutionDependencies,
  runner: CommandRunner,
  request: CommandRequest,
): Promise<StartedCommand> {
  try {
    return await runner.start(request);
  } catch (error) {
    const { executionId } = request;
    const reason = error instanceof SetupError ? error.message : 'an error of the server; see the log of the server';
    await logs.append(executionId, [toNote(executionId, `could not start: ${reason}`, now())]);
    await transitions.finish(executionId, exitCodes.notStarted);
    if (!(error instanceof SetupError)) throw error;
    throw new ServiceError('unavailable', `Cannot start the command: ${reason}`, { cause: error });
  }
}

/** Stops a command. Returns false when the execution has ended already. A repeated call stops the task again. */
export async function killExecution(deps: ExecutionDependencies, executionId: string, caller: Caller) {
  const { database, transitions, logs, runner, log, now } = deps;
  const execution = await findPermitted(database, executionId, caller);
  if (hasEnded(execution.status)) return false;
  const moved = await transitions.move(executionId, 'TERMINATING', caller.requestId);
  const { status, task_arn: taskArn } = moved ?? (await findExisting(database, executionId));
  if (hasEnded(status)) return false;
  if (moved) {
    log.info({ requestId: caller.requestId, executionId }, 'stopping an execution');
    await logs.append(executionId, [toNote(executionId, `stopped by ${caller.email}`, now())]);
  }
  if (taskArn !== null) await orUnavailable(async () => runner?.stop(taskArn));
  return true;
}

export async function readExecutionState(database: Database, id: string, caller: Caller): Promise<ExecutionState> {
  const execution = await findPermitted(database, id, caller);
  const { execution_id, status, command, image_id, started_at, exit_code, completed_at } = execution;
  const end = completed_at === null ? {} : { completed_at };
  return { execution_id, status, command, image_id, started_at, exit_code, ...end };
}

/** Returns the status, and for an ended execution the pages of its log in order of time. */
export async function readExecutionLog(
  { database, logs }: Pick<ExecutionDependencies, 'database' | 'logs'>,
  executionId: string,
  caller: Caller,
) {
  const { status } = await findPermitted(database, executionId, caller);
  return { status, events: hasEnded(status) ? logs.inTimeOrder(executionId) : undefined };
}

/** Returns an execution for its owner, or for a caller with the permission for any execution. */
async function findPermitted(database: Database, executionId: string, caller: Caller): Promise<OwnedExecution> {
  const execution = await findExisting(database, executionId);
  if (can(caller, 'executions:any') || execution.owners.includes(caller.userId)) return execution;
  throw forbidden('Only the owner of the execution may do this');
}

async function findExisting(database: Database, executionId: string): Promise<OwnedExecution> {
  const execution = await findExecution(database, executionId);
  if (!execution) throw notFound(`Execution ${executionId}`);
  return execution;
}
