import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { toMessage } from '../../contract/errors.js';
import { ChildGroup } from '../../platform/child-group.js';
import { readJson } from '../../platform/files.js';
import { killRecordedGroups, signalGroup } from '../../platform/process-groups.js';
import { identify, isAlive, ownIdentity, processIdentity } from '../../platform/processes.js';
import type { Compute, LaunchResult, Task } from '../provider.js';
import { startMetadataEndpoint } from './metadata-endpoint.js';

/** What a task of a group runs, in the words of an ECS container definition. */
export interface LocalTaskDefinition {
  group: string;
  entryPoint: readonly string[];
  command: readonly string[];
  environment: Readonly<Record<string, string>>;
  /** Shown by the metadata endpoint. */
  image: string;
}

/** An EventBridge "ECS Task State Change" event, as far as a local task has something to say. */
export interface TaskStoppedEvent {
  version: '0';
  id: string;
  'detail-type': 'ECS Task State Change';
  source: 'aws.ecs';
  time: string;
  detail: Record<string, unknown>;
}

export interface LocalComputeOptions {
  definitions: readonly LocalTaskDefinition[];
  /** Each task gets a folder below it. */
  folder: string;
  logFolder: string;
  /** Of every task, below what its definition sets. */
  environment: NodeJS.ProcessEnv;
  log: Logger;
  /** Told when a task has stopped, as EventBridge would tell. */
  onStopped(event: TaskStoppedEvent): Promise<void>;
  now(): number;
}

const region = 'local';
const account = '000000000000';
export const localClusterArn = `arn:aws:ecs:${region}:${account}:cluster/reefguide`;
const stopWithinMs = 4_000;

/** `task.json` in a task's folder: what another process must know of it. */
const taskRecord = z.object({
  arn: z.string(),
  group: z.string(),
  startedAt: z.string(),
  process: processIdentity,
  manager: processIdentity,
});
type TaskRecord = z.infer<typeof taskRecord>;

interface Running {
  task: Task;
  process: ChildGroup;
  folder: string;
  ended: Promise<void>;
}

/**
 * Tasks as child processes of this machine, each with a task ARN and a metadata endpoint that answers as ECS does. Tasks of
 * another manager of the same folder are listed too, so that two never double capacity.
 */
export async function createLocalCompute(options: LocalComputeOptions): Promise<Compute> {
  const { log, now } = options;
  const definitions = new Map(options.definitions.map((definition) => [definition.group, definition]));
  const running = new Map<string, Running>();
  const launched = new Map<string, LaunchResult>();
  await mkdir(options.folder, { recursive: true });
  await mkdir(options.logFolder, { recursive: true });
  const metadata = await startMetadataEndpoint((id) => {
    const found = running.get(id);
    const definition = found && definitions.get(found.task.group);
    return found && definition ? { task: found.task, image: definition.image, clusterArn: localClusterArn } : undefined;
  });

  const start = async (definition: LocalTaskDefinition): Promise<Task> => {
    const id = randomBytes(16).toString('hex');
    const folder = path.join(options.folder, id);
    await mkdir(folder);
    const [program = '', ...first] = definition.entryPoint;
    const output = createWriteStream(path.join(options.logFolder, `${definition.group}.log`), { flags: 'a' });
    const child = new ChildGroup({
      program,
      args: [...first, ...definition.command],
      output,
      env: {
        ...options.environment,
        ...definition.environment,
        ...metadata.environmentOf(id),
        REEFGUIDE_TASK_FOLDER: folder,
      },
    });
    const { pid } = child;
    if (pid === undefined) {
      output.end();
      await rm(folder, { recursive: true, force: true });
      await child.exited;
      throw new Error('could not start');
    }
    const arn = `arn:aws:ecs:${region}:${account}:task/reefguide/${id}`;
    const task: Task = { arn, group: definition.group, lastStatus: 'RUNNING', startedAt: new Date(now()) };
    const finish = async () => {
      const { code, signal } = await child.exited;
      running.delete(id);
      killRecordedGroups(folder);
      await child.ended;
      output.end();
      await endTask(folder, undefined);
      await options.onStopped(
        stoppedEvent(task, code, signal ? `ended by ${signal}` : `exited with code ${code}`, now()),
      );
    };
    const ended = finish().catch((error: unknown) =>
      log.warn({ err: error, taskArn: arn }, 'could not tell that a task stopped'),
    );
    running.set(id, { task, process: child, folder, ended });
    await writeRecord(folder, task, pid);
    log.info({ taskArn: arn, group: definition.group, pid }, 'task started');
    return task;
  };

  return {
    provider: 'local',
    listsAtOnce: true,
    async list(groups) {
      const own = [...running.values()].map(({ task }) => task);
      const others = (await readRecords(options.folder))
        .filter(({ record }) => record.manager.pid !== process.pid && isAlive(record.process))
        .map(
          ({ record: { arn, group, startedAt } }): Task => ({
            arn,
            group,
            lastStatus: 'RUNNING',
            startedAt: new Date(startedAt),
          }),
        );
      return [...own, ...others].filter(({ group }) => groups.includes(group));
    },
    async launch({ group, count, clientToken }) {
      const before = launched.get(clientToken);
      if (before) return before;
      const definition = definitions.get(group);
      if (!definition) throw new Error(`there is no task definition for the group ${group}`);
      const result: LaunchResult = { started: [], failures: [] };
      launched.set(clientToken, result);
      if (launched.size > 1_000)
        for (const oldest of launched.keys()) {
          launched.delete(oldest);
          break;
        }
      try {
        for (let n = 0; n < count; n += 1) result.started.push(await start(definition));
      } catch (error) {
        result.failures.push({
          reason: 'could not start',
          detail: toMessage(error),
        });
      }
      return result;
    },
    async close() {
      const tasks = [...running.values()];
      for (const { process } of tasks) process.stop(stopWithinMs);
      await Promise.all(tasks.map(({ ended }) => ended));
      await metadata.close();
    },
  };
}

