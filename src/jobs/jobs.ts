import { LRUCache } from 'lru-cache';
import type { Notifications } from '../database/notifications.js';
import { JobClaims } from './claims.js';
import type { JobDependencies } from './dependencies.js';
import { JobNotifications } from './job-notifications.js';
import { JobPolling } from './polling.js';
import { JobReports } from './reports.js';
import { JobSubmissions } from './submit.js';

/** Assignments whose type is cached, to check a result without asking the database. */
const maxCachedAssignments = 20_000;

/** The parts of the job system that have state, and the dependencies of its functions. */
export interface Jobs extends JobDependencies {
  submissions: JobSubmissions;
  polling: JobPolling;
  claims: JobClaims;
  reports: JobReports;
}

export function createJobs(
  options: Omit<JobDependencies, 'notifications'> & {
    notifications: Notifications;
    /** Receives errors of work that no request waits for. */
    onError(error: unknown): void;
  },
): Jobs {
  const { database, storages, types, now, onError } = options;
  const dependencies = { database, storages, types, now, notifications: new JobNotifications(options.notifications) };
  const assignmentTypes = new LRUCache<number, string>({ max: maxCachedAssignments });
  return {
    ...dependencies,
    submissions: new JobSubmissions(dependencies),
    polling: new JobPolling(dependencies),
    claims: new JobClaims({ ...dependencies, assignmentTypes, onError }),
    reports: new JobReports({ ...dependencies, assignmentTypes }),
  };
}
