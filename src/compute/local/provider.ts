import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { LRUCache } from 'lru-cache';
import { toMessage } from '../../contract/errors.js';
import { signalGroup } from '../../platform/process-groups.js';
import { isAlive } from '../../platform/processes.js';
import type { Compute, LaunchRequest, LaunchResult, Task } from '../provider.js';
import { type MetadataEndpoint, startMetadataEndpoint } from './metadata-endpoint.js';
import { toStoppedEvent } from './stopped-event.js';
import { type LocalTaskDefinition, TaskProcess, type TaskProcessOptions } from './task-process.js';
import { readTaskRecords, removeTask, toTask } from './task-records.js';

export interface LocalComputeOptions
  extends Pick<TaskProcessOptions, 'logDirectory' | 'environment' | 'log' | 'onStopped' | 'now'> {
  definitions: readonly LocalTaskDefinition[];
  /** Parent of the tasks' directories. */
  directory: string;
}

/** Tasks as child processes. Lists the tasks of every manager, because two managers must never double capacity. */
export class LocalCompute implements Compute {
  readonly provider = 'local';
  readonly listsAtOnce = true;
  private readonly definitions: ReadonlyMap<string, LocalTaskDefinition>;
  private readonly launches = new LRUCache<string, LaunchResult>({ max: 1_000 });

  private constructor(
    private readonly options: LocalComputeOptions,
    private readonly processes: Map<string, TaskProcess>,
    private readonly metadata: MetadataEndpoint,
  ) {
    this.definitions = new Map(options.definitions.map((definition) => [definition.group, definition]));
  }

  static async open(options: LocalComputeOptions): Promise<LocalCompute> {
    await mkdir(options.directory, { recursive: true });
    await mkdir(options.logDirectory, { recursive: true });
    const processes = new Map<string, TaskProcess>();
    const metadata = await startMetadataEndpoint((id) => processes.get(id));
    return new LocalCompute(options, processes, metadata);
  }

  async list(groups: readonly string[]): Promise<Task[]> {
    const own = [...this.processes.values()].map(({ task }) => task);
    const others = (await readTaskRecords(this.options.directory))
      .filter(({ record }) => record.manager.pid !== process.pid && isAlive(record.process))
      .map(({ record }) => toTask(record, 'RUNNING'));
    return [...own, ...others].filter(({ group }) => groups.includes(group));
  }

  async launch({ group, count, clientToken }: LaunchRequest): Promise<LaunchResult> {
    const earlier = this.launches.get(clientToken);
    if (earlier) return earlier;
    const definition = this.definitions.get(group);
    if (!definition) throw new Error(`No task definition for the group ${group}`);
    const result: LaunchResult = { started: [], failures: [] };
    this.launches.set(clientToken, result);
    try {
      for (let n = 0; n < count; n += 1) result.started.push(await this.start(definition));
    } catch (error) {
      result.failures.push({ reason: 'could not start', detail: toMessage(error) });
    }
    return result;
  }

  private async start(definition: LocalTaskDefinition): Promise<Task> {
    const id = randomBytes(16).toString('hex');
    const directory = path.join(this.options.directory, id);
    await mkdir(directory);
    const environment = { ...this.options.environment, ...definition.environment, ...this.metadata.toEnvironment(id) };
    const task = new TaskProcess({ ...this.options, id, definition, directory, environment });
    const forget = () => this.processes.delete(id);
    this.processes.set(id, task);
    task.exited.then(forget, forget);
    await task.start();
    return task.task;
  }

  /** Stops every task of this process, because no manager would know the tasks afterwards. */
  async close(): Promise<void> {
    await Promise.all([...this.processes.values()].map((task) => task.stop()));
    await this.metadata.close();
  }
}

/** Ends and reports the tasks of killed managers, because no task may run without a manager. */
export async function endOrphanTasks(options: Pick<LocalComputeOptions, 'directory' | 'log' | 'onStopped' | 'now'>) {
  const { log, onStopped, now } = options;
  for (const { directory, record } of await readTaskRecords(options.directory)) {
    if (isAlive(record.manager)) continue;
    if (isAlive(record.process)) signalGroup(record.process.pid, 'SIGKILL');
    await removeTask(directory);
    log.warn({ taskArn: record.arn }, 'ended a task of an earlier manager');
    const event = toStoppedEvent(toTask(record, 'STOPPED'), null, 'its capacity manager was gone', now());
    await onStopped(event).catch((err: unknown) =>
      log.warn({ err, taskArn: record.arn }, 'could not report a stopped task'),
    );
  }
}