async function writeRecord(folder: string, { arn, group, startedAt }: Task, pid: number): Promise<void> {
  const identity = identify(pid);
  if (!identity) return;
  const record: TaskRecord = {
    arn,
    group,
    startedAt: (startedAt ?? new Date(0)).toISOString(),
    process: identity,
    manager: ownIdentity(),
  };
  // Gone when the task ended at once, and its folder with it.
  await writeFile(path.join(folder, 'task.json'), JSON.stringify(record)).catch(() => {});
}

async function readRecords(folder: string): Promise<{ folder: string; record: TaskRecord }[]> {
  const names = await readdir(folder).catch(() => []);
  const read = await Promise.all(
    names.map(async (name) => {
      const record = await readJson(path.join(folder, name, 'task.json'), taskRecord).catch(() => undefined);
      return record ? [{ folder: path.join(folder, name), record }] : [];
    }),
  );
  return read.flat();
}

/** Ends everything that belonged to a task and removes its folder. */
async function endTask(folder: string, pid: number | undefined): Promise<void> {
  if (pid !== undefined) signalGroup(pid, 'SIGKILL');
  killRecordedGroups(folder);
  await rm(folder, { recursive: true, force: true });
}

/** Ends the tasks that a killed manager left, and tells of each, so that nothing runs that no manager knows of. */
export async function endOrphanTasks({
  folder,
  log,
  onStopped,
  now,
}: Pick<LocalComputeOptions, 'folder' | 'log' | 'onStopped' | 'now'>): Promise<void> {
  for (const { folder: orphan, record } of await readRecords(folder)) {
    if (isAlive(record.manager)) continue;
    await endTask(orphan, isAlive(record.process) ? record.process.pid : undefined);
    log.warn({ taskArn: record.arn }, 'ended a task of an earlier manager');
    const task: Task = {
      arn: record.arn,
      group: record.group,
      lastStatus: 'STOPPED',
      startedAt: new Date(record.startedAt),
    };
    await onStopped(stoppedEvent(task, null, 'its capacity manager was gone', now())).catch((error: unknown) =>
      log.warn({ err: error, taskArn: task.arn }, 'could not tell that a task stopped'),
    );
  }
}

function stoppedEvent(task: Task, exitCode: number | null, reason: string, nowMs: number): TaskStoppedEvent {
  const time = new Date(nowMs).toISOString();
  return {
    version: '0',
    id: randomBytes(16).toString('hex'),
    'detail-type': 'ECS Task State Change',
    source: 'aws.ecs',
    time,
    detail: {
      taskArn: task.arn,
      clusterArn: localClusterArn,
      group: `family:${task.group}`,
      lastStatus: 'STOPPED',
      desiredStatus: 'STOPPED',
      stoppedReason: reason,
      stopCode: 'EssentialContainerExited',
      stoppedAt: time,
      containers: [{ name: task.group, lastStatus: 'STOPPED', ...(exitCode === null ? {} : { exitCode }) }],
    },
  };
}
