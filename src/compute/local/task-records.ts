import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readJson } from '../../platform/files.js';
import { killRecordedGroups } from '../../platform/process-groups.js';
import { identify, ownIdentity, processIdentity } from '../../platform/processes.js';
import type { Task } from '../provider.js';

/** Content of `task.json` in the directory of a task, by which other processes recognise task and manager. */
const taskRecord = z.object({
  arn: z.string(),
  group: z.string(),
  startedAt: z.string(),
  process: processIdentity,
  manager: processIdentity,
});

export interface RecordedTask {
  directory: string;
  record: z.infer<typeof taskRecord>;
}

/** Records a task of this process in the task's directory; does nothing when the task has ended already. */
export async function writeTaskRecord(directory: string, { arn, group, startedAt }: Task, pid: number): Promise<void> {
  const identity = identify(pid);
  if (!identity) return;
  const record: RecordedTask['record'] = {
    arn,
    group,
    startedAt: (startedAt ?? new Date(0)).toISOString(),
    process: identity,
    manager: ownIdentity(),
  };
  await writeFile(path.join(directory, 'task.json'), JSON.stringify(record)).catch(() => {});
}

export async function readTaskRecords(tasksDirectory: string): Promise<RecordedTask[]> {
  const names = await readdir(tasksDirectory).catch(() => []);
  const records = names.map(async (name) => {
    const directory = path.join(tasksDirectory, name);
    const record = await readJson(path.join(directory, 'task.json'), taskRecord).catch(() => undefined);
    return record ? [{ directory, record }] : [];
  });
  return (await Promise.all(records)).flat();
}

export function toTask({ arn, group, startedAt }: RecordedTask['record'], lastStatus: string): Task {
  return { arn, group, lastStatus, startedAt: new Date(startedAt) };
}

/** Kills the recorded process groups of an ended task, and removes the task's directory. */
export async function removeTask(directory: string): Promise<void> {
  killRecordedGroups(directory);
  await rm(directory, { recursive: true, force: true });
}
