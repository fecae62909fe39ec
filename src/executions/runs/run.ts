import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { type Caller, can } from '../../accounts/caller.js';
import { forbidden, notFound, orUnavailable, ServiceError, SetupError } from '../../contract/errors.js';
import { type ExecutionState, type ExecutionStatus, hasEnded, type RunBody } from '../../contract/executions.js';
import { commandImage, type Images } from '../images/images.js';
import { createRedactor, looksSecret, mask } from '../logs/redact.js';
import type { LogStore } from '../logs/store.js';
import { gitAddress } from '../runners/git-address.js';
import type { CommandRequest, CommandRunner, StartedCommand } from '../runners/runner.js';
import type { EncryptionKeys } from '../secrets/encryption.js';
import { sealValues } from '../secrets/sealed-values.js';
import type { Secrets } from '../secrets/secrets.js';
import type { Followed } from './attached.js';
import type { ExecutionRow, Records } from './sql.js';

export interface ExecutionsDependencies {
  records: Records;
  images: Images;
  secrets: Secrets;
  logs: LogStore;
  followed: Followed;
  /** undefined: this server runs no commands. */
  runner: CommandRunner | undefined;
  encryption: EncryptionKeys | undefined;
  log: Logger;
  now(): number;
}

const defaultTimeoutSeconds = 86_400;

/** Ad hoc commands: asked for, watched and stopped. */
export function createExecutions(deps: ExecutionsDependencies) {
  const { records, images, secrets, logs, followed, runner, log } = deps;

  const found = async (executionId: string): Promise<ExecutionRow> => {
    const row = await records.find(executionId);
    if (!row) throw notFound(`Execution ${executionId}`);
    return row;
  };
  const ownOrAny = async (executionId: string, caller: Caller): Promise<ExecutionRow> => {
    const row = await found(executionId);
    if (!can(caller, 'executions:any') && !row.owners.includes(caller.userId))
      throw forbidden('Only its owner may do this with it');
    return row;
  };
  const note = (executionId: string, message: string) =>
    logs.append(executionId, [
      { event_id: `${executionId}-note-${randomBytes(6).toString('hex')}`, timestamp: deps.now(), message },
    ]);

  /** What the command gets, and what of it nobody may see. */
  const prepare = async (body: RunBody) => {
    const env: Record<string, string> = { ...body.env };
    const hidden = Object.entries(env).flatMap(([name, value]) => (looksSecret(name) ? [value] : []));
    for (const { key_name, value } of await secrets.valuesOf([...new Set(body.secrets)])) {
      if (env[key_name] !== undefined) {
        throw new ServiceError('invalid', 'Invalid request', {
          issues: [{ path: 'secrets', message: `the variable ${key_name} is set twice` }],
        });
      }
      env[key_name] = value;
      hidden.push(value);
    }
    const address = body.git_repo === undefined ? undefined : gitAddress(body.git_repo, env);
    if (address?.token !== undefined) hidden.push(address.token);
    const git = address && { ...address, ref: body.git_ref, path: body.git_path };
    const values = [...new Set(hidden)].filter((value) => value !== '');
    return { env, git, values, redact: createRedactor(values) };
  };

  const launch = async (request: CommandRequest, with_: CommandRunner): Promise<StartedCommand> => {
    try {
      return await with_.start(request);
    } catch (error) {
      const reason = error instanceof SetupError ? error.message : 'a fault on our side; the log has it';
      await note(request.executionId, `[reefguide] could not start: ${reason}`);
      await records.finish(request.executionId, 126);
      if (!(error instanceof SetupError)) throw error;
      throw new ServiceError('unavailable', `The command could not be started: ${reason}`, { cause: error });
    }
  };

  return {
    async run(
      body: RunBody,
      caller: Caller,
    ): Promise<{ executionId: string; status: ExecutionStatus; imageId: string; command: string }> {
      if (!runner) throw new ServiceError('unavailable', 'This server runs no commands: EXECUTION_CLUSTER is not set');
      const image = await images.forUse(body.image ?? body.imageUri, caller);
      const { env, git, values, redact } = await prepare(body);
      const executionId = randomBytes(16).toString('hex');
      const command = redact(body.command);
      await records.insert({
        executionId,
        userId: caller.userId,
        requestId: caller.requestId,
        command,
        env: Object.fromEntries(
          Object.entries(env).map(([name, value]) => [name, looksSecret(name) ? mask : redact(value)]),
        ),
        imageId: image.image,
        secrets: [...new Set(body.secrets)],
        git: git && { repo: redact(git.repo), ref: git.ref, path: git.path },
        timeoutSeconds: body.timeout || defaultTimeoutSeconds,
        platform: runner.platform,
        masked: sealValues(deps.encryption, executionId, values),
      });
      const request: CommandRequest = {
        executionId,
        command: body.command,
        image: commandImage(image),
        taskDefinition: image.task_definition ?? undefined,
        env,
        timeoutSeconds: body.timeout || defaultTimeoutSeconds,
        git,
      };
      const { taskArn, attached } = await launch(request, runner);
      log.info({ requestId: caller.requestId, executionId, taskArn }, 'execution started');
      if (attached) followed.follow({ executionId, taskArn, attached, redact });
      const status = await records.setTask(executionId, taskArn);
      // Somebody stopped it while it was being launched.
      if (status === 'TERMINATING') await runner.stop(taskArn);
      return { executionId, status: status ?? 'STARTING', imageId: image.image, command };
    },
    list: records.list,
    async status(executionId: string, caller: Caller): Promise<ExecutionState> {
      const row = await ownOrAny(executionId, caller);
      return {
        execution_id: executionId,
        status: row.status,
        command: row.command,
        image_id: row.image_id,
        started_at: row.started_at,
        exit_code: row.exit_code,
        ...(row.completed_at === null ? {} : { completed_at: row.completed_at }),
      };
    },
    /** The status, and, once it has ended, its events in time order, a page at a time. */
    async logs(executionId: string, caller: Caller) {
      const { status } = await ownOrAny(executionId, caller);
      return { status, events: hasEnded(status) ? logs.inTimeOrder(executionId) : undefined };
    },
    /** Whether there was something to stop. Asked again, the task is told again. */
    async kill(executionId: string, caller: Caller): Promise<boolean> {
      const before = await ownOrAny(executionId, caller);
      if (hasEnded(before.status)) return false;
      const moved = await records.move(executionId, 'TERMINATING', caller.requestId);
      const { status, task_arn: taskArn } = moved ?? (await found(executionId));
      if (hasEnded(status)) return false;
      if (moved) {
        log.info({ requestId: caller.requestId, executionId }, 'execution is being stopped');
        await note(executionId, `[reefguide] stopped by ${caller.email}`);
      }
      if (taskArn !== null) await orUnavailable(async () => runner?.stop(taskArn));
      return true;
    },
  };
}
export type Executions = ReturnType<typeof createExecutions>;
