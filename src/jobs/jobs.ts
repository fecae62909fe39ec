import { LRUCache } from 'lru-cache';
import type { Notifications } from '../database/notifications.js';
import { JobClaims } from './claims.js';
import type { JobDependencies } from './dependencies.js';
import { JobNotifications } from './job-notifications.js';
import { JobPolling } from './polling.js';
import { JobReports } from './reports.js';
import { JobSubmissions } from './submit.js';

const maxCachedAssignmentTypes = 20_000;

export type Jobs = ReturnType<typeof createJobs>;

export function createJobs({
  notifications,
  ...options
}: Omit<JobDependencies, 'notifications' | 'assignmentTypes'> & { notifications: Notifications }) {
  const dependencies: JobDependencies = {
    ...options,
    notifications: new JobNotifications(notifications),
    assignmentTypes: new LRUCache({ max: maxCachedAssignmentTypes }),
  };
  return {
    ...dependencies,
    submissions: new JobSubmissions(dependencies),
    polling: new JobPolling(dependencies),
    claims: new JobClaims(dependencies),
    reports: new JobReports(dependencies),
  };
}
