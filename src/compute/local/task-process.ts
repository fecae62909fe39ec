import { createWriteStream } from 'node:fs';
import path from 'node:path';
import type { Writable } from 'node:stream';
import type { Logger } from 'pino';
import { ChildGroup } from '../../platform/child-group.js';
import { killRecordedGroups } from '../../platform/process-groups.js';
import type { Task } from '../provider.js';
import { type TaskStoppedEvent, toStoppedEvent, toTaskArn } from './stopped-event.js';
import { removeTask, writeTaskRecord } from './task-records.js';

/** The program of a group's tasks, in the words of an ECS container definition. */
export interface LocalTaskDefinition {
  group: string;
  entryPoint: readonly string[];
  command: readonly string[];
  environment: Readonly<Record<string, string>>;
  image: string;
}

export interface TaskProcessOptions {
  id: string;
  definition: LocalTaskDefinition;
  /** Existing directory of the task; removed when the task has ended. */
  directory: string;
  logDirectory: string;
  environment: NodeJS.ProcessEnv;
  log: Logger;
  onStopped(event: TaskStoppedEvent): Promise<void>;
  now(): number;
}

const stopTimeoutMs = 4_000;

/** A task as a process group of this machine. Output goes to `<group>.log` in the log directory. */
export class TaskProcess {
  readonly task: Task;
  /** Settles when the program has ended. Rejects when the program cannot be started. */
  readonly exited: Promise<unknown>;
  /** Settles after the end of the whole task, the removal of the directory and the report. Never rejects. */
  readonly ended: Promise<void>;
  private readonly process: ChildGroup;

  constructor(private readonly options: TaskProcessOptions) {
    const { id, definition, directory, logDirectory, environment, log, now } = options;
    const { group } = definition;
    const [program = '', ...args] = [...definition.entryPoint, ...definition.command];
    const output = createWriteStream(path.join(logDirectory, `${group}.log`), { flags: 'a' });
    const env = { ...environment, REEFGUIDE_TASK_FOLDER: directory };
    try {
      this.process = new ChildGroup({ program, args, env, output });
    } catch (error) {
      // Some programs fail to start at once, for example below a path with a file in place of a directory.
      output.destroy();
      throw error;
    }
    this.exited = this.process.exited;
    this.task = { arn: toTaskArn(id), group, lastStatus: 'RUNNING', startedAt: new Date(now()) };
    this.ended = this.supervise(output).catch((err: unknown) => {
      if (this.process.pid !== undefined) log.warn({ err, taskArn: this.task.arn }, 'could not report a stopped task');
    });
  }

  get image(): string {
    return this.options.definition.image;
  }

  /** Records the task for other managers. Throws when the program cannot be started. */
  async start(): Promise<void> {
    const { directory, log } = this.options;
    const { pid } = this.process;
    if (pid === undefined) await this.ended.then(() => this.exited);
    else await writeTaskRecord(directory, this.task, pid);
    log.info({ taskArn: this.task.arn, group: this.task.group, pid }, 'task started');
  }

  /** Stops the task gently, and by force after 4 s. */
  stop(): Promise<void> {
    this.process.stop(stopTimeoutMs);
    return this.ended;
  }

  private async supervise(output: Writable): Promise<void> {
    const { directory, onStopped, now } = this.options;
    try {
      await this.exited;
      killRecordedGroups(directory);
    } finally {
      await this.process.ended.catch(() => {});
      output.end();
      await removeTask(directory);
    }
    const { code, signal } = await this.process.exited;
    const reason = signal ? `ended by ${signal}` : `exited with code ${code}`;
    await onStopped(toStoppedEvent(this.task, code, reason, now()));
  }
}
