import { randomBytes } from 'node:crypto';
import type { Task } from '../provider.js';

const arnPrefix = 'arn:aws:ecs:local:000000000000';
export const localClusterArn = `${arnPrefix}:cluster/reefguide`;

/** Returns an ARN in the form of ECS: `5f…` → `arn:aws:ecs:local:000000000000:task/reefguide/5f…`. */
export const toTaskArn = (id: string) => `${arnPrefix}:task/reefguide/${id}`;

/** An EventBridge event "ECS Task State Change", with the fields that a local task has. */
export type TaskStoppedEvent = ReturnType<typeof toStoppedEvent>;

/** `exitCode` is null when a signal ended the task. */
export function toStoppedEvent(task: Task, exitCode: number | null, reason: string, nowMs: number) {
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
