import { notFound, ServiceError } from '../contract/errors.js';
import type { JobBody } from '../contract/jobs.js';
import type { JobDependencies } from './dependencies.js';
import { findAssignments } from './sql/assignments.js';
import { readJob } from './sql/detail.js';
import { type RequeuedJob, releaseAssignments, requeueStoppedTask } from './sql/requeue.js';

type RequeueDependencies = Pick<JobDependencies, 'database' | 'notifications'>;

export const notLive = (assignmentId: number): ServiceError =>
  new ServiceError(
    'conflict',
    `Assignment ${assignmentId} is not live: its job has ended or was assigned to another worker`,
  );

/** Notifies workers that wait for a requeued job, and followers of each job. */
export function publishRequeued(
  { notifications }: Pick<JobDependencies, 'notifications'>,
  requeued: readonly RequeuedJob[],
): void {
  if (requeued.length === 0) return;
  const waiting = requeued.filter(({ status }) => status === 'PENDING');
  notifications.publish({ pending: new Set(waiting.map(({ type }) => type)), jobs: requeued.map(({ id }) => id) });
}

/** Requeues or ends the jobs of a task that stopped, and returns the jobs. */
export async function requeueTaskJobs(
  deps: RequeueDependencies,
  taskArn: string,
  reason: string,
): Promise<readonly RequeuedJob[]> {
  const requeued = await requeueStoppedTask(deps.database, taskArn, reason);
  publishRequeued(deps, requeued);
  return requeued;
}

/** Requeues the jobs of live assignments that their workers will not finish. No attempt is used up. */
export async function releaseAll(
  deps: RequeueDependencies,
  assignmentIds: readonly number[],
): Promise<readonly RequeuedJob[]> {
  const released = await releaseAssignments(deps.database, assignmentIds);
  publishRequeued(deps, released);
  return released;
}

/** Requeues the job of one live assignment and returns the job. */
export async function releaseAssignment(deps: RequeueDependencies, assignmentId: number): Promise<JobBody> {
  const { database } = deps;
  const [released] = await releaseAll(deps, [assignmentId]);
  if (!released) {
    const existing = await findAssignments(database, [assignmentId]);
    throw existing.has(assignmentId) ? notLive(assignmentId) : notFound(`Assignment ${assignmentId}`);
  }
  const job = await readJob(database, released.id);
  if (!job) throw notFound(`Job ${released.id}`);
  return job;
}
