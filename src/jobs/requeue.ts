import { notFound, ServiceError } from '../contract/errors.js';
import type { JobBody } from '../contract/jobs.js';
import type { JobDependencies } from './dependencies.js';
import { findAssignments } from './sql/assignments.js';
import { readJob } from './sql/detail.js';
import { type RequeuedJob, releaseAssignments, requeueStoppedTask } from './sql/requeue.js';

export const notLive = (id: number): ServiceError =>
  new ServiceError('conflict', `Assignment ${id} is not live: its job has ended or was assigned to another worker`);

/** Notifies workers of types that wait again, and followers of the changed jobs. Returns the jobs. */
export function publishRequeued({ notifications }: JobDependencies, requeued: RequeuedJob[]): RequeuedJob[] {
  if (requeued.length > 0) {
    const waiting = requeued.filter(({ status }) => status === 'PENDING');
    notifications.publish({ pending: new Set(waiting.map(({ type }) => type)), jobs: requeued.map(({ id }) => id) });
  }
  return requeued;
}

export const requeueTaskJobs = async (deps: JobDependencies, taskArn: string, reason: string) =>
  publishRequeued(deps, await requeueStoppedTask(deps.database, taskArn, reason));

/** Requeues the jobs of the live assignments. No attempt is used up. */
export const releaseAll = async (deps: JobDependencies, assignmentIds: readonly number[]) =>
  publishRequeued(deps, await releaseAssignments(deps.database, assignmentIds));

export async function releaseAssignment(deps: JobDependencies, assignmentId: number): Promise<JobBody> {
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
